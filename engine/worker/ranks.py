"""The launcher of ranks that train together: `python -m engine.worker.ranks <run folder> <processes>`.

It is the leader that the supervisor watches: torch's elastic launcher starts the ranks below it, signals are handed on
to them, and with it they die. Once all of them are gone it writes the run's last word, from those of the ranks.
"""

import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType

import psutil

from engine.machine.exit import leave
from engine.protocol.json_lines import JsonLines
from engine.protocol.rank_endings import clear_endings, read_ending
from engine.training.distributed.rank import LAUNCHER, STOP, common_ending, die_with_the_launcher

POLL_S = 0.25

log = logging.getLogger("thaw")


def main(folder: Path, processes: int) -> int:
    """Train with `processes` ranks; 0 when they finished or stopped, 1 when they failed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, _hand_on)
    die_with_the_launcher()
    os.environ[LAUNCHER] = str(os.getpid())
    clear_endings(folder)
    _launch(folder, processes)
    ending = common_ending([read_ending(folder, rank) for rank in range(processes)])
    if ending is None:
        log.info("ranks were killed: no last word")
        return 1
    lines = JsonLines.events(folder)
    lines.write(replace(ending, at=time.time()))
    lines.close()
    return 0 if ending.state != "failed" else 1


def _launch(folder: Path, processes: int) -> None:
    """Start the ranks and wait until all of them are gone."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    work = folder / "ranks"
    shutil.rmtree(work, ignore_errors=True)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=folder.name,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",  # the system chooses a free port
        local_addr="localhost",
        max_restarts=0,  # the supervisor does, with its own care
        monitor_interval=POLL_S,
        logs_specs=DefaultLogsSpecs(log_dir=str(work)),
        signals_to_handle="SIGHUP",  # torch would end the ranks before they have saved
    )
    try:
        elastic_launch(config, sys.executable)("-m", "engine.worker", str(folder))
    except ChildFailedError as error:
        log.info("%s", error)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _hand_on(number: int, frame: FrameType | None) -> None:
    if number != signal.SIGUSR1:
        os.environ[STOP] = "1"  # for ranks that are not started yet
    for rank in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            rank.send_signal(number)


if __name__ == "__main__":
    leave(main(Path(sys.argv[1]), int(sys.argv[2])))
