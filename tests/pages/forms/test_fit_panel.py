"""Beside Start: fits, tight or not, in words that follow the batch size."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine import api
from engine.previews import fit, requests
from engine.previews.fit import Room
from pages.parts.forms import fields
from storage import Store
from tests.engine.previews.test_fit import MB, MEASURED
from tests.pages.pages import NEW_RUN, fine, keys, opened, texts

BATCH = "new_optimisation.batch_size"


@pytest.fixture
def narrow(calm: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A machine with little memory, on which every spec was measured already."""
    monkeypatch.setattr(fit, "room", lambda store, device: Room(400 * MB, 10**10))

    def preview(store: Store, kind: str, spec: api.RunSpec) -> requests.Preview:
        return requests.Preview(MEASURED) if kind == "fit" else requests.Preview(problem="not now")

    monkeypatch.setattr(api, "preview", preview)
    return calm


def verdict(app: AppTest) -> str:
    """The label of the panel's popover."""
    return next(label for label in map(_label, app.get("popover")) if "an epoch" in label or "not fit" in label)


def _label(block: Any) -> str:
    return str(block.proto.popover.label)


def test_the_verdict_follows_the_batch_size(narrow: Store) -> None:
    app = opened(NEW_RUN)
    seen = {}
    for batch in (16, 130, 160):
        app.number_input(key=BATCH).set_value(batch)
        seen[batch] = verdict(fine(app.run()))
    assert "green" in seen[16] and "122 MB of 400 MB" in seen[16]
    assert "orange" in seen[130] and "350 MB of 400 MB" in seen[130]
    assert "red" in seen[160] and "Does not fit" in seen[160]
    assert "Batches of 160 need more memory than is free" in texts(app)


def test_one_click_takes_the_largest_batch_that_fits(narrow: Store) -> None:
    app = opened(NEW_RUN)
    app.number_input(key=BATCH).set_value(500)
    fine(app.run())
    assert "new_take_batch" in keys(app)
    fine(app.button(key="new_take_batch").click().run())
    assert app.session_state[fields.field_key("optimisation.batch_size")] == 152
    assert "orange" in verdict(app)
    assert "new_take_batch" not in keys(app)


def test_what_could_not_be_measured_does_not_keep_from_starting(narrow: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "preview", lambda store, kind, spec: requests.Preview(problem="It broke."))
    app = opened(NEW_RUN)
    assert "It broke" in texts(app)
    assert not app.button(key="new_start").disabled
