"""A real Chromium for the browser tests: found, or installed where allowed. `python -m tests.browser.chromium`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED = os.environ.get("CI") == "true"
ADVICE = "Install one: apt-get install chromium, or .venv/bin/playwright install chromium."
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """Debian's, Google's, or one that Playwright downloaded; None where there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    for place in ("chromium-*/chrome-linux*/chrome", "chromium_headless_shell-*/*/*headless*shell"):
        if found := sorted(cache.glob(place)):
            return str(found[-1])
    return None


def install() -> None:
    """Debian's package, where we may: as root on a machine with apt-get."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], check=False, env=environment, **quiet)
    subprocess.run(["apt-get", "install", "-qy", "chromium"], check=False, env=environment, **quiet)


def main() -> int:
    """0 with a browser, or without one outside CI (the browser tests then skip, saying so); 1 without one in CI."""
    if find() is None:
        print("No Chromium found: installing Debian's, if that is allowed here.", flush=True)
        install()
    if path := find():
        print(f"Browser tests use {path}")
        return 0
    print(f"No Chromium: the browser tests will {'fail' if REQUIRED else 'be skipped'}. {ADVICE}")
    return int(REQUIRED)


if __name__ == "__main__":
    sys.exit(main())
