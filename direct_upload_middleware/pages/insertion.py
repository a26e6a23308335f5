"""Finds the marker in a page that goes by, and the place where the script tag changes nothing else.

The place is before ``</body>``, or at the end of a page that has none. A ``script`` there leaves the tree as it is
wherever a parser of the HTML standard may be by then, in an open ``<p>``, ``<table>`` or ``<select>`` too, with two
exceptions: in SVG and MathML it would be another kind of element, and in a ``<template>`` it would not run. So this
much of the tree is followed: the open templates, and all that is open inside ``<svg>`` and ``<math>``. Where a parser
would do something there that cannot be followed with so little, the scanner gives up, and the page stays as it is.
"""

from __future__ import annotations

import codecs
import html
import logging
import re
from enum import Enum
from typing import Final, NamedTuple

from .html_tokenizer import RAW_TEXT, Tag, TagReader, plain_text_and_tags, text_and_empty_tags

#: Without this, in any case, there is no marker in a page.
MARKER: Final = b"direct-upload"
_MARKER_ATTRIBUTE: Final = b"data-" + MARKER

_DEEPEST: Final = 500  # elements inside one another: browsers stop nesting not much later
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_POINTS: Final = {  # where HTML may stand inside SVG and MathML
    b"svg": frozenset({b"foreignobject", b"desc", b"title"}),
    b"math": frozenset({b"mi", b"mo", b"mn", b"ms", b"mtext"}),
}
_BREAK_OUT: Final = frozenset(  # HTML that ends the SVG or MathML that it stands in
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta"
    b" nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_VOID: Final = frozenset(
    b"area base basefont bgsound br embed frame hr image img input keygen link meta param source track wbr".split()
)
# End tags of these are often left over in SVG. They close nothing, as long as there is no such element in HTML.
_SHAPES: Final = frozenset(b"circle ellipse line path polygon polyline rect stop use".split())
_TABLE: Final = frozenset(b"caption col colgroup table tbody td tfoot th thead tr".split())

# Start tags that make a parser do what is not followed here: anywhere, …
_LOST_IN_HTML: Final = _SHAPES | {b"frameset"}
# … inside SVG and MathML (``font`` breaks out by its attributes, cells close the cell that the whole is in), …
_LOST_IN_FOREIGN: Final = frozenset({b"font", b"annotation-xml"})
_LOST_IN_POINT: Final = _TABLE | {b"mglyph", b"malignmark"}
# … and in ``select``, where parsers differ: older ones know no SVG there, and no raw text but scripts.
_LOST_IN_SELECT: Final = RAW_TEXT - {b"script", b"textarea"}
_LOST_IN_FOREIGN_IN_SELECT: Final = RAW_TEXT | _TABLE | {b"input", b"keygen", b"select", b"template"}
_END_OF_SELECT: Final = frozenset({b"input", b"keygen", b"textarea"})

_SKIP: Final = plain_text_and_tags(
    RAW_TEXT | _LOST_IN_HTML | _END_OF_SELECT | {MARKER, b"body", b"math", b"select", b"svg", b"template"}
)
_SKIP_IN_FOREIGN: Final = text_and_empty_tags(_SHAPES)


def attribute_text(value: bytes) -> str:
    """A URL, as it is written in an attribute."""
    return html.unescape(value.decode("latin-1")).strip("\t\n\f\r ")


class _Kind(Enum):
    TEMPLATE = "a template: what is open inside it does not matter, its end tag closes all of it"
    FOREIGN = "an SVG or MathML element"
    POINT = "an SVG or MathML element with HTML in it"
    HTML = "an HTML element inside such a one"


class _Open(NamedTuple):
    kind: _Kind
    name: bytes
    root: bytes = b""  #: of SVG and MathML: svg or math
    in_select: bool = False  #: of a template: whether it stands in a select


