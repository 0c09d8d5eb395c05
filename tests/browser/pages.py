"""The real server in a process of its own, and what a page object needs to wait for."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from storage import Home
from tests.conftest import ROOT

IDLE = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    const idle = app
        && app.getAttribute('data-test-connection-state') === 'CONNECTED'
        && app.getAttribute('data-test-script-state') === 'notRunning'
        && !document.querySelector('[data-testid=stSkeleton],[data-testid=stAppSkeleton]');
    if (!idle) { window.idleSince = null; return false; }
    window.idleSince ??= performance.now();
    return performance.now() - window.idleSince > 250;
}"""


@contextmanager
def serving(home: Home) -> Iterator[str]:
    """The address of a dashboard that serves `home` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "web/asgi.py", "--server.port", str(port)]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "THAW_HOME": str(home.root), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _until_up(address, server)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


def settle(page: Page, timeout_s: float = 30) -> None:
    """Wait until the page has been drawn and rests."""
    page.wait_for_function(IDLE, timeout=1000 * timeout_s, polling=50)


def open_form(page: Page) -> None:
    """The form for a new data set: open by itself only while there is none but Thaw's own."""
    if not page.locator(".drop").is_visible():
        page.get_by_text("Add a data set").click()
    expect(page.locator(".drop")).to_be_visible()


def _until_up(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        assert server.poll() is None, "the dashboard ended"
        assert time.monotonic() < deadline, "the dashboard does not come up"
        time.sleep(0.1)
