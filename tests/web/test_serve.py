"""`make run`'s own process: it prints the address, and on Ctrl-C says what goes on."""

import os
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from engine import api
from storage import RunState, Store
from tests.cli import LONG, until, until_state
from tests.conftest import ROOT, processes_of


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve(port: int, output: Path, **variables: str) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "web.serve"],
            cwd=ROOT,
            env={**os.environ, "THAW_PORT": str(port), **variables},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def answers(port: int) -> bool:
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except OSError:
        return False


def websocket(port: int, host: str) -> int:
    """The status of asking for the page's own connection under a name."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {"Host": host, "Origin": f"http://{host}", "Connection": "Upgrade", "Upgrade": "websocket"}
    secret = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    connection.request("GET", "/_stcore/stream", headers=headers | secret)
    return connection.getresponse().status


def test_ctrl_c_closes_the_dashboard_and_names_what_goes_on(store: Store, tmp_path: Path) -> None:
    port, output = free_port(), tmp_path / "output"
    serving = serve(port, output)
    until(lambda: answers(port), why=output.read_text)
    assert f"http://127.0.0.1:{port}" in output.read_text()
    assert api.engine_alive(store)
    run = api.start_run(store, api.RunSpec.parse(LONG | {"name": "goes on"}))
    until_state(store, run.id, RunState.RUNNING)
    serving.send_signal(signal.SIGINT)
    assert serving.wait(20) == 0
    text = output.read_text()
    assert "go on training" in text
    assert f"{run.id}  running" in text
    assert not answers(port)
    assert store.runs.get(run.id).state is RunState.RUNNING
    assert not [one for one in processes_of(store.home.root) if "streamlit" in one.cmdline()]


def test_a_launcher_killed_outright_leaves_no_dashboard(store: Store, tmp_path: Path) -> None:
    port = free_port()
    serving = serve(port, tmp_path / "output")
    until(lambda: answers(port))
    serving.kill()
    serving.wait()
    until(lambda: not answers(port), within_s=15)
    assert api.engine_alive(store)  # training is not the dashboard's


def test_its_address_is_told_once_it_answers(store: Store, tmp_path: Path) -> None:
    port, output = free_port(), tmp_path / "output"
    serving = serve(port, output, THAW_ALLOWED_HOSTS="thaw.lab, [::1]")
    until(lambda: "Thaw is at" in output.read_text(), why=output.read_text)
    assert answers(port)
    for host, status in (("thaw.lab", 101), ("[::1]:8501", 101), (f"LOCALHOST:{port}", 101), ("evil.example", 403)):
        assert websocket(port, host) == status, host
    serving.terminate()
    assert serving.wait(20) == 0


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"THAW_PORT": "https"}, "THAW_PORT = https: must be a whole number from 1 to 65535."),
        ({"THAW_PORT": "70000"}, "THAW_PORT = 70000: must be a whole number from 1 to 65535."),
        ({"THAW_HOME": "/proc/thaw"}, "Choose a folder of yours: THAW_HOME="),
    ],
    ids=str,
)
def test_what_keeps_it_from_serving_is_told_in_words(tmp_path: Path, variables: dict[str, str], words: str) -> None:
    output = tmp_path / "output"
    assert serve(free_port(), output, **variables).wait(30) == 1
    assert words in output.read_text()
    assert "Traceback" not in output.read_text()


def test_a_taken_port_is_named_with_the_way_out(store: Store, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve(port, tmp_path / "output").wait(30) == 1
    assert f"Port {port} is taken" in (tmp_path / "output").read_text()
    assert "THAW_PORT=" in (tmp_path / "output").read_text()
