"""`python -m engine.tuning <search folder>`."""

import sys
from pathlib import Path

from engine.machine.exit import leave
from engine.tuning.driver import main

if __name__ == "__main__":
    leave(main(Path(sys.argv[1])))
