"""Find the marker in a page that streams, and the position where the script tag changes nothing else.

The position is before ``</body>``, or at the end of a page without it. A ``script`` at this position does not change
the rest of the tree, even if a ``<p>``, ``<table>`` or ``<select>`` is still open, with two exceptions: in SVG and
MathML it would be a different element, and in a ``<template>`` it would not run. Therefore the scanner tracks the open
templates, and all open elements inside ``<svg>`` and ``<math>``. Where a parser of the HTML standard would need more
of the tree than that, the scanner stops, and the page stays as it is.
"""

from __future__ import annotations

import codecs
import html
import re
from enum import Enum
from typing import Final, NamedTuple

from .html_tokenizer import RAW_TEXT, Tag, TagReader, compile_text_and_other_tags, compile_text_and_self_closing_tags

#: Every marker contains this, in upper or lower case.
MARKER: Final = b"direct-upload"
_MARKER_ATTRIBUTE: Final = b"data-" + MARKER

_SRC: Final = re.compile(rb"""\ssrc=["']?([^"'\s>]*)""", re.IGNORECASE)
_MAX_DEPTH: Final = 500  # open elements; browsers stop nesting at 512
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_INTEGRATION_POINTS: Final = {  # elements of SVG and MathML that contain HTML
    b"svg": frozenset({b"foreignobject", b"desc", b"title"}),
    b"math": frozenset({b"mi", b"mo", b"mn", b"ms", b"mtext"}),
}
_BREAKOUT: Final = frozenset(  # HTML elements that close the SVG or MathML around them
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta"
    b" nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_VOID: Final = frozenset(
    b"area base basefont bgsound br embed frame hr image img input keygen link meta param source track wbr".split()
)
# SVG often contains surplus end tags of these. They close nothing, because HTML has no such elements.
_SHAPES: Final = frozenset(b"circle ellipse line path polygon polyline rect stop use".split())
_TABLE: Final = frozenset(b"caption col colgroup table tbody td tfoot th thead tr".split())

# Start tags whose effect on the tree is not tracked: anywhere, …
_UNTRACKED_IN_HTML: Final = _SHAPES | {b"frameset"}
# … inside SVG and MathML (``font`` closes them depending on its attributes, a cell closes the cell around them), …
_UNTRACKED_IN_FOREIGN: Final = frozenset({b"font", b"annotation-xml"})
_UNTRACKED_IN_POINT: Final = _TABLE | {b"mglyph", b"malignmark"}
# … and in ``select``, where parsers differ: older ones ignore SVG and all raw text elements except scripts there.
_UNTRACKED_IN_SELECT: Final = RAW_TEXT - {b"script", b"textarea"}
_UNTRACKED_IN_FOREIGN_IN_SELECT: Final = RAW_TEXT | _TABLE | {b"input", b"keygen", b"select", b"template"}
_END_OF_SELECT: Final = frozenset({b"input", b"keygen", b"textarea"})

_SKIP: Final = compile_text_and_other_tags(
    RAW_TEXT | _UNTRACKED_IN_HTML | _END_OF_SELECT | {MARKER, b"body", b"math", b"select", b"svg", b"template"}
)
_SKIP_IN_FOREIGN: Final = compile_text_and_self_closing_tags(_SHAPES)


def find_script_url(tag: bytes) -> str:
    """Return the ``src`` of a script tag."""
    src = _SRC.search(tag)
    return _decode_url(src[1]) if src else ""


def _decode_url(value: bytes) -> str:
    """Return the URL that is the value of an attribute."""
    return html.unescape(value.decode("latin-1")).strip("\t\n\f\r ")


class _Kind(Enum):
    """The kinds of open elements that the scanner tracks."""

    TEMPLATE = "a template; its end tag closes everything inside it"
    FOREIGN = "an SVG or MathML element"
    POINT = "an integration point: an SVG or MathML element that contains HTML"
    HTML = "an HTML element inside an integration point"


class _OpenElement(NamedTuple):
    kind: _Kind
    name: bytes
    root: bytes = b""  #: b"svg" or b"math", for their elements
    is_in_select: bool = False  #: whether a template is inside a select


