"""`engine.previews.server`, where a supervisor that outlives an upgrade still looks for it. Goes with 0.2."""

import runpy

if __name__ == "__main__":
    runpy.run_module("engine.previews.server", run_name="__main__", alter_sys=True)
