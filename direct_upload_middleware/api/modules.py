"""Joins modules into few files, so that few requests bring them. Pure.

Every module is in one file, where it shares the top-level scope with the others: so their names must differ. The file
exports all that its modules export, so that other files, and pages, find it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .javascript import compact, tokens

_START = r"(?:^|(?<=[;}\n]))"
_NEIGHBOUR = r'"\./(?P<neighbour>[\w-]+\.js)"'
_STATEMENT = re.compile(
    _START
    + rf"""(?:
      import \s? (?: {{ (?P<imported>[\w$,]+) }} from \s )? {_NEIGHBOUR} ;?
    | export \s? {{ (?P<listed>[\w$,]+) }} (?: from \s {_NEIGHBOUR.replace("neighbour", "origin")} )? ;?
    | export \s (?= (?:async\s)? (?:class|const|function|let) [\s*] (?P<declared>[\w$]+) )
    )""",
    re.VERBOSE,
)
_UNKNOWN = re.compile(_START + r"(?:import\b(?![(.])|export\b).{,40}")
_LAZY = re.compile(rf"\bimport\({_NEIGHBOUR}\)")
_WORKER = re.compile(rf"\bnew URL\({_NEIGHBOUR},")


@dataclass(slots=True)
class Module:
    """One module, taken to pieces."""

    code: str = ""  #: compact, without imports, and without the word ``export``
    needs: dict[str, list[str]] = field(default_factory=dict)  #: neighbour → names that are imported from it
    exports: list[str] = field(default_factory=list)

    @property
    def lazily(self) -> list[str]:
        """The neighbours that it imports when it needs them."""
        return _LAZY.findall(self.code)

    @property
    def workers(self) -> list[str]:
        """The neighbours that run in a realm of their own, with modules of their own."""
        return _WORKER.findall(self.code)


def parse(source: str) -> Module:
    """Raises ValueError for what cannot be joined: names that are changed on their way, defaults, other addresses."""
    module = Module()

    def take(statement: re.Match[str]) -> str:
        neighbour = statement["neighbour"] or statement["origin"]
        names = [name for name in (statement["imported"] or statement["listed"] or "").split(",") if name]
        if neighbour:
            module.needs.setdefault(neighbour, []).extend(names)
        if statement["listed"] or statement["declared"]:
            module.exports += names or [statement["declared"]]
        return ""

    module.code = _STATEMENT.sub(take, compact(tokens(source))).strip()
    if unknown := _UNKNOWN.search(module.code):
        raise ValueError(f"this cannot be joined: {unknown[0]}")
    return module


class Files:
    """Which modules are in which file. A file has the name of its first root.

    :param modules: by name; each must be served, so all are in one file at least.
    :param together: roots of files that are wanted at once. Each takes along what it needs and no earlier file has.
    """

    def __init__(self, modules: Mapping[str, Module], together: Iterable[list[str]]) -> None:
        self._modules = modules
        self.contents: dict[str, list[str]] = {}
        self._home: dict[str, str] = {}  # module → file; of what workers have as well, that of the page's
        for worker in sorted({name for module in modules.values() for name in module.workers}):
            self.contents[worker] = self._with_needs([worker])
            self._home[worker] = worker
        for roots in [*together, *self._alone()]:
            if roots[0] not in self._home:
                self.contents[roots[0]] = self._with_needs(roots)
                self._home.update(dict.fromkeys(self.contents[roots[0]], roots[0]))

    def _alone(self) -> Iterator[list[str]]:
        """First what is imported late, then what nobody imports, then what remains."""
        lazy = {name for module in self._modules.values() for name in module.lazily}
        needed = {name for module in self._modules.values() for name in module.needs}
        for name in sorted(self._modules, key=lambda name: (name not in lazy, name in needed, name)):
            yield [name]

    def _with_needs(self, roots: list[str]) -> list[str]:
        """Each after what it needs, as a browser runs them."""
        found: dict[str, None] = {}

        def visit(name: str, above: tuple[str, ...] = ()) -> None:
            if name in found or name in above or name in self._home:
                return
            for other in self._modules[name].needs:
                visit(other, (*above, name))
            found[name] = None

        for root in roots:
            visit(root)
        return list(found)

    def write(self, file: str, address: Callable[[str], str]) -> str:
        """The text of a file. `address` tells where another one is, as seen from there."""
        members = self.contents[file]
        taken: dict[str, dict[str, None]] = {}
        for need, names in ((n, names) for each in members for n, names in self._modules[each].needs.items()):
            if need not in members:
                taken.setdefault(self._home[need], {}).update(dict.fromkeys(names))
        imports = [f'import{{{",".join(names)}}}from "{address(other)}";' for other, names in taken.items()]
        code = [self._located(self._modules[each].code, address) for each in members]
        exports = dict.fromkeys(name for each in members for name in self._modules[each].exports)
        return "\n".join([*imports, *code, f"export{{{','.join(exports)}}};\n"])

    def forward(self, name: str) -> str | None:
        """The text at the address of a module that is in another's file; None when it is there itself."""
        file = self._home[name]
        return None if file == name else f'export{{{",".join(self._modules[name].exports)}}}from "./{file}";\n'

    def _located(self, code: str, address: Callable[[str], str]) -> str:
        def locate(match: re.Match[str]) -> str:
            name = match["neighbour"]
            return match[0].replace(f"./{name}", address(self._home[name]))

        return _WORKER.sub(locate, _LAZY.sub(locate, code))
