"""What it costs a response that is not ours to pass through: this middleware against WhiteNoise, around the same app.

    python benchmarks/passthrough.py

Both wrap the same application, which answers JSON: once a function that does nothing else, whose microsecond is all
overhead, and once the smallest one with WebOb, as an application would be. They take turns, so that a noisy machine is
noisy for both.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

from webob import Request, Response
from webob.dec import wsgify
from whitenoise import WhiteNoise

from direct_upload_middleware import DirectUploadMiddleware

ROUNDS = 40
CALLS = 4_000


def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


@wsgify
def smallest(request: Request) -> Response:
    return Response(json={"path": request.path_info})


def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
    return bytes


def one_round(app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> float:
    """Microseconds of CPU for a call."""
    begin = time.process_time()
    for _ in range(CALLS):
        for _ in app(dict(environ), start_response):
            pass
    return (time.process_time() - begin) / CALLS * 1e6


def compare(name: str, application: Any, directory: str) -> None:
    environ: dict[str, Any] = {"PATH_INFO": "/api/things", "HTTP_HOST": "app.example.com"}
    setup_testing_defaults(environ)
    apps = {
        "bare": application,
        "WhiteNoise": WhiteNoise(application, root=directory),
        "ours": DirectUploadMiddleware(application, f"local:{directory}"),
    }
    times: dict[str, list[float]] = {wrapped: [] for wrapped in apps}
    for _ in range(ROUNDS):
        for wrapped, app in apps.items():
            times[wrapped].append(one_round(app, environ))
    print(f"{name}:")
    for wrapped, values in times.items():
        print(f"  {wrapped:<12} best {min(values):6.2f} µs   median {statistics.median(values):6.2f} µs a call")
    ratio = statistics.median(ours / theirs for ours, theirs in zip(times["ours"], times["WhiteNoise"], strict=True))
    print(f"  ours / WhiteNoise: {ratio:.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        compare("a function that does nothing", nothing, directory)
        compare("the smallest WebOb application", smallest, directory)


if __name__ == "__main__":
    main()
