"""An application on Swift for a server to run. All that its processes share is what the environment says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from direct_upload_middleware import DirectUploadMiddleware, Upload

TOLD = Path(os.environ.get("TOLD", "not served"))


def page(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]


def record(environ: dict[str, Any], upload: Upload) -> dict[str, str]:
    """As an application does it in its database."""
    with TOLD.open("a") as file:
        file.write(f"{upload.id}\n")
    return {"seen": upload.id}


app = DirectUploadMiddleware(
    page,
    f"swift://{os.environ.get('CONTAINER', 'unserved')}",
    secret="a secret that they share",
    identify=lambda environ: "ann",
    on_complete=record,
    segment_size=10,
)
