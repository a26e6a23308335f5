"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was looked at. ``check`` is a stable name; ``detail`` says what was found, ``remedy`` how to mend
    it."""

    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def ok(check: str, detail: str) -> Result:
    return Result(check, "ok", detail)


def warning(check: str, detail: str, remedy: str) -> Result:
    return Result(check, "warning", detail, remedy)


def failure(check: str, detail: str, remedy: str) -> Result:
    return Result(check, "failure", detail, remedy)


def judge(check: str, good: bool, detail: str, bad: str, remedy: str) -> Result:
    """``ok`` with one sentence, or ``failure`` with the other."""
    return ok(check, detail) if good else failure(check, bad, remedy)
