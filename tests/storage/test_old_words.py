"""What homes of before say in words alone has its code once they are brought up to date."""

import sqlite3
from pathlib import Path

import pytest

from storage import Home, Store
from storage.old_words import REASONS

BEFORE = Path(__file__).parent / "old" / "7.db"  # the last without codes
SAID = {  # reasons as they stand in old homes -> code
    "diverged: the loss became NaN at step 3 (epoch 1).": "diverged",
    "Its process was killed (by hand, by a system short of memory, or by a reboot).": "killed",
    "Its process was killed, and again when it was tried anew.": "killed_again",
    "The machine ran out of memory and its system killed the process. The last checkpoint is of epoch 2.": (
        "killed_for_memory"
    ),
    "disk full: 50 MB needed, 3 MB free.": "disk_full",
    "Stopped with its search.": "with_search",
    "Stopped with its search: A trial reached the target of 0.9.": "with_finished_search",
    "Stopped by its user.": "stopped_by_user",
    "Stopped. There is no checkpoint yet.": "stopped_by_force",
    "Pruned by ASHA after epoch 1.": "pruned",
    "ValueError: odd.": None,
}
EVENTS = {  # text -> code, details
    "Out of memory: batches of 64 are now computed in 2 parts of 32; what is learned stays the same.": (
        "memory_short",
        {},
    ),
    "It made no progress for 120 s; its stacks are in the log.": ("stalled", {}),
    "It made no progress and was ended; its stacks are in the log. There is no checkpoint yet.": ("hung", {}),
    "Training on cpu (attempt 3), going on after epoch 2.": ("started_again", {"attempt": 3}),
    "Training on cpu.": ("", {}),
}


@pytest.fixture
def store(home: Home) -> Store:
    home.database.write_bytes(BEFORE.read_bytes())
    with sqlite3.connect(home.database) as db:
        for number, reason in enumerate(SAID):
            add = "INSERT INTO runs (id, name, state, spec, dataset_id, epochs, created_at, reason) VALUES"
            db.execute(f"{add} (?, ?, 'stopped', '{{}}', 'cats', 2, 0, ?)", [f"r{number}", f"r{number}", reason])
        for text in EVENTS:
            db.execute("INSERT INTO events (run_id, at, level, text) VALUES ('r0', 0, 'warning', ?)", [text])
    db.close()
    return Store.open(home, migrate=True)


def test_reasons_of_old_runs_have_codes(store: Store) -> None:
    assert {run.reason: run.reason_code for run in store.runs.list() if run.reason} == SAID


def test_events_of_old_runs_have_codes_and_what_goes_by_them(store: Store) -> None:
    assert {one.text: (one.code, one.details) for one in store.events.list("r0")} == EVENTS
    assert store.events.warning_codes({"r0"}) == {"r0": [code for code, _ in EVENTS.values()]}


def test_of_two_beginnings_the_longer_stands_first() -> None:
    words = [one for one, _ in REASONS]
    assert not [one for place, one in enumerate(words) if any(one.startswith(before) for before in words[:place])]
