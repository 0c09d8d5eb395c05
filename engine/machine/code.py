"""Which code a process runs: an upgrade under a living supervisor is seen by it."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("engine", "storage")


def code_digest() -> str:
    """A digest of the engine's and the store's sources as they lie on the disk now: some 10 ms."""
    digest = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
