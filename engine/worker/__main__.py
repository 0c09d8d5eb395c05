"""`python -m engine.worker <run folder>`."""

import sys
from pathlib import Path

from engine.machine.exit import leave
from engine.worker.run import main

if __name__ == "__main__":
    leave(main(Path(sys.argv[1])))
