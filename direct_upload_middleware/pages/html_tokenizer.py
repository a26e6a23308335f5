"""Read the tags of an HTML page that arrives in pieces.

This implements the tokenizer of the HTML standard (https://html.spec.whatwg.org/multipage/parsing.html#tokenization)
as far as tags need it: text that looks like a tag inside a comment, an attribute or a script is not a tag. The reader
works on bytes in any ASCII-compatible charset, keeps a bounded number of them, and jumps from ``<`` to ``<`` with
compiled expressions. Which elements contain raw text, and where ``<![CDATA[`` starts a section, depends on the tree
that a parser would build. The caller tracks that part of the tree and tells the reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

#: Elements that contain raw text up to their end tag. ``noscript`` is one of them where scripts are enabled.
RAW_TEXT: Final = frozenset(b"script style textarea title xmp iframe noembed noframes noscript plaintext".split())

_MAX_NAME = 256  # bytes kept of the name of a tag or attribute; relevant names are much shorter
_MAX_VALUE = 4096  # bytes kept of the value of an attribute
_TAIL = 16  # bytes that can contain the beginning of any end marker, such as ``</textarea`` without its ``>``

_SPACE = rb"\t\n\f\r "
_ATTRIBUTE = (  # with its complete value; an attribute with an incomplete value does not match
    rb"[^" + _SPACE + rb"/>][^" + _SPACE + rb"/>=]*+"
    rb"(?:[" + _SPACE + rb"]*+=[" + _SPACE + rb"]*+"
    rb"(?:\"[^\"]*+\"|'[^']*+'|(?=>)|[^" + _SPACE + rb">\"'][^" + _SPACE + rb">]*+)"
    rb"|(?![" + _SPACE + rb"]*+=))"
)
_ATTRIBUTES = rb"(?:[" + _SPACE + rb"/]*+" + _ATTRIBUTE + rb")*+"

_TEXT: Final = re.compile(rb"[^<]*+")
_TAG_OPEN: Final = re.compile(rb"<(/?)([A-Za-z][^" + _SPACE + rb"/>]*+)")
_COMPLETE_TAG: Final = re.compile(_TAG_OPEN.pattern + _ATTRIBUTES + rb"([" + _SPACE + rb"/]*+)>")
_SPACES: Final = re.compile(rb"[" + _SPACE + rb"]*+")
_BETWEEN: Final = re.compile(rb"[" + _SPACE + rb"/]*+")
_NAME: Final = re.compile(rb"[^" + _SPACE + rb"/>=]*+")
_UNQUOTED: Final = re.compile(rb"[^" + _SPACE + rb">]*+")
_QUOTED: Final = {b'"': re.compile(rb'[^"]*+'), b"'": re.compile(rb"[^']*+")}

_COMMENT_END: Final = re.compile(rb"--!?>")
_BOGUS_END: Final = re.compile(rb">")
_CDATA: Final = b"<![CDATA["
_CDATA_END: Final = re.compile(rb"\]\]>")
_INCOMPLETE: Final = frozenset({b"<", b"</", b"<!-"} | {_CDATA[:length] for length in range(2, len(_CDATA))})
_RAW_END: Final = {name: re.compile(rb"(?i:</" + name + rb")(?=[" + _SPACE + rb"/>])") for name in RAW_TEXT}

# In a comment of script data, ``<script`` makes the next ``</script`` part of the script.
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
    """A start tag or an end tag."""

    name: bytes  #: in lower case
    start: int  #: position of its ``<`` in the page
    is_end: bool  #: an end tag; returned as soon as its name is complete, and without attributes
    attributes: dict[bytes, bytes]  #: names in lower case, values as written
    is_self_closing: bool = False


def compile_text_and_other_tags(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """Return an expression that matches text and complete tags with names other than these."""
    initials = rb"".join(sorted({name[:1] + name[:1].upper() for name in names}))  # decides for most tags
    special = rb"(?=[" + initials + rb"])(?i:" + rb"|".join(sorted(names)) + rb")[" + _SPACE + rb"/>]"
    tag = rb"</?+(?!" + special + rb")[A-Za-z][^" + _SPACE + rb"/>]*+" + _ATTRIBUTES + rb"[" + _SPACE + rb"/]*+>"
    return re.compile(rb"(?:[^<]++|" + tag + rb")*+")


def compile_text_and_self_closing_tags(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """Return an expression that matches text and complete self-closing start tags with these names."""
    tag = (
        rb"<(?i:" + rb"|".join(sorted(names)) + rb")(?=[" + _SPACE + rb"/])" + _ATTRIBUTES + rb"[" + _SPACE + rb"]*+/>"
    )
    return re.compile(rb"(?:[^<]++|" + tag + rb")*+")


class TagReader:
    """A reader that is fed a page in pieces, and returns the tags of each piece one by one.

    :param keep: names of the attributes to keep.

    Set ``skip`` to an expression for everything that can be skipped, or to None to read every tag. Set ``allows_cdata``
    to whether ``<![CDATA[`` starts a CDATA section at the current position, or to None when that is unknown: then the
    reader stops there, and ``has_failed`` becomes True.
    """

    def __init__(self, keep: frozenset[bytes]) -> None:
        self._keep = keep
        self.skip: re.Pattern[bytes] | None = None
        self.allows_cdata: bool | None = False
        self.has_failed = False
        self._data = b""
        self._position = 0
        self._passed = 0  # bytes of the page before _data
        self._state: Callable[[], bool] = self._text
        self._tag: Tag | None = None  # the start tag whose attributes are being read
        self._found: Tag | None = None

    def feed(self, data: bytes) -> None:
        """Append the next piece of the page."""
        self._passed += self._position
        self._data = self._data[self._position :] + data
        self._position = 0

    def next(self) -> Tag | None:
        """Return the next tag, or None when more of the page is needed."""
        self._found = None
        while self._found is None and not self.has_failed and self._state():
            pass
        return self._found

    def read_raw_text(self, name: bytes) -> None:
        """Read the raw text of the element whose start tag ``next`` has just returned."""
        if name == b"script":
            self._stop, self._state = _SCRIPT, self._script
        elif name == b"plaintext":
            self._state = self._plaintext
        else:
            self._stop, self._state = _RAW_END[name], self._raw_text

    @property
    def incomplete_tag(self) -> bytes:
        """The last bytes, if they may be the beginning of a tag."""
        return self._data[self._position :] if self._state == self._text else b""

    @property
    def is_in_text(self) -> bool:
        """True if a tag after these bytes would be read as a tag."""
        return self._state == self._text and self._position == len(self._data) and not self.has_failed

    # Each method below is a state of the tokenizer, and returns whether the data may contain more to read.

    def _text(self) -> bool:
        self._run(self.skip or _TEXT)
        if self._position == len(self._data):
            return False
        ahead = self._data[self._position : self._position + len(_CDATA)]
        if ahead in _INCOMPLETE:
            return False
        tag = _TAG_OPEN.match(self._data, self._position)
        return (self._complete_tag() or self._tag_open(tag)) if tag else self._markup_or_text(ahead)

    def _complete_tag(self) -> bool:
        """Read a complete tag without relevant attributes at once, because most tags are like that."""
        tag = _COMPLETE_TAG.match(self._data, self._position)
        if tag is None or any(name in tag[0].lower() for name in self._keep):
            return False
        start, self._position = self._passed + self._position, tag.end()
        self._found = Tag(tag[2].lower(), start, bool(tag[1]), {}, is_self_closing=tag[3].endswith(b"/"))
        return True

    def _tag_open(self, tag: re.Match[bytes]) -> bool:
        if tag.end() == len(self._data):
            self.has_failed = tag.end() - tag.start() > _MAX_NAME
            return False
        opened = Tag(tag[2].lower(), self._passed + tag.start(), bool(tag[1]), {})
        self._tag, self._found = (None, opened) if opened.is_end else (opened, None)
        self._position, self._state = tag.end(), self._between_attributes
        self._slash = False
        return True

    def _markup_or_text(self, ahead: bytes) -> bool:
        if ahead.startswith(b"<!--"):
            self._position += 4
            self._state = self._comment_start
        elif ahead == _CDATA and self.allows_cdata is not False:
            self.has_failed = self.allows_cdata is None
            self._stop, self._state = _CDATA_END, self._until_stop
        elif ahead[1:2] in b"!?/":  # a doctype ends at the first ``>`` as well, even inside quotes
            self._position += 2
            self._stop, self._state = _BOGUS_END, self._until_stop
        else:
            self._position += 1
        return True

    def _comment_start(self) -> bool:
        ahead = self._data[self._position : self._position + 2]
        if ahead in (b"", b"-"):
            return False
        if ahead == b"->" or ahead[:1] == b">":
            self._position += ahead.index(b">") + 1
            self._state = self._text
        else:
            self._stop, self._state = _COMMENT_END, self._until_stop
        return True

    def _until_stop(self) -> bool:
        stop = self._search_stop()
        if stop:
            self._position, self._state = stop.end(), self._text
        return stop is not None

    def _raw_text(self) -> bool:
        stop = self._search_stop()
        if stop:
            self._position, self._state = stop.start(), self._text
        return stop is not None

    def _script(self) -> bool:
        stop = self._search_stop()
        if stop is None:
            return False
        step = _SCRIPT_STEPS.get((self._stop, stop[0].lower()))
        if step is None:
            self._position, self._state = stop.start(), self._text
        else:  # the dashes of ``<!--`` may be part of ``-->``
            self._position = stop.start() + 2 if step is _ESCAPED and self._stop is _SCRIPT else stop.end()
            self._stop = step
        return True

    def _plaintext(self) -> bool:
        self._position = len(self._data)
        return False

    def _between_attributes(self) -> bool:
        between = self._run(_BETWEEN)
        if between:
            self._slash = between.endswith(b"/")
        if self._position == len(self._data):
            return False
        if self._data[self._position] == ord(">"):
            self._position += 1
            self._state = self._text
            self._found = self._tag and self._tag._replace(is_self_closing=self._slash)
        else:  # here ``=`` is the first character of a name
            self._name, self._state = self._data[self._position : self._position + 1], self._attribute_name
            self._position += 1
            self._slash = False
        return True

    def _attribute_name(self) -> bool:
        self._name = (self._name + self._run(_NAME))[:_MAX_NAME]
        self._value = b""
        return self._continue_with(self._after_name)

    def _after_name(self) -> bool:
        self._run(_SPACES)
        if self._data[self._position : self._position + 1] != b"=":
            return self._continue_with(self._attribute_done)
        self._position += 1
        self._state = self._before_value
        return True

    def _before_value(self) -> bool:
        self._run(_SPACES)
        quote = self._data[self._position : self._position + 1]
        self._value_run = _QUOTED.get(quote, _UNQUOTED)
        if not self._continue_with(self._read_value):
            return False
        self._position += quote in _QUOTED
        return True

    def _read_value(self) -> bool:
        self._value = (self._value + self._run(self._value_run))[:_MAX_VALUE]
        if not self._continue_with(self._attribute_done):
            return False
        self._position += self._value_run is not _UNQUOTED  # the closing quote
        return True

    def _attribute_done(self) -> bool:
        name = self._name.lower()
        if self._tag and name in self._keep:
            self._tag.attributes.setdefault(name, self._value)
        self._state = self._between_attributes
        return True

    def _run(self, pattern: re.Pattern[bytes]) -> bytes:
        start = self._position
        match = pattern.match(self._data, start)
        self._position = match.end() if match else start
        return self._data[start : self._position]

    def _search_stop(self) -> re.Match[bytes] | None:
        stop = self._stop.search(self._data, self._position)
        if stop is None:
            self._position = max(self._position, len(self._data) - _TAIL)
        return stop

    def _continue_with(self, state: Callable[[], bool]) -> bool:
        """Change to the next state, unless the data ends here: then the current state may continue."""
        if self._position == len(self._data):
            return False
        self._state = state
        return True
