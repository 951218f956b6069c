"""Starts the replay server (replay_server.py) in a process of its own and talks to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from replay_server import HOSTS

TESTS = Path(__file__).parent


class Replay:
    """A running server. env: what points the real clients to it; nothing in them is changed."""

    def __init__(self, port: int, authority: Path) -> None:
        self.address = f"http://127.0.0.1:{port}"
        names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
        trust = ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        self.env = dict.fromkeys(names, self.address) | dict.fromkeys(trust, str(authority))
        self.env |= {"NO_PROXY": "", "no_proxy": ""}

    def serve(self, folder: Path, **script: list[str]) -> None:
        """Answer from this folder, with these faults, and forget what was asked."""
        self._control(folder=str(folder), script=script, clear=True)

    def go_wrong(self, script: dict[str, list[str]]) -> None:
        """Other faults from now on."""
        self._control(script=script)

    def log(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """Every request since the last `serve`."""
        log: list[dict[str, Any]] = self._control(clear=clear)["log"]
        return log

    def _control(self, **given: Any) -> Any:
        request = urllib.request.Request(f"{self.address}/control", json.dumps(given).encode(), method="POST")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return json.loads(answer.read())


@contextmanager
def replaying(scratch: Path) -> Iterator[Replay]:
    """A server for as long as it is needed; a skip where there is no openssl to make its certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: the replay server cannot make its certificate")
    authority, certificate, key = make_certificate(scratch)
    server = subprocess.Popen(
        [sys.executable, str(TESTS / "replay_server.py"), str(certificate), str(key)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield Replay(int(server.stdout.readline()), authority)
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait(timeout=10)


def make_certificate(folder: Path) -> tuple[Path, Path, Path]:
    """A throw-away authority, and a certificate of it for all hosts of the replay: (authority, certificate, key)."""
    authority, certificate, key, request, extensions = (
        folder / name for name in ("authority.pem", "leaf.pem", "leaf.key", "leaf.csr", "leaf.ext")
    )
    extensions.write_text(
        f"subjectAltName={','.join(f'DNS:{host}' for host in HOSTS)}\n"
        "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
        encoding="utf-8",
        newline="\n",
    )
    own = folder / "authority.key"
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=replay", "-keyout", own,
             "-out", authority, "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={HOSTS[0]}", "-keyout", key, "-out", request)
    _openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", own, "-CAcreateserial", "-days", "3",
             "-extfile", extensions, "-out", certificate)  # fmt: skip
    return authority, certificate, key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
