"""sqlite-utils, loaded without pandas.

It imports pandas where that is installed, to know its column types; here no row holds any, and each of our processes
would wait half a second for it.
"""

import sys

_has_it = "pandas" in sys.modules
if not _has_it:
    sys.modules["pandas"] = None  # type: ignore[assignment] # "not to be had", as far as an import can see
try:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
finally:
    if not _has_it:
        del sys.modules["pandas"]

__all__ = ["Database", "Migrations"]
