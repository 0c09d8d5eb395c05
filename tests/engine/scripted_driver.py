"""A driver that trains nothing but speaks the lines of one: `python scripted_driver.py FOLDER HOW NUMBER`.

HOW after NUMBER trials ended: "go on" to the last one, "wait" to be told by control.jsonl, "die", or "hang".
It needs nothing but Python, as a driver of anybody's own, and starts in no time.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


class Lines:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def write(self, kind: str, **fields: Any) -> None:
        self._file.write(json.dumps({"kind": kind, "at": time.time(), **fields}) + "\n")

    def close(self) -> None:
        self._file.close()


class Script:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = json.loads((folder / "search.json").read_text())
        self.num_trials = self.file["wanted"]
        self.over = [one for one in self.file["trials"] if one["state"] not in ("interrupted", "queued")]
        self.left = [one for one in self.file["trials"] if one["state"] in ("interrupted", "queued")]
        self.lines = Lines(folder / "events.jsonl")
        self.num_read = 0

    def say(self, kind: str, **fields: Any) -> None:
        self.lines.write(kind, **fields)

    def begin(self) -> dict[str, Any]:
        """The next trial: one that was interrupted goes on, else a new one."""
        numbers = [one["number"] for one in self.file["trials"]]
        one = (
            self.left.pop()
            if self.left
            else {"run": os.urandom(4).hex(), "number": max(numbers, default=0) + 1, "attempt": 0}
        )
        config = one.get("config") or {"optimisation.learning_rate": one["number"] / 100}
        one = {**one, "attempt": one["attempt"] + 1, "config": config}
        self.file["trials"].append(one)
        self.say("trial", **{name: one[name] for name in ("run", "number", "attempt", "config")})
        report = self.report(one)
        report.write("started", attempt=one["attempt"], device="cpu", epoch=0, step=0, epochs=2, steps=20)
        report.write("metrics", step=10, epoch=1, values={"val/accuracy": one["number"] / 100})
        report.close()
        return one

    def report(self, one: dict[str, Any]) -> Lines:
        folder = Path(self.file["runs"]) / one["run"]
        folder.mkdir(parents=True, exist_ok=True)
        return Lines(folder / "events.jsonl")

    def end(self, one: dict[str, Any], state: str, reason: str | None = None) -> None:
        report = self.report(one)
        report.write("metrics", step=20, epoch=2, values={"val/accuracy": 0.5 + one["number"] / 100})
        report.write("ended", state=state, reason=reason, **({"needs_bytes": 0} if state == "interrupted" else {}))
        report.close()
        self.say("trial_ended", run=one["run"], state=state, reason=reason)
        if state != "interrupted":
            self.over.append(one)

    def next_request(self) -> dict[str, Any] | None:
        try:
            lines = (self.folder / "control.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return None
        if len(lines) <= self.num_read:
            return None
        self.num_read += 1
        return dict(json.loads(lines[self.num_read - 1]))

    def wait(self, one: dict[str, Any]) -> bool:
        """Until told: True when the search goes on."""
        while True:
            match self.next_request():
                case {"kind": "stop_trial", "run": run} if run == one["run"]:
                    self.end(one, "stopped", "Stopped by its user.")
                    return True
                case {"kind": "extend", "trials": num_trials}:
                    self.num_trials = num_trials
                    self.end(one, "finished")
                    return True
                case {"kind": "stop"}:
                    self.end(one, "stopped", "Stopped with its search.")
                    self.say("ended", state="stopped", wanted=self.num_trials)
                    return False
                case {"kind": "pause"}:
                    self.end(one, "interrupted", "Paused with its search.")
                    self.say("ended", state="paused", wanted=self.num_trials)
                    return False
            time.sleep(0.02)


def main(folder: Path, how: str, number: int) -> int:
    script = Script(folder)
    script.say("started", attempt=script.file["attempt"], pid=os.getpid(), device="cpu", at_once=1, path="ray")
    script.say("progress", phase="searching", message="one by one")
    while len(script.over) < script.num_trials:
        one = script.begin()
        if len(script.over) < number or how == "go on":
            script.end(one, "finished")
        elif how == "wait":
            if not script.wait(one):
                return 0
        elif how == "hang":
            while True:
                script.say("progress", phase="searching", message="still there")
                time.sleep(0.1)
        else:
            return 7
    script.say("ended", state="finished", wanted=script.num_trials)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