class PageScanner:
    """Feed it a page piece by piece, until it tells the place or is `over`.

    `src` is the script's URL; `marked` whether the script is wanted without a marker too.
    """

    def __init__(self, src: str, *, marked: bool) -> None:
        self.marked = marked
        self.enhanced = False  # the page has the script already
        self.lost = False
        self._src = src
        self._beginning = b""
        self._open: list[_Open] = []
        self._in_select = False
        self._tags = TagReader(keep=frozenset({b"src", _MARKER_ATTRIBUTE}))
        self._tags.skip = _SKIP

    def feed(self, data: bytes) -> int | None:
        """The place, counted from the beginning of the page, when it is in what was fed.

        Once there is one, feeding more, or nothing, tells whether the page is enhanced after it.
        """
        self._check_encoding(data)
        if not self.over:
            self._tags.feed(data)
        while not self.over and (tag := self._tags.next()):
            if tag.end and tag.name == b"body" and self.marked and not self._open:
                return tag.start
            self._take(tag)
        return None

    @property
    def over(self) -> bool:
        """Whether nothing will be put into this page any more."""
        return self.enhanced or self.lost or self._tags.gave_up

    @property
    def held(self) -> int:
        """How many bytes at the end of what was fed may be the beginning of the place."""
        undecided = self._tags.undecided
        return len(undecided) if not self.over and b"</body".startswith(undecided.lower()) else 0

    @property
    def between_tags(self) -> bool:
        """Whether the page is outside of everything in which a tag would be something else, or not run."""
        return not self.over and not self._open and self._tags.at_rest

    @property
    def end_is_place(self) -> bool:
        """Whether the tag may stand at the end, when the page ends here."""
        return self.marked and self.between_tags

    def _check_encoding(self, data: bytes) -> None:
        """A byte order mark, and ISO-2022 that only a ``meta`` tells of, make ASCII bytes mean something else."""
        if len(self._beginning) < 2:
            self._beginning = (self._beginning + data[:2])[:2]
        self.lost = self.lost or self._beginning in _UTF_16 or b"\x1b" in data

    def _take(self, tag: Tag) -> None:
        if tag.end:
            self._take_end(tag.name)
        elif self._top is _Kind.FOREIGN and tag.name not in _BREAK_OUT:
            self._take_foreign(tag)
        else:
            while self._top is _Kind.FOREIGN:
                self._open.pop()
            self._take_html(tag)
        self._tell_reader()

    @property
    def _top(self) -> _Kind | None:
        return self._open[-1].kind if self._open else None

    @property
    def _in_island(self) -> bool:
        """Whether the innermost is inside SVG or MathML, where every tag matters."""
        return self._top not in (None, _Kind.TEMPLATE)

    def _tell_reader(self) -> None:
        top, in_island = self._top, self._in_island
        self._tags.skip = (_SKIP_IN_FOREIGN if top is _Kind.FOREIGN else None) if in_island else _SKIP
        is_sure = top is not _Kind.HTML and not (in_island and self._in_select)
        self._tags.cdata = in_island if is_sure else None

    def _take_html(self, tag: Tag) -> None:
        name = tag.name
        self.lost = (
            name in _LOST_IN_HTML
            or (self._in_island and name in _LOST_IN_POINT)
            or (self._in_select and name in _LOST_IN_SELECT)
        )
        self._look(tag)
        self._in_select = name == b"select" or (self._in_select and name not in _END_OF_SELECT)
        self._open_html(tag)
        if name in RAW_TEXT:
            self._tags.read_raw_text(name)

    def _look(self, tag: Tag) -> None:
        if tag.name == MARKER or (tag.name == b"input" and _MARKER_ATTRIBUTE in tag.attributes):
            self.marked = True
        elif tag.name == b"script" and not any(element.kind is _Kind.TEMPLATE for element in self._open):
            self.enhanced = attribute_text(tag.attributes.get(b"src", b"")) == self._src

    def _open_html(self, tag: Tag) -> None:
        if tag.name == b"template":
            self._push(_Open(_Kind.TEMPLATE, tag.name, in_select=self._in_select))
            self._in_select = False
        elif tag.name in _POINTS:
            self._open_foreign(tag, root=tag.name)
        elif self._in_island and tag.name not in _VOID:
            self._push(_Open(_Kind.HTML, tag.name))

    def _push(self, element: _Open) -> None:
        self._open.append(element)
        self.lost = self.lost or len(self._open) > _DEEPEST

    def _take_foreign(self, tag: Tag) -> None:
        self.lost = tag.name in _LOST_IN_FOREIGN or (self._in_select and tag.name in _LOST_IN_FOREIGN_IN_SELECT)
        self._open_foreign(tag, root=self._open[-1].root)

    def _open_foreign(self, tag: Tag, *, root: bytes) -> None:
        if not tag.self_closing:
            kind = _Kind.POINT if tag.name in _POINTS[root] else _Kind.FOREIGN
            self._push(_Open(kind, tag.name, root))

    def _take_end(self, name: bytes) -> None:
        if self._top in (_Kind.FOREIGN, _Kind.POINT):
            self._close_foreign(name)
        elif self._top is _Kind.HTML:
            self.lost = self._open.pop().name != name
        elif self._top is _Kind.TEMPLATE and name == b"template":
            self._in_select = self._open.pop().in_select
        if name == b"select":
            self._in_select = False

    def _close_foreign(self, name: bytes) -> None:
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth].kind not in (_Kind.FOREIGN, _Kind.POINT):
                break
            if self._open[depth].name == name:
                del self._open[depth:]
                return
        self.lost = name not in _SHAPES


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
