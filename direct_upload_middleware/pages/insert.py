"""Puts the script tag into a page, whole or as it goes by."""

from __future__ import annotations

import logging
import re
from typing import Final

from .scan import MARKER, PageScanner, attribute_text

_SRC: Final = re.compile(rb"""\ssrc=["']?([^"'\s>]*)""", re.IGNORECASE)

log = logging.getLogger(__name__)


class TagInserter:
    """Gives back what it is fed, with the tag at its place, and holds back six bytes at most.

    :param tag: the script tag; a page that has a script of the same ``src`` stays as it is.
    :param always: put it into pages without a marker too.
    """

    def __init__(self, tag: bytes, *, always: bool) -> None:
        src = _SRC.search(tag)
        self._scanner = PageScanner(attribute_text(src[1]) if src else "", marked=always)
        self._tag = tag
        self._always = always
        self._held = b""
        self._given = 0  # bytes of the page that were given back
        self._done = False

    def whole(self, page: bytes) -> bytes:
        """The whole page at once; the very same object when it stays as it is."""
        if not page or not (self._always or MARKER in page.lower()):
            return page
        place = self._scanner.feed(page)
        if place is None:
            return page + self._tag if self._belongs_at_end() else page
        while self._scanner.feed(b"") is not None:
            pass  # whether the page is enhanced after the place
        return page if self._scanner.enhanced else page[:place] + self._tag + page[place:]

    def feed(self, data: bytes) -> bytes:
        if self._done:
            return data
        place = self._scanner.feed(data)
        data = self._held + data
        if place is not None:
            place -= self._given
            data = data[:place] + self._tag + data[place:]
        self._done = place is not None or self._scanner.enhanced
        self._held = b"" if self._done else data[len(data) - self._scanner.held :]
        data = data[: len(data) - len(self._held)]
        self._given += len(data)
        return data

    def seems_settled(self, data: bytes) -> bool:
        """Whether nothing will change any more, as far as anybody can tell after data, which was fed last."""
        if self._scanner.over:
            return True
        ended = data.rstrip().lower().endswith(b"</html>") and self._scanner.between_tags
        return ended and not self._scanner.marked

    def finish(self) -> bytes:
        """What follows the last piece, at the end of the page; nothing more when asked again."""
        if self._done:
            return b""
        self._done = True
        return self._tag if self._given and self._belongs_at_end() else self._held

    def _belongs_at_end(self) -> bool:
        scanner = self._scanner
        if scanner.marked and not (scanner.enhanced or scanner.end_is_place):
            log.warning("a page got no script for direct uploads: its HTML cannot be followed to its end")
        return scanner.end_is_place
