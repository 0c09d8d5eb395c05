"""What users write on runs, shown and edited: names, tags, notes, the archive."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import streamlit as st

import engine
from engine import NotFound, Refused
from pages.parts import words
from pages.parts.figures.palette import TAG_COLOURS, tag_place
from pages.parts.session import store
from storage import Run

MOST_NAME, MOST_NOTES = 200, 20_000
OPEN_BELOW = 600  # characters of notes that are shown at once


def tag_badges(run: Run) -> None:
    """Its tags, each in its colour, and whether it is in the archive."""
    if run.archived_at is not None:
        st.badge("Archived", icon=":material/inventory_2:", color="gray", help="It is left out of the lists.")
    for tag in run.tags:
        st.badge(words.escaped(tag), icon=":material/sell:", color=TAG_COLOURS[tag_place(tag)])


def notes(run: Run) -> None:
    if run.about:
        with st.expander("**Notes**", icon=":material/notes:", expanded=len(run.about) <= OPEN_BELOW):
            st.markdown(run.about)


def annotation_buttons(runs: Sequence[Run], *, key: str, afterwards: Callable[[], None] | None = None) -> None:
    """Name, tags and notes of one run, or the tags of many; and the archive, in or out."""
    _edit(runs[0], key) if len(runs) == 1 else _tag_many(runs, key)
    for label, icon, ids in (("Archive", "archive", can_archive(runs)), ("Unarchive", "unarchive", archived(runs))):
        if ids:
            st.button(
                label,
                icon=f":material/{icon}:",
                key=f"{key}_{icon}",
                help="Out of the lists; nothing is deleted" if icon == "archive" else "Back into the lists",
                on_click=_archive,
                args=(ids, icon == "archive", afterwards),
            )


def can_archive(runs: Sequence[Run]) -> list[str]:
    """Ids of those that are over and not in the archive yet."""
    return [run.id for run in runs if run.state.is_over and run.archived_at is None]


def archived(runs: Sequence[Run]) -> list[str]:
    return [run.id for run in runs if run.archived_at is not None]


def _edit(run: Run, key: str) -> None:
    # what was saved, here or elsewhere, makes a new popover: shut, its boxes filled with what the run has now
    of_run = f"{key}_{run.id}_{_stamp([run])}"
    with (
        st.popover("Edit", icon=":material/edit:", key=f"{of_run}_annotate", help="Name, tags, notes"),
        st.form(f"{key}_annotation", border=False),
    ):
        st.text_input("Name", run.name, max_chars=MOST_NAME, key=f"{of_run}_name")
        _tag_box("Tags", [*run.tags], f"{of_run}_tags")
        st.text_area(
            "Notes",
            run.about,
            max_chars=MOST_NOTES,
            height=150,
            key=f"{of_run}_notes",
            placeholder="What you tried and what came of it. Markdown is understood.",
        )
        st.form_submit_button(
            "Save", type="primary", icon=":material/check:", key=f"{key}_save", on_click=_save, args=(run.id, of_run)
        )


def _tag_many(runs: Sequence[Run], key: str) -> None:
    of_runs = f"{key}_{_stamp(runs)}"
    with st.popover("Tags", icon=":material/sell:", key=f"{of_runs}_tag_many"), st.form(f"{key}_tagging", border=False):
        _tag_box("Put on", [], f"{of_runs}_add")
        if on_any := sorted({tag for run in runs for tag in run.tags}):
            st.multiselect("Take off", on_any, key=f"{of_runs}_remove", placeholder="None")
        st.form_submit_button(
            f"Change {words.count(len(runs), 'run')}",
            type="primary",
            icon=":material/check:",
            key=f"{key}_retag",
            on_click=_retag,
            args=([run.id for run in runs], of_runs),
        )


def _tag_box(label: str, chosen: list[str], key: str) -> None:
    st.multiselect(
        label,
        list(dict.fromkeys([*store().runs.tags(), *chosen])),
        chosen,
        key=key,
        accept_new_options=True,
        placeholder="Choose, or type a new one",
    )


def _stamp(runs: Sequence[Run]) -> str:
    told = repr([(run.id, run.name, run.tags, run.about) for run in runs])
    return sha256(told.encode()).hexdigest()[:8]


def _save(run_id: str, of_run: str) -> None:
    name, tags, text = (st.session_state[f"{of_run}_{part}"] for part in ("name", "tags", "notes"))

    def save() -> None:
        with store().transaction():  # all of it or nothing
            before = engine.rename_run(store(), run_id, name)
            engine.tag_runs(store(), [run_id], remove=set(before.tags) - set(tags))
            engine.tag_runs(store(), [run_id], add=tags)
            engine.note_run(store(), run_id, text)

    _told(save, "Saved.")


def _retag(run_ids: list[str], of_runs: str) -> None:
    add, remove = (st.session_state.get(f"{of_runs}_{part}", []) for part in ("add", "remove"))
    _told(
        lambda: engine.tag_runs(store(), run_ids, add=add, remove=remove), f"Tagged {words.count(len(run_ids), 'run')}."
    )


def _archive(run_ids: list[str], into: bool, afterwards: Callable[[], None] | None) -> None:
    told = f"{words.count(len(run_ids), 'run')} {'in the archive' if into else 'back in the lists'}."
    if _told(lambda: engine.archive_runs(store(), run_ids, archived=into), told) and afterwards:
        afterwards()


def _told(change: Callable[[], object], done: str) -> bool:
    """Whether the change was made; a toast says so, or why not."""
    try:
        change()
    except (Refused, NotFound) as error:
        st.toast(words.escaped(str(error)), icon=":material/error:")
        return False
    st.toast(done, icon=":material/check:")
    return True
