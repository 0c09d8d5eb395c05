"""`python -m web.serve`: what `make run` does once everything is installed."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from engine import api
from storage import NewerDatabase, Run, RunState, Search, SearchState, Store
from web.guard import allowed_hosts

ROOT = Path(__file__).parent.parent
ADDRESS = "127.0.0.1"
PR_SET_PDEATHSIG = 1  # of Linux's prctl


def main() -> int:
    """Serve until Ctrl-C, then say what goes on. 1, with the reason in words, when there is nothing to serve."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a closed terminal, too, frees the port
        signal.signal(number, signal.default_int_handler)
    try:
        port = _free_port(os.environ.get("THAW_PORT", "8501"))
        store = api.open_store()
        api.ensure_supervisor(store.home)
    except (api.Unavailable, NewerDatabase) as error:
        print(error)
        return 1
    except OSError as error:
        print(f"Thaw cannot work in its home: {error}. Choose a folder of yours: THAW_HOME=/path make run")
        return 1
    code = _serve(_start(port, store), port, store)
    _print_what_goes_on(store)
    return code


def _free_port(text: str) -> int:
    """
    Raises:
        engine.Unavailable: It is no port, or someone listens there.
    """
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise api.Unavailable(f"THAW_PORT = {text}: must be a whole number from 1 to 65535.")
    if _listens(int(text)):
        raise api.Unavailable(
            f"Port {text} is taken. Is Thaw open already at http://{ADDRESS}:{text} ? Else: THAW_PORT=8502 make run"
        )
    return int(text)


def _start(port: int, store: Store) -> subprocess.Popen[bytes]:
    # `streamlit run` on the file, not App.run(): only so is .streamlit/config.toml beside it read.
    command = [sys.executable, "-m", "streamlit", "run", "web/asgi.py", "--server.port", str(port)]
    command += ["--server.address", ADDRESS, "--server.headless", "true"]
    for host in sorted(allowed_hosts()):  # Streamlit asks again, for its WebSocket alone
        command += ["--server.allowedHosts", host.strip("[]")]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "THAW_HOME": str(store.home.root)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is ours to pass on
        preexec_fn=_end_with_launcher if sys.platform == "linux" else None,
    )


def _end_with_launcher() -> None:
    """Called in the dashboard's process: a launcher killed with -9 must not leave it behind on the port."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _serve(dashboard: subprocess.Popen[bytes], port: int, store: Store) -> int:
    """The dashboard's end: by Ctrl-C or SIGTERM 0, else its own exit code."""
    try:
        while not _listens(port) and dashboard.poll() is None:
            time.sleep(0.05)
        if dashboard.poll() is None:
            print(f"\n  Thaw is at  http://{ADDRESS}:{port}   (home: {store.home.root})")
            print("  Ctrl-C closes the dashboard.\n", flush=True)
        return dashboard.wait()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second one
        dashboard.terminate()
        try:
            dashboard.wait(10)
        except subprocess.TimeoutExpired:
            dashboard.kill()
        return 0


def _print_what_goes_on(store: Store) -> None:
    runs = store.runs.list(states=[state for state in RunState if not state.is_over], alone=True)
    searches = store.searches.list(states=[state for state in SearchState if not state.is_at_rest])
    going_on: list[Run | Search] = [*runs, *searches]
    if going_on:
        print("\nThe dashboard is closed. These runs and searches go on training (`make stop` ends all):")
        for one in going_on:
            print(f"  {one.id}  {one.state:<9} {one.name}")
    else:
        print("\nThe dashboard is closed. Nothing trains.")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ADDRESS, port)) == 0


if __name__ == "__main__":
    sys.exit(main())
