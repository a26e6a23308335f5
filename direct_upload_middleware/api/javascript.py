"""What of a JavaScript module is only for those who read it is taken out before it is served. Pure."""

from __future__ import annotations

import re
from typing import cast

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
_IMPORT = re.compile(r'^(?:im|ex)port\b[^;("]*"\./([\w-]+\.js)"', re.MULTILINE)
_LAZY_IMPORT = re.compile(r'\bimport\("\./([\w-]+\.js)"\)')


def strip_comments(source: str) -> str:
    """The module without its comments and indentation. Strings, templates and regular expressions stay as they are,
    and so do the ends of lines, which may end a statement.

    A slash after ``)`` or ``}`` is taken for a division.
    """
    out: list[str] = []
    braces: list[int] = []  # of each template that has been left for an expression: those open in it
    previous, at = "", 0
    while at < len(source):
        pattern = _AFTER_VALUE if _is_value(previous) else _AFTER_OPERATOR
        match = cast("re.Match[str]", pattern.match(source, at))  # since a mark is anything
        text, at = match[0], match.end()
        if match["blank"]:
            out.append("\n" if "\n" in text else " ")
            continue
        if text == "{" and braces:
            braces[-1] += 1
        elif text == "}" and braces:
            braces[-1] -= 1
        if text == "`" or (braces and braces[-1] < 0):
            text, at = _with_template(source, at, text, braces)
        out.append(text)
        previous = text
    return "".join(out).strip() + "\n"


def _is_value(previous: str) -> bool:
    last = previous[-1:]
    return not _OPERATOR.fullmatch(previous) and (last.isalnum() or last in tuple("_$)]}\"'`/"))


def _with_template(source: str, at: int, mark: str, braces: list[int]) -> tuple[str, int]:
    """The text of a template from its beginning, or from the end of an expression in it, up to its end or the next
    expression."""
    if mark == "}":
        braces.pop()
    match = _TEMPLATE.match(source, at)
    if match is None:
        raise ValueError("a template does not end")
    if match[0].endswith("{"):
        braces.append(0)
    return mark + match[0], match.end()


def lazily_imported(source: str) -> set[str]:
    """The neighbours that a module imports when it needs them."""
    return set(_LAZY_IMPORT.findall(source))


def needed_at_once(name: str, modules: dict[str, str]) -> list[str]:
    """All that a module imports, directly or not, in the order in which it is found."""
    needed = {name: None}
    for each in (waiting := [name]):
        found = [other for other in _IMPORT.findall(modules[each]) if other not in needed]
        needed |= dict.fromkeys(found)
        waiting += found
    return list(needed)[1:]
