"""JavaScript in tokens, and without what is only for those who read it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

_CODE = r"""
    (?P<blank> (?: \s | //[^\n]* | /\*.*?\*/ )+ )
  | (?P<string> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
  | (?P<word> [\w$\#@]+ )
"""
_AFTER_VALUE = re.compile(_CODE + r"| (?P<mark> . )", re.VERBOSE | re.DOTALL)
_AFTER_OPERATOR = re.compile(
    _CODE + r"| (?P<regex> / (?: \\. | \[(?:\\.|[^\]\\\n])*\] | [^/\\\[\n] )+ /[a-z]* ) | (?P<mark> . )",
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE = re.compile(r"(?: \\. | \$(?!\{) | [^`\\$] )* (?: ` | \$\{ )", re.VERBOSE | re.DOTALL)
#: After these words an expression begins, so that a slash begins a regular expression.
_OPERATOR = re.compile(r"await|case|delete|do|else|in|instanceof|new|of|return|throw|typeof|void|yield")
#: Marks that touch nothing else, even when they stand close. (``+`` and ``-`` do, and so does a slash.)
_APART = frozenset("{}()[],;:?=&|<>*!~^")
#: Marks after which no statement can end, and before which the end of the line ends none.
_GOES_ON_AFTER = _APART - {"}", ")", "]"}
_GOES_ON_BEFORE = frozenset("}]),;?:=&|")


class Token(NamedTuple):
    kind: str  #: ``blank`` (comments too), ``string``, ``word``, ``regex``, ``template`` or ``mark`` (one character)
    text: str


def tokens(source: str) -> Iterator[Token]:
    """All of the source. A template comes in pieces: up to an expression in it, and from there on.

    A slash after ``)`` or ``}`` is taken for a division. Raises ValueError for a template without an end.
    """
    braces: list[int] = []  # of each template that has been left for an expression: those open in it
    previous, at = "", 0
    while at < len(source):
        pattern = _AFTER_VALUE if _is_value(previous) else _AFTER_OPERATOR
        match = cast("re.Match[str]", pattern.match(source, at))  # since a mark is anything
        kind, text = match.lastgroup or "", match[0]
        if text == "{" and braces:
            braces[-1] += 1
        elif text == "}" and braces:
            braces[-1] -= 1
        if text == "`" or (braces and braces[-1] < 0):
            kind, text = "template", _template(source, at, braces)
        at += len(text)
        if kind != "blank":
            previous = text
        yield Token(kind, text)


def _is_value(previous: str) -> bool:
    last = previous[-1:]
    return not _OPERATOR.fullmatch(previous) and (last.isalnum() or last in tuple("_$)]}\"'`/"))


def _template(source: str, at: int, braces: list[int]) -> str:
    """A template from its beginning, or from the end of an expression in it, up to its end or the next expression."""
    if source[at] == "}":
        braces.pop()
    match = _TEMPLATE.match(source, at + 1)
    if match is None:
        raise ValueError("a template does not end")
    if match[0].endswith("{"):
        braces.append(0)
    return source[at] + match[0]


def compact(code: Iterable[Token]) -> str:
    """The code without comments, indentation and spaces that mean nothing, and with short private names, which nothing
    outside of a class can know. Strings, templates and regular expressions stay as they are, and so do the ends of
    lines that may end a statement."""
    out: list[str] = []
    private: dict[str, str] = {}
    before, blank = "", ""
    for kind, text in code:
        if kind == "blank":
            blank += text
            continue
        short = private.setdefault(text, _short(len(private))) if text[0] == "#" else text
        out += [_between(before, text, blank), short]
        before, blank = text, ""
    return "".join(out)


def _between(before: str, after: str, blank: str) -> str:
    """What must stay of a blank."""
    if not blank or not before:
        return ""
    if "\n" in blank:
        return "" if before in _GOES_ON_AFTER or after in _GOES_ON_BEFORE else "\n"
    return "" if before in _APART or after in _APART else " "


def _short(number: int) -> str:
    """``#a`` to ``#z``, then ``#a1`` and so on."""
    return f"#{chr(ord('a') + number % 26)}{number // 26 or ''}"
