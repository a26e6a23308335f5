"""nginx in front of a server, with TLS and a cache that keeps whatever it may, configured as the documentation says."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
import trustme

from direct_upload_middleware.testing.private_swift.machine import reserved_ports

DOCUMENT = Path(__file__).parents[3] / "docs" / "servers.rst"
NGINX_BLOCK = re.compile(r"^\.\. code:: nginx\n\n((?: {4}.*\n|\n)+)", re.MULTILINE)
TIMEOUT = 20
CONFIGURATION = """
daemon off;
user root;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    uwsgi_temp_path {directory}/uwsgi;
    fastcgi_temp_path {directory}/fastcgi;
    scgi_temp_path {directory}/scgi;
    proxy_cache_path {directory}/cache keys_zone=all:1m;
    uwsgi_cache_path {directory}/cache_uwsgi keys_zone=all_uwsgi:1m;
    proxy_cache all;
    proxy_cache_valid any 10m;
    uwsgi_cache all_uwsgi;
    uwsgi_cache_key $request_uri;
    uwsgi_cache_valid any 10m;
    add_header X-Cache $upstream_cache_status always;
    gzip on;
    gzip_types *;
    server {{
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {directory}/certificate.pem;
        ssl_certificate_key {directory}/certificate.pem;
        {locations}
    }}
}}
"""


def documented(word: str) -> str:
    """The one example in the documentation that has this word."""
    blocks = [dedent(block) for block in NGINX_BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))]
    [found] = [block for block in blocks if word in block]
    return found


@contextmanager
def nginx(locations: str, directory: Path) -> Iterator[int]:
    """Runs nginx with these locations, and gives its port. ``authority.pem`` in the directory is whom to trust."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.fail("nginx is needed: 'make test' installs it")
    _certify(directory)
    with reserved_ports({"nginx": None}) as ports:
        configuration = directory / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(directory=directory, port=ports["nginx"], locations=locations))
        with subprocess.Popen(
            [program, "-p", str(directory), "-c", str(configuration), "-e", str(directory / "error.log")]
        ) as process:
            try:
                _await(process, ports["nginx"], directory / "error.log")
                yield ports["nginx"]
            finally:
                process.send_signal(signal.SIGTERM)


def _certify(directory: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(directory / "certificate.pem"))


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"nginx did not start:\n{log.read_text() if log.exists() else ''}")
