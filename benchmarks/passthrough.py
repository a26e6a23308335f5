"""What it costs a response that is not ours to pass through: this middleware against WhiteNoise, around the same app.

    python benchmarks/passthrough.py

Both wrap the same application, which answers JSON. They take turns, so that a noisy machine is noisy for both, and the
best and the median round of each is printed, less the bare application's.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

from whitenoise import WhiteNoise
from wsgiref.util import setup_testing_defaults

from direct_upload_middleware import DirectUploadMiddleware

ROUNDS = 60
CALLS = 5_000


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
    return bytes


def one_round(app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> float:
    """Microseconds of CPU for a call."""
    begin = time.process_time()
    for _ in range(CALLS):
        for _ in app(dict(environ), start_response):
            pass
    return (time.process_time() - begin) / CALLS * 1e6


def main() -> None:
    environ: dict[str, Any] = {"PATH_INFO": "/api/things", "HTTP_HOST": "app.example.com"}
    setup_testing_defaults(environ)
    with tempfile.TemporaryDirectory() as directory:
        apps = {
            "bare": application,
            "whitenoise": WhiteNoise(application, root=directory),
            "ours": DirectUploadMiddleware(application, f"local:{directory}"),
        }
        times: dict[str, list[float]] = {name: [] for name in apps}
        for _ in range(ROUNDS):
            for name, app in apps.items():
                times[name].append(one_round(app, environ))
    cost = {}
    for name, values in times.items():
        best, median = min(values), statistics.median(values)
        print(f"{name:<12} best {best:6.2f} µs   median {median:6.2f} µs a call")
        cost[name] = (best - min(times["bare"]), median - statistics.median(times["bare"]))
    ratios = [ours / theirs for ours, theirs in zip(cost["ours"], cost["whitenoise"], strict=True)]
    print(f"ours / whitenoise, less the bare app: best {ratios[0]:.2f}, median {ratios[1]:.2f}")
    sys.exit(min(ratios) > 1)


if __name__ == "__main__":
    main()
