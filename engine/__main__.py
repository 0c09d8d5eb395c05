"""`python -m engine COMMAND`: what `thaw COMMAND` is, where no program of that name is installed."""

import sys

from engine.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
