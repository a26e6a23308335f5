"""Insert the script tag into a page, at once or while it streams."""

from __future__ import annotations

import logging

from .page_scanner import MARKER, PageScanner, find_script_url

log = logging.getLogger(__name__)


class TagInserter:
    """An inserter of one script tag into one page. While the page streams, it delays six bytes at most.

    :param tag: the script tag. A page that contains a script with the same ``src`` stays as it is.
    :param always: whether to change pages without a marker too.
    """

    def __init__(self, tag: bytes, *, always: bool) -> None:
        self._scanner = PageScanner(find_script_url(tag), has_marker=always)
        self._tag = tag
        self._always = always
        self._delayed = b""
        self._returned = 0  # bytes of the page
        self._is_done = False

    @property
    def has_script(self) -> bool:
        """True if the page, as far as it was read, already contains the script tag."""
        return self._scanner.has_script

    def insert(self, page: bytes) -> bytes:
        """Return the complete page with the tag; the same object if it stays as it is."""
        if not page or not (self._always or MARKER in page.lower()):
            return page
        position = self._scanner.feed(page)
        if position is None:
            return page + self._tag if self._belongs_at_end() else page
        while self._scanner.feed(b"") is not None:
            pass  # the script tag may follow after this position
        return page if self._scanner.has_script else page[:position] + self._tag + page[position:]

    def feed(self, data: bytes) -> bytes:
        """Return the next piece of a page that streams, with the tag if it belongs here."""
        if self._is_done:
            return data
        position = self._scanner.feed(data)
        data = self._delayed + data
        if position is not None:
            position -= self._returned
            data = data[:position] + self._tag + data[position:]
        self._is_done = position is not None or self._scanner.has_script
        self._delayed = b"" if self._is_done else data[len(data) - self._scanner.undecided_size :]
        data = data[: len(data) - len(self._delayed)]
        self._returned += len(data)
        return data

    def is_settled_after(self, data: bytes) -> bool:
        """Return whether the page will probably not change after ``data``, the last piece that was fed."""
        if self._scanner.is_done:
            return True
        has_ended = data.rstrip().lower().endswith(b"</html>") and self._scanner.is_between_elements
        return has_ended and not self._scanner.has_marker

    def finish(self) -> bytes:
        """Return the bytes that follow the last piece; ``b""`` when called again."""
        if self._is_done:
            return b""
        self._is_done = True
        return self._tag if self._returned and self._belongs_at_end() else self._delayed

    def _belongs_at_end(self) -> bool:
        scanner = self._scanner
        if scanner.has_marker and not (scanner.has_script or scanner.may_insert_at_end):
            log.warning("no script tag for direct uploads in a page: its HTML cannot be parsed to the end")
        return scanner.may_insert_at_end
