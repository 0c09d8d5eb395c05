"""What users write on runs: names, tags, notes, and which of them are in the archive.

These columns are the users' alone: neither the supervisor nor what trains reads or writes them, so a change disturbs
no training.
"""

import time
import unicodedata
from collections.abc import Collection, Iterable

from engine.api.runs import find_run
from engine.errors import Problem, Refused
from storage import Run, Store

MOST_NAME, MOST_TAG, MOST_NOTES = 200, 40, 20_000  # characters
MOST_TAGS = 20  # of one run
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # what lets "exe.jpg" be read as "gpj.exe"


def rename_run(store: Store, run_id: str, name: str) -> Run:
    """Give a run another name; what it was asked for stays as it was written.

    Raises:
        NotFound: No such run.
        Refused: The name is empty, too long, or that of another run.
    """
    new = checked_name(name)
    with store.transaction():
        run = find_run(store, run_id)
        if new != run.name and new in store.runs.names():
            raise Refused([Problem("name", name, "is the name of another run; choose one that no run has")])
        store.runs.update(run.id, name=new)
    return store.runs.get(run.id)


def checked_name(name: str) -> str:
    """
    Raises:
        Refused: It is no name.
    """
    own = plain("name", name)
    if not 1 <= len(own) <= MOST_NAME:
        raise Refused([Problem("name", name, f"must have 1 to {MOST_NAME} characters")])
    return own


def note_run(store: Store, run_id: str, text: str) -> Run:
    """Keep the user's own words about a run, Markdown; "" takes them away.

    Raises:
        NotFound: No such run.
        Refused: The text is too long, or cannot be written down.
    """
    if len(text) > MOST_NOTES:
        raise Refused([Problem("notes", f"{text[:20]}...", f"must have at most {MOST_NOTES:,} characters")])
    refuse_unwritable("notes", text)
    run = find_run(store, run_id)
    store.runs.update(run.id, about=text.strip())
    return store.runs.get(run.id)


def tag_runs(
    store: Store, run_ids: Collection[str], *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> list[Run]:
    """Put tags on runs and take others off, on all of them or, where something is wrong, on none.

    A tag is written as it was when it was first used, whatever the case of its letters now.

    Args:
        add: 1 to 40 characters each, without a comma.
        remove: In any case of letters; what no run has is passed over.

    Raises:
        NotFound: No such run.
        Refused: What is no tag, or more tags than a run may have.
    """
    with store.transaction():
        known = {tag.casefold(): tag for tag in store.runs.tags()}
        added = [known.setdefault(tag.casefold(), tag) for tag in _tags(add)]
        gone = {plain("tag", tag).casefold() for tag in remove}
        runs = [find_run(store, run_id) for run_id in run_ids]

        def changed(tags: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(tag for tag in (*tags, *added) if tag.casefold() not in gone))

        if full := [run for run in runs if len(changed(run.tags)) > MOST_TAGS]:
            problem = f"a run may have at most {MOST_TAGS}; take some off {full[0].name} first"
            raise Refused([Problem("tags", ", ".join(added), problem)])
        store.runs.retag([run.id for run in runs], changed)
    return [store.runs.get(run.id) for run in runs]


def archive_runs(store: Store, run_ids: Collection[str], *, archived: bool = True) -> list[Run]:
    """Take runs out of the lists, or back into them; their charts, files and checkpoints stay where they are.

    Raises:
        NotFound: No such run.
        Refused: One of them is not over; none was archived.
    """
    with store.transaction():
        runs = [find_run(store, run_id) for run_id in run_ids]
        if archived and (active := [run for run in runs if not run.state.is_over]):
            raise Refused([Problem("run", run.id, f"it is {run.state}; archive it once it is over") for run in active])
        for run in runs:
            if (run.archived_at is not None) != archived:
                store.runs.update(run.id, archived_at=time.time() if archived else None)
    return [store.runs.get(run.id) for run in runs]


def _tags(given: Iterable[str]) -> list[str]:
    """
    Raises:
        Refused: One of them is no tag.
    """
    tags = [(plain("tag", tag), tag) for tag in given]
    if wrong := [tag for own, tag in tags if not 1 <= len(own) <= MOST_TAG or "," in own]:
        allowed = f"must have 1 to {MOST_TAG} characters, none of them a comma"
        raise Refused([Problem("tag", tag, allowed) for tag in wrong])
    return [own for own, _ in tags]


def plain(field: str, text: str) -> str:
    """One line, composed as keyboards compose it: a Mac's file names hold Hangul in pieces that look the same.

    Without what is not seen and changes how the rest is read: control characters, and those that turn writing round.

    Raises:
        Refused: It cannot be written down.
    """
    refuse_unwritable(field, text)
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(one for one in composed if one.isspace() or not _is_hidden(one)).split())


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc" or unicodedata.bidirectional(letter) in TURNING


def refuse_unwritable(field: str, text: str) -> None:
    """
    Raises:
        Refused: It holds what is no character, as bytes of a terminal or file name that are no UTF-8 become.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        value = text[max(0, error.start - 20) : error.end + 20]
        raise Refused([Problem(field, value, "must be written in UTF-8 throughout")]) from None
