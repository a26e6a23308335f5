"""Warn about HTML pages that need the script tag but cannot be changed, because they are encoded."""

from __future__ import annotations

import logging
from typing import Final

from .content_decoding import PageDecoder, UndecodableError
from .html_response import Headers, find_obstacle
from .page_scanner import PageScanner, find_script_url

_MAX_INSPECTED: Final = 1024**2  # bytes of a page, before and after decoding

_REMEDIES: Final = {
    "encoding": "Compress after DirectUploadMiddleware: in the web server, or in a middleware that wraps it.",
    "charset": "Send the page as UTF-8.",
}

log = logging.getLogger(__name__)


class UnchangedPages:
    """The warnings about pages that cannot be changed: one for each reason.

    :param always: whether every page needs the script tag, or only pages with a marker.
    """

    def __init__(self, *, always: bool) -> None:
        self._always = always
        self._reported: dict[str, object] = {}

    def make_inspector(self, status: str, headers: Headers, tag: bytes) -> PageInspector | None:
        """Return an inspector for the body if the response is a page that cannot be changed; None otherwise."""
        obstacle = find_obstacle(status, headers)
        if obstacle is None or str(obstacle) in self._reported:
            return None
        try:
            decoder = PageDecoder(obstacle.encodings, obstacle.charset)
        except LookupError:
            return None  # without a decoder nobody can say whether the page has a marker
        remedy = _REMEDIES["encoding" if obstacle.encodings else "charset"]
        scanner = PageScanner(find_script_url(tag), has_marker=self._always)
        return PageInspector(self, decoder, scanner, str(obstacle), remedy)

    def report(self, reason: str, remedy: str) -> None:
        """Log a warning, unless this reason was reported before."""
        token = object()
        if self._reported.setdefault(reason, token) is token:
            log.warning(
                "no script tag for direct uploads in a page that needs it: DirectUploadMiddleware cannot change a page "
                "with %s. %s Or put script_tag() into its template.",
                reason,
                remedy,
            )


class PageInspector:
    """An inspector that is fed the encoded body of one page, and reports it if it needs the script tag."""

    def __init__(
        self, pages: UnchangedPages, decoder: PageDecoder, scanner: PageScanner, reason: str, remedy: str
    ) -> None:
        self._pages = pages
        self._decoder = decoder
        self._scanner = scanner
        self._reason = reason
        self._remedy = remedy
        self._rest = _MAX_INSPECTED
        self._has_content = False

    def feed(self, data: bytes) -> None:
        """Inspect the next piece."""
        if self._rest <= 0 or not data:
            return
        try:
            text = self._decoder.decode(data[: self._rest])
        except UndecodableError:
            self._rest, self._has_content = 0, False
            return
        self._rest -= max(len(data), len(text))
        self._has_content = self._has_content or bool(text)
        text = text[:_MAX_INSPECTED]
        while self._scanner.feed(text) is not None:
            text = b""

    def finish(self) -> None:
        """Report the page if it needs the script tag."""
        if self._has_content and self._scanner.has_marker and not self._scanner.has_script:
            self._pages.report(self._reason, self._remedy)
