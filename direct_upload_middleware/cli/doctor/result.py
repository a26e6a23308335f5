"""The result of one check of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check.

    ``check`` is a stable name, ``detail`` says what was found, and ``remedy`` says how to fix it.
    """

    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def ok(check: str, detail: str) -> Result:
    """Return the result of a check that passed."""
    return Result(check, "ok", detail)


def warning(check: str, detail: str, remedy: str) -> Result:
    """Return the result of a check that found something to consider."""
    return Result(check, "warning", detail, remedy)


def failure(check: str, detail: str, remedy: str) -> Result:
    """Return the result of a check that failed."""
    return Result(check, "failure", detail, remedy)


def judge(check: str, passed: bool, detail: str, problem: str, remedy: str) -> Result:
    """Return ``ok`` with ``detail``, or ``failure`` with ``problem`` and ``remedy``."""
    return ok(check, detail) if passed else failure(check, problem, remedy)
