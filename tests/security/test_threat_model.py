"""The table in ``docs/security.rst`` and the tests say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from security.mutate import MUTATIONS, PACKAGE

TESTS = Path(__file__).parents[1]
TABLE = (TESTS.parent / "docs" / "security.rst").read_text(encoding="utf-8").partition("What is left\n")[0]
NAMED = re.findall(r"``tests/([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)``", TABLE)
OF_OUR_OWN = {"test_without_sniff_the_claim_counts"}
"""What is no attack, but tells an option from its absence."""


def names_in(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_test_that_the_threat_model_names_exists() -> None:
    assert NAMED
    missing = [f"{module}::{name}" for module, name in NAMED if name not in names_in(TESTS / module)]
    assert missing == []


def test_every_attack_is_in_the_threat_model() -> None:
    attacks = {
        (f"security/{module.name}", name)
        for module in Path(__file__).parent.glob("test_*.py")
        if module != Path(__file__)
        for name in names_in(module)
        if not name.endswith("_configuration_error") and name not in OF_OUR_OWN
    }
    assert attacks - set(NAMED) == set()


def test_every_attack_has_one_row_and_one_test() -> None:
    rows = re.findall(r"^   \* - ", TABLE, re.MULTILINE)
    assert len(rows) - 1 == len(NAMED) == len(set(NAMED))


def test_every_attack_says_what_it_is() -> None:
    """A docstring says which defence a test notices the loss of; a file's title says who attacks."""
    for module in Path(__file__).parent.glob("test_*.py"):
        assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))), module


def test_every_line_that_a_mutation_changes_is_there_once() -> None:
    """Else ``make mutations`` proves nothing of it."""
    package = TESTS.parent / PACKAGE
    stale = [m for m in MUTATIONS if (package / m.module).read_text(encoding="utf-8").count(m.old) != 1]
    assert stale == []
