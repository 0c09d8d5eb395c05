"""Going on from a checkpoint, in a real browser: more epochs by a click, other settings by the form."""

import re

from playwright.sync_api import Page, expect

from engine import api
from engine.api import RunSpec
from storage import RunState
from tests.browser.conftest import Site
from tests.browser.pages import settle
from tests.cli import TINY, until_state


def opened_run(page: Page, other: str) -> str:
    """The id of the run whose page opens after that of `other`."""
    page.wait_for_url(lambda url: "/run?run=" in url and other not in url, timeout=30_000)
    return page.url.rpartition("run=")[2]


def test_a_finished_run_is_extended_and_branched_by_clicks(site: Site, page: Page) -> None:
    parent = api.start_run(site.store, RunSpec.parse(TINY | {"name": "the first", "keep_checkpoints": 9}))
    api.ensure_supervisor(site.store.home)
    until_state(site.store, parent.id, RunState.FINISHED)
    page.goto(f"{site.address}/run?run={parent.id}")
    settle(page)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("More epochs").fill("1")
    page.get_by_label("More epochs").press("Enter")
    settle(page)
    page.get_by_role("button", name="Extend", exact=True).click()
    extended = until_state(site.store, opened_run(page, parent.id), RunState.FINISHED)
    assert (extended.epoch, extended.parent_id) == (3, parent.id)
    expect(page.get_by_text("Goes on from the first after epoch 2.")).to_be_visible()

    expect(page.get_by_role("link", name="the first", exact=True)).to_have_attribute("href", re.compile(parent.id))
    page.goto(f"{site.address}/new_run?branch={parent.id}&at=e0001")
    settle(page)
    expect(page.get_by_text("after epoch 1, which stays as it is")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    branched = until_state(site.store, opened_run(page, parent.id), RunState.FINISHED)
    assert (branched.parent_id, branched.parent_epoch) == (parent.id, 1)
    page.goto(f"{site.address}/run?run={parent.id}")
    settle(page)
    expect(page.get_by_text("Gone on from by")).to_contain_text("after epoch 1")
