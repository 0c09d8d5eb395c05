"""Checkpoints under kill -9 while saving, and after damage of every kind: none is bad, none that is bad is loaded."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.checks import Check, print_checks
from benchmarks.measure import Figure
from engine.protocol.manifest import MANIFEST
from engine.training import checkpoint
from engine.training.failures import BadCheckpoint

ROOT = Path(__file__).resolve().parent.parent
KILLS, DAMAGES = 300, 300
PAGE = 4096  # bytes


def measure() -> list[Figure]:
    """Print what was found; there is nothing to time.

    Raises:
        SystemExit: A promise was broken.
    """
    with TemporaryDirectory() as folder:
        print_checks(checks(Path(folder), kills=KILLS, damages=DAMAGES))
    return []


def checks(folder: Path, *, kills: int, damages: int) -> Iterator[Check]:
    """The long form by hand, the short one as a test."""
    yield kill_while_saving(folder / "killed", kills)
    yield refuse_damage(folder / "damaged", damages)


def kill_while_saving(run: Path, rounds: int) -> Check:
    """Kill a process that saves without end, `rounds` times at a random moment, each going on from what was left."""
    run.mkdir()
    command = [sys.executable, "-m", "tests.engine.checkpoint_killing", str(run), str(rounds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    summary = (
        f"{found['bad']} of {rounds} bad, {found['lost']} announced ones lost; "
        f"{found['caught']} of the kills fell into a write"
    )
    is_good = not found["bad"] and not found["lost"] and found["caught"] >= rounds / 4
    return Check("kill -9 while saving", is_good, summary)


def refuse_damage(folder: Path, times: int) -> Check:
    """Damage a good checkpoint in one place at a time, and look whether it is refused before anything is loaded."""
    good = _good_checkpoint(folder)
    chance, refused, silent = random.Random(0), 0, 0
    for number in range(times):
        file = good / chance.choice((checkpoint.WEIGHTS, checkpoint.RESUME, MANIFEST))
        whole = file.read_bytes()
        file.write_bytes(DAMAGES_BY[number % len(DAMAGES_BY)](whole, chance))
        try:
            checkpoint.verify(good)
        except BadCheckpoint:
            refused += 1
        silent += _loads(good)
        file.write_bytes(whole)
    checkpoint.verify(good)  # whole again: it was the damage that was refused
    summary = f"{refused} of {times} refused; reading without the hashes would have taken {silent} of them"
    return Check("flipped bits, zeroed pages, truncations", refused == times, summary)


def flip(whole: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(whole))
    return whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :]


def zero_page(whole: bytes, chance: random.Random) -> bytes:
    pages = [start for start in range(0, len(whole), PAGE) if any(whole[start : start + PAGE])]
    start = chance.choice(pages)
    return whole[:start] + bytes(len(whole[start : start + PAGE])) + whole[start + PAGE :]


def truncate(whole: bytes, chance: random.Random) -> bytes:
    return whole[: chance.randrange(len(whole))]


DAMAGES_BY: tuple[Callable[[bytes, random.Random], bytes], ...] = (flip, zero_page, truncate)


def _good_checkpoint(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    about = {"epoch": 1, "step": 10, "classes": ["a", "b"], "preprocessing": {}, "spec": {}, "metrics": {}}
    chance = torch.Generator().manual_seed(0)
    weights = {f"layer{number}.weight": torch.randn(64, 64, generator=chance) for number in range(8)}
    moments = {name: torch.randn(64, 64, generator=chance) for name in weights}
    checkpoint.write(folder / "e0001", weights, {"optimizer": moments}, about)
    return folder / "e0001"


def _loads(folder: Path) -> bool:
    """Whether torch and safetensors by themselves read what is there."""
    try:
        checkpoint.read_weights(folder)
        checkpoint.read_resume(folder)
        json.loads((folder / MANIFEST).read_bytes())
    except Exception:  # whatever they raise on rubbish: it was noticed
        return False
    return True
