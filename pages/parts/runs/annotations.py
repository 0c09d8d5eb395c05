"""What users write on runs, shown and edited: names, tags, notes, the archive."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import streamlit as st

from engine import api
from engine.api import NotFound, Problem, Refused
from pages.parts import formatting
from pages.parts.palette import TAG_COLOURS, tag_place
from pages.parts.session import store
from storage import Run

OPEN_BELOW = 600  # characters of notes that are shown at once


def tag_badges(run: Run) -> None:
    """Its tags, each in its colour, and whether it is in the archive."""
    if run.archived_at is not None:
        st.badge("Archived", icon=":material/inventory_2:", color="gray", help="It is left out of the lists.")
    for tag in run.tags:
        st.badge(formatting.escaped(tag), icon=":material/sell:", color=TAG_COLOURS[tag_place(tag)])


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
    """While it is open its boxes stay as they were filled, whatever others save: what is typed comes only with Save."""
    place = f"{key}_{run.id}_edited"
    filled, seen = st.session_state.get(place, (run, run))  # the run as the boxes show it, and as it was last seen
    if not st.session_state.get(_popover(key, filled)):
        filled = seen = run
    st.session_state[place] = filled, seen
    # what was saved makes a new popover: shut, its boxes filled with what the run has now
    of_run = _popover(key, filled)
    with (
        st.popover("Edit", icon=":material/edit:", key=of_run, help="Name, tags, notes", on_change="rerun"),
        st.form(f"{key}_annotation", border=False),
    ):
        st.text_input("Name", filled.name, max_chars=api.MOST_NAME, key=f"{of_run}_name")
        _tag_box("Tags", [*filled.tags], f"{of_run}_tags")
        st.text_area(
            "Notes",
            filled.about,
            max_chars=api.MOST_NOTES,
            height=150,
            key=f"{of_run}_notes",
            placeholder="What you tried and what came of it. Markdown is understood.",
        )
        st.form_submit_button(
            "Save",
            type="primary",
            icon=":material/check:",
            key=f"{key}_save",
            on_click=_save,
            args=(place, of_run, filled, seen),
        )


def _popover(key: str, filled: Run) -> str:
    return f"{key}_{filled.id}_{_stamp([filled])}_annotate"


def _tag_many(runs: Sequence[Run], key: str) -> None:
    of_runs = f"{key}_{_stamp(runs)}"
    with st.popover("Tags", icon=":material/sell:", key=f"{of_runs}_tag_many"), st.form(f"{key}_tagging", border=False):
        _tag_box("Put on", [], f"{of_runs}_add")
        if on_any := sorted({tag for run in runs for tag in run.tags}):
            st.multiselect("Take off", on_any, key=f"{of_runs}_remove", placeholder="None")
        st.form_submit_button(
            f"Change {formatting.count(len(runs), 'run')}",
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
    text = repr([(run.id, run.name, run.tags, run.about) for run in runs])
    return sha256(text.encode()).hexdigest()[:8]


def _save(place: str, of_run: str, filled: Run, seen: Run) -> None:
    """Write what is not as it was filled in, and nothing else: others may have saved meanwhile."""
    name, tags, text = (st.session_state[f"{of_run}_{part}"] for part in ("name", "tags", "notes"))

    def save() -> None:
        with store().transaction():  # all of it or nothing
            now = api.find_run(store(), filled.id)
            typed_over = [
                Problem(field, saved, "is what someone else saved meanwhile; save again to replace it with yours")
                for field, shown, known, saved, typed in (
                    ("name", filled.name, seen.name, now.name, name),
                    ("notes", filled.about, seen.about, now.about, text),
                )
                if typed != shown and saved not in (known, typed)
            ]
            if typed_over:
                st.session_state[place] = filled, now  # they have been warned: saving again replaces it
                raise Refused(typed_over)
            if name != filled.name:
                api.rename_run(store(), now.id, name)
            api.tag_runs(store(), [now.id], remove=set(filled.tags) - set(tags))
            api.tag_runs(store(), [now.id], add=[tag for tag in tags if tag not in filled.tags])
            if text != filled.about:
                api.note_run(store(), now.id, text)

    if _changed(save, "Saved."):
        st.session_state.pop(place, None)


def _retag(run_ids: list[str], of_runs: str) -> None:
    add, remove = (st.session_state.get(f"{of_runs}_{part}", []) for part in ("add", "remove"))
    _changed(
        lambda: api.tag_runs(store(), run_ids, add=add, remove=remove),
        f"Tagged {formatting.count(len(run_ids), 'run')}.",
    )


def _archive(run_ids: list[str], into: bool, afterwards: Callable[[], None] | None) -> None:
    done = f"{formatting.count(len(run_ids), 'run')} {'in the archive' if into else 'back in the lists'}."
    if _changed(lambda: api.archive_runs(store(), run_ids, archived=into), done) and afterwards:
        afterwards()


def _changed(change: Callable[[], object], done: str) -> bool:
    """Whether the change was made; a toast says so, or why not."""
    try:
        change()
    except (Refused, NotFound) as error:
        st.toast(formatting.escaped(str(error)), icon=":material/error:")
        return False
    st.toast(done, icon=":material/check:")
    return True
