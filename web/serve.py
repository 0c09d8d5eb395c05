"""`python -m web.serve`: what `make run` does once everything is installed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import engine
from storage import RunState

ROOT = Path(__file__).parent.parent
ADDRESS = "127.0.0.1"


def main() -> int:
    """Serve until Ctrl-C, then say what goes on. 1 when the port is taken or the engine does not start."""
    port = int(os.environ.get("THAW_PORT", "8501"))
    if _taken(port):
        print(f"Port {port} is taken. Is Thaw open already at http://{ADDRESS}:{port} ? Else: THAW_PORT=8502 make run")
        return 1
    store = engine.open_store()
    try:
        engine.ensure_supervisor(store.home)
    except engine.Unavailable as error:
        print(error)
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal ends the dashboard too, and frees its port
        signal.signal(number, signal.default_int_handler)
    # `streamlit run` on the file, not App.run(): only so is .streamlit/config.toml beside it read.
    command = [sys.executable, "-m", "streamlit", "run", "web/asgi.py", "--server.port", str(port)]
    command += ["--server.address", ADDRESS, "--server.headless", "true"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "THAW_HOME": str(store.home.root)}
    dashboard = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    print(
        f"\n  Thaw is at  http://{ADDRESS}:{port}   (home: {store.home.root})\n  Ctrl-C closes the dashboard.\n",
        flush=True,
    )
    code = _wait(dashboard)
    going_on = store.runs.list(states=[state for state in RunState if not state.is_over])
    if going_on:
        print("\nThe dashboard is closed. These runs go on training (`make stop` ends all):")
        for run in going_on:
            print(f"  {run.id}  {run.state:<9} {run.name}")
    else:
        print("\nThe dashboard is closed. Nothing trains.")
    return code


def _wait(dashboard: subprocess.Popen[bytes]) -> int:
    """The dashboard's end: by Ctrl-C or SIGTERM 0, else its own exit code."""
    try:
        return dashboard.wait()
    except KeyboardInterrupt:
        dashboard.terminate()
        try:
            dashboard.wait(10)
        except subprocess.TimeoutExpired:
            dashboard.kill()
        return 0


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ADDRESS, port)) == 0


if __name__ == "__main__":
    sys.exit(main())
