"""What the local storage answers to a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

TEXT = ("Content-Type", "text/plain; charset=UTF-8")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body, which has a ``close`` where it must be closed."""

    status: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: Iterable[bytes] = ()


class Refusal(Exception):
    """The answer is no more than a status."""

    def __init__(self, status: int, reason: str = "", headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(status)
        line = f"{status} {reason or HTTPStatus(status).phrase}"
        body = f"{line}\n".encode()
        self.answer = Answer(line, [TEXT, ("Content-Length", str(len(body))), *headers], [body])


def unauthorized() -> Refusal:
    return Refusal(401, headers=[("WWW-Authenticate", 'TempURL realm="direct-upload"')])