class PageScanner:
    """A scanner that is fed a page in pieces until it finds the insertion point or ``is_done``.

    :param src: the script's URL.
    :param has_marker: True if the page needs the script even without a marker.
    """

    def __init__(self, src: str, *, has_marker: bool) -> None:
        self.has_marker = has_marker
        self.has_script = False  #: whether the page contains the script tag already
        self.is_lost = False  #: whether the position in the tree is unknown
        self._src = src
        self._beginning = b""
        self._open: list[_OpenElement] = []
        self._is_in_select = False
        self._tags = TagReader(keep=frozenset({b"src", _MARKER_ATTRIBUTE}))
        self._tags.skip = _SKIP

    def feed(self, data: bytes) -> int | None:
        """Read the next piece and return the insertion point, a position in the page, if this piece contains it.

        After that, feed more, or ``b""``, to learn from ``has_script`` whether the script tag follows later.
        """
        self._check_encoding(data)
        if not self.is_done:
            self._tags.feed(data)
        while not self.is_done and (tag := self._tags.next()):
            if tag.is_end and tag.name == b"body" and self.has_marker and not self._open:
                return tag.start
            self._track(tag)
        return None

    @property
    def is_done(self) -> bool:
        """True if the page will not change any more."""
        return self.has_script or self.is_lost or self._tags.has_failed

    @property
    def undecided_size(self) -> int:
        """The number of last bytes that may be the beginning of ``</body``."""
        last = self._tags.incomplete_tag
        return len(last) if not self.is_done and b"</body".startswith(last.lower()) else 0

    @property
    def is_between_elements(self) -> bool:
        """True if a script tag at this position would be a script tag, and would run."""
        return not self.is_done and not self._open and self._tags.is_in_text

    @property
    def may_insert_at_end(self) -> bool:
        """True if the script tag may be appended when the page ends here."""
        return self.has_marker and self.is_between_elements

    def _check_encoding(self, data: bytes) -> None:
        """Detect UTF-16 by its byte order mark, and ISO-2022, which may be declared in a ``meta`` only."""
        if len(self._beginning) < 2:
            self._beginning = (self._beginning + data[:2])[:2]
        self.is_lost = self.is_lost or self._beginning in _UTF_16 or b"\x1b" in data

    def _track(self, tag: Tag) -> None:
        if tag.is_end:
            self._track_end(tag.name)
        elif self._top is _Kind.FOREIGN and tag.name not in _BREAKOUT:
            self._track_foreign_start(tag)
        else:
            while self._top is _Kind.FOREIGN:
                self._open.pop()
            self._track_html_start(tag)
        self._update_reader()

    @property
    def _top(self) -> _Kind | None:
        return self._open[-1].kind if self._open else None

    @property
    def _is_in_foreign(self) -> bool:
        """True inside SVG or MathML, where the reader must not skip tags."""
        return self._top not in (None, _Kind.TEMPLATE)

    def _update_reader(self) -> None:
        top, is_in_foreign = self._top, self._is_in_foreign
        self._tags.skip = (_SKIP_IN_FOREIGN if top is _Kind.FOREIGN else None) if is_in_foreign else _SKIP
        is_sure = top is not _Kind.HTML and not (is_in_foreign and self._is_in_select)
        self._tags.allows_cdata = is_in_foreign if is_sure else None

    def _track_html_start(self, tag: Tag) -> None:
        name = tag.name
        self.is_lost = (
            name in _UNTRACKED_IN_HTML
            or (self._is_in_foreign and name in _UNTRACKED_IN_POINT)
            or (self._is_in_select and name in _UNTRACKED_IN_SELECT)
        )
        self._look_for_marker_and_script(tag)
        self._is_in_select = name == b"select" or (self._is_in_select and name not in _END_OF_SELECT)
        self._open_html(tag)
        if name in RAW_TEXT:
            self._tags.read_raw_text(name)

    def _look_for_marker_and_script(self, tag: Tag) -> None:
        if tag.name == MARKER or (tag.name == b"input" and _MARKER_ATTRIBUTE in tag.attributes):
            self.has_marker = True
        elif tag.name == b"script" and not any(element.kind is _Kind.TEMPLATE for element in self._open):
            self.has_script = _decode_url(tag.attributes.get(b"src", b"")) == self._src

    def _open_html(self, tag: Tag) -> None:
        if tag.name == b"template":
            self._push(_OpenElement(_Kind.TEMPLATE, tag.name, is_in_select=self._is_in_select))
            self._is_in_select = False
        elif tag.name in _INTEGRATION_POINTS:
            self._open_foreign(tag, root=tag.name)
        elif self._is_in_foreign and tag.name not in _VOID:
            self._push(_OpenElement(_Kind.HTML, tag.name))

    def _push(self, element: _OpenElement) -> None:
        self._open.append(element)
        self.is_lost = self.is_lost or len(self._open) > _MAX_DEPTH

    def _track_foreign_start(self, tag: Tag) -> None:
        self.is_lost = tag.name in _UNTRACKED_IN_FOREIGN or (
            self._is_in_select and tag.name in _UNTRACKED_IN_FOREIGN_IN_SELECT
        )
        self._open_foreign(tag, root=self._open[-1].root)

    def _open_foreign(self, tag: Tag, *, root: bytes) -> None:
        if not tag.is_self_closing:
            kind = _Kind.POINT if tag.name in _INTEGRATION_POINTS[root] else _Kind.FOREIGN
            self._push(_OpenElement(kind, tag.name, root))

    def _track_end(self, name: bytes) -> None:
        if self._top in (_Kind.FOREIGN, _Kind.POINT):
            self._close_foreign(name)
        elif self._top is _Kind.HTML:
            self.is_lost = self._open.pop().name != name
        elif self._top is _Kind.TEMPLATE and name == b"template":
            self._is_in_select = self._open.pop().is_in_select
        if name == b"select":
            self._is_in_select = False

    def _close_foreign(self, name: bytes) -> None:
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth].kind not in (_Kind.FOREIGN, _Kind.POINT):
                break
            if self._open[depth].name == name:
                del self._open[depth:]
                return
        self.is_lost = name not in _SHAPES
