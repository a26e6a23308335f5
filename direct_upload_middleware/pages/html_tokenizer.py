"""The tags of an HTML page that comes in pieces.

This is the tokenizer of the HTML standard (https://html.spec.whatwg.org/multipage/parsing.html#tokenization), as far
as tags need it: what stands in a comment, in an attribute or in a script is not a tag. It works on bytes, in any
charset whose ASCII bytes mean ASCII, remembers a bounded number of them, and hops from ``<`` to ``<`` with compiled
expressions. Which elements hold raw text, and where ``<![CDATA[`` means something, depends on the tree that a parser
would build; the caller knows that much of the tree and says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

#: Elements whose content is text, up to their end tag. ``noscript`` is one of them wherever scripts run.
RAW_TEXT: Final = frozenset(b"script style textarea title xmp iframe noembed noframes noscript plaintext".split())

_LONGEST = 256  # bytes of a tag's or attribute's name that are kept: those that matter are far shorter
_LONGEST_VALUE = 4096
_TAIL = 16  # bytes in which the beginning of any end, such as ``</textarea`` without its ``>``, fits

_SPACE = rb"\t\n\f\r "
_ATTRIBUTE = (  # with its whole value; one whose value is not all there does not match
    rb"[^" + _SPACE + rb"/>][^" + _SPACE + rb"/>=]*+"
    rb"(?:[" + _SPACE + rb"]*+=[" + _SPACE + rb"]*+"
    rb"(?:\"[^\"]*+\"|'[^']*+'|(?=>)|[^" + _SPACE + rb">\"'][^" + _SPACE + rb">]*+)"
    rb"|(?![" + _SPACE + rb"]*+=))"
)
_ATTRIBUTES = rb"(?:[" + _SPACE + rb"/]*+" + _ATTRIBUTE + rb")*+"

_TEXT: Final = re.compile(rb"[^<]*+")
_TAG_OPEN: Final = re.compile(rb"<(/?)([A-Za-z][^" + _SPACE + rb"/>]*+)")
_WHOLE_TAG: Final = re.compile(_TAG_OPEN.pattern + _ATTRIBUTES + rb"([" + _SPACE + rb"/]*+)>")
_SPACES: Final = re.compile(rb"[" + _SPACE + rb"]*+")
_BETWEEN: Final = re.compile(rb"[" + _SPACE + rb"/]*+")
_NAME: Final = re.compile(rb"[^" + _SPACE + rb"/>=]*+")
_UNQUOTED: Final = re.compile(rb"[^" + _SPACE + rb">]*+")
_QUOTED: Final = {b'"': re.compile(rb'[^"]*+'), b"'": re.compile(rb"[^']*+")}

_COMMENT_END: Final = re.compile(rb"--!?>")
_BOGUS_END: Final = re.compile(rb">")
_CDATA: Final = b"<![CDATA["
_CDATA_END: Final = re.compile(rb"\]\]>")
_UNDECIDED: Final = frozenset({b"<", b"</", b"<!-"} | {_CDATA[:length] for length in range(2, len(_CDATA))})
_RAW_END: Final = {name: re.compile(rb"(?i:</" + name + rb")(?=[" + _SPACE + rb"/>])") for name in RAW_TEXT}

# Script data has a comment of its own, in which ``<script`` hides the next ``</script``.
_SCRIPT: Final = re.compile(rb"<!--|(?i:</script)(?=[" + _SPACE + rb"/>])")
_ESCAPED: Final = re.compile(rb"-->|(?i:</?script)(?=[" + _SPACE + rb"/>])")
_DOUBLE_ESCAPED: Final = re.compile(rb"-->|(?i:</script)(?=[" + _SPACE + rb"/>])")
_SCRIPT_STEPS: Final = {
    (_SCRIPT, b"<!--"): _ESCAPED,
    (_ESCAPED, b"-->"): _SCRIPT,
    (_ESCAPED, b"<script"): _DOUBLE_ESCAPED,
    (_DOUBLE_ESCAPED, b"-->"): _SCRIPT,
    (_DOUBLE_ESCAPED, b"</script"): _ESCAPED,
}


class Tag(NamedTuple):
    name: bytes  #: in lower case
    start: int  #: where its ``<`` is, counted from the beginning of the page
    end: bool  #: an end tag; it is told as soon as its name is complete, and without attributes
    attributes: dict[bytes, bytes]  #: names in lower case, values as they are written
    self_closing: bool = False


def plain_text_and_tags(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """An expression for text and for whole tags of any other name than these."""
    initials = rb"".join(sorted({name[:1] + name[:1].upper() for name in names}))  # most tags are told by theirs
    special = rb"(?=[" + initials + rb"])(?i:" + rb"|".join(sorted(names)) + rb")[" + _SPACE + rb"/>]"
    tag = rb"</?+(?!" + special + rb")[A-Za-z][^" + _SPACE + rb"/>]*+" + _ATTRIBUTES + rb"[" + _SPACE + rb"/]*+>"
    return re.compile(rb"(?:[^<]++|" + tag + rb")*+")


def text_and_empty_tags(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """An expression for text and for whole start tags of these names that close themselves."""
    tag = (
        rb"<(?i:" + rb"|".join(sorted(names)) + rb")(?=[" + _SPACE + rb"/])" + _ATTRIBUTES + rb"[" + _SPACE + rb"]*+/>"
    )
    return re.compile(rb"(?:[^<]++|" + tag + rb")*+")


class TagReader:
    """Feed it a page piece by piece, and take the tags out after each with `next`.

    `keep` names the attributes that matter; the others are not kept.
    `skip` is what is passed over without a look, `None` to see every tag. `cdata` says whether ``<![CDATA[`` begins a
    CDATA section here: `None` when nobody knows, then the reader gives up where it finds one.
    """

    def __init__(self, keep: frozenset[bytes]) -> None:
        self._keep = keep
        self.skip: re.Pattern[bytes] | None = None
        self.cdata: bool | None = False
        self.gave_up = False
        self._data = b""
        self._at = 0
        self._passed = 0  # bytes before _data
        self._state: Callable[[], bool] = self._text
        self._tag: Tag | None = None  # the start tag whose attributes are being read
        self._found: Tag | None = None

    def feed(self, data: bytes) -> None:
        self._passed += self._at
        self._data = self._data[self._at :] + data
        self._at = 0

    def next(self) -> Tag | None:
        """The next tag; None when more of the page is needed to tell."""
        self._found = None
        while self._found is None and not self.gave_up and self._state():
            pass
        return self._found

    def read_raw_text(self, name: bytes) -> None:
        """What follows the start tag that was just given is the raw text of an element of that name."""
        if name == b"script":
            self._stop, self._state = _SCRIPT, self._script
        elif name == b"plaintext":
            self._state = self._plaintext
        else:
            self._stop, self._state = _RAW_END[name], self._raw_text

    @property
    def undecided(self) -> bytes:
        """What may become a tag when more is known of it."""
        return self._data[self._at :] if self._state == self._text else b""

    @property
    def at_rest(self) -> bool:
        """Whether a tag that comes next would be read as a tag."""
        return self._state == self._text and self._at == len(self._data) and not self.gave_up

    # Each state reads on, and says whether there may be more to read in what was fed.

    def _text(self) -> bool:
        self._run(self.skip or _TEXT)
        if self._at == len(self._data):
            return False
        ahead = self._data[self._at : self._at + len(_CDATA)]
        if ahead in _UNDECIDED:
            return False
        tag = _TAG_OPEN.match(self._data, self._at)
        return (self._whole_tag() or self._tag_open(tag)) if tag else self._no_tag(ahead)

    def _whole_tag(self) -> bool:
        """The short way, for a tag that is all there and has no attribute that matters."""
        tag = _WHOLE_TAG.match(self._data, self._at)
        if tag is None or any(name in tag[0].lower() for name in self._keep):
            return False
        start, self._at = self._passed + self._at, tag.end()
        self._found = Tag(tag[2].lower(), start, bool(tag[1]), {}, self_closing=tag[3].endswith(b"/"))
        return True

    def _tag_open(self, tag: re.Match[bytes]) -> bool:
        if tag.end() == len(self._data):
            self.gave_up = tag.end() - tag.start() > _LONGEST
            return False
        opened = Tag(tag[2].lower(), self._passed + tag.start(), bool(tag[1]), {})
        self._tag, self._found = (None, opened) if opened.end else (opened, None)
        self._at, self._state = tag.end(), self._between_attributes
        self._slash = False
        return True

    def _no_tag(self, ahead: bytes) -> bool:
        if ahead.startswith(b"<!--"):
            self._at += 4
            self._state = self._comment_start
        elif ahead == _CDATA and self.cdata is not False:
            self.gave_up = self.cdata is None
            self._stop, self._state = _CDATA_END, self._until_stop
        elif ahead[1:2] in b"!?/":  # a doctype too ends at the first ``>``, whatever is quoted in it
            self._at += 2
            self._stop, self._state = _BOGUS_END, self._until_stop
        else:
            self._at += 1
        return True

    def _comment_start(self) -> bool:
        ahead = self._data[self._at : self._at + 2]
        if ahead in (b"", b"-"):
            return False
        if ahead == b"->" or ahead[:1] == b">":
            self._at += ahead.index(b">") + 1
            self._state = self._text
        else:
            self._stop, self._state = _COMMENT_END, self._until_stop
        return True

    def _until_stop(self) -> bool:
        stop = self._search_stop()
        if stop:
            self._at, self._state = stop.end(), self._text
        return stop is not None

    def _raw_text(self) -> bool:
        stop = self._search_stop()
        if stop:
            self._at, self._state = stop.start(), self._text
        return stop is not None

    def _script(self) -> bool:
        stop = self._search_stop()
        if stop is None:
            return False
        step = _SCRIPT_STEPS.get((self._stop, stop[0].lower()))
        if step is None:
            self._at, self._state = stop.start(), self._text
        else:  # the dashes of ``<!--`` may be those of ``-->`` as well
            self._at = stop.start() + 2 if step is _ESCAPED and self._stop is _SCRIPT else stop.end()
            self._stop = step
        return True

    def _plaintext(self) -> bool:
        self._at = len(self._data)
        return False

    def _between_attributes(self) -> bool:
        between = self._run(_BETWEEN)
        if between:
            self._slash = between.endswith(b"/")
        if self._at == len(self._data):
            return False
        if self._data[self._at] == ord(">"):
            self._at += 1
            self._state = self._text
            self._found = self._tag and self._tag._replace(self_closing=self._slash)
        else:  # an ``=`` is a name's first character here
            self._name, self._state = self._data[self._at : self._at + 1], self._attribute_name
            self._at += 1
            self._slash = False
        return True

    def _attribute_name(self) -> bool:
        self._name = (self._name + self._run(_NAME))[:_LONGEST]
        self._value = b""
        return self._go_on(self._after_name)

    def _after_name(self) -> bool:
        self._run(_SPACES)
        if self._data[self._at : self._at + 1] != b"=":
            return self._go_on(self._attribute_done)
        self._at += 1
        self._state = self._before_value
        return True

    def _before_value(self) -> bool:
        self._run(_SPACES)
        quote = self._data[self._at : self._at + 1]
        self._value_run = _QUOTED.get(quote, _UNQUOTED)
        if not self._go_on(self._read_value):
            return False
        self._at += quote in _QUOTED
        return True

    def _read_value(self) -> bool:
        self._value = (self._value + self._run(self._value_run))[:_LONGEST_VALUE]
        if not self._go_on(self._attribute_done):
            return False
        self._at += self._value_run is not _UNQUOTED  # the closing quote
        return True

    def _attribute_done(self) -> bool:
        name = self._name.lower()
        if self._tag and name in self._keep:
            self._tag.attributes.setdefault(name, self._value)
        self._state = self._between_attributes
        return True

    def _run(self, pattern: re.Pattern[bytes]) -> bytes:
        start = self._at
        match = pattern.match(self._data, start)
        self._at = match.end() if match else start
        return self._data[start : self._at]

    def _search_stop(self) -> re.Match[bytes] | None:
        stop = self._stop.search(self._data, self._at)
        if stop is None:
            self._at = max(self._at, len(self._data) - _TAIL)
        return stop

    def _go_on(self, state: Callable[[], bool]) -> bool:
        """To the next state, unless all that was fed is read: then nobody knows whether this one goes on."""
        if self._at == len(self._data):
            return False
        self._state = state
        return True
