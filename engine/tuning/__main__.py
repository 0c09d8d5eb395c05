"""`python -m engine.tuning <search folder>`."""

import sys
from pathlib import Path

from engine.tuning.driver import main

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
