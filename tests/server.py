"""The dashboard as people run it: a real server process on a free port of the loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil

from storage import Home
from tests.conftest import ROOT


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    port: int
    process: psutil.Process

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers with lower-case names, body)."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(home: Home) -> Iterator[Server]:
    """Streamlit with our routes, without the launcher around it: its own pid is the server's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home.root / "dashboard.log"
    command = [sys.executable, "-m", "streamlit", "run", "web/asgi.py", "--server.port", str(port)]
    environment = {**os.environ, "THAW_HOME": str(home.root), "PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        started = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1", "--server.headless", "true"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", port, psutil.Process(started.pid))
    try:
        _wait_until_up(server, log)
        yield server
    finally:
        started.kill()
        started.wait()


def _wait_until_up(server: Server, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with suppress(OSError):
            if server.ask("GET", "/_stcore/health")[0] == 200:
                return
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
