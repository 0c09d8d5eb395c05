"""A search in a real browser, with the real engine: built by clicking, watched, brushed, extended, taken away."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from pages.parts.runs.table import HEAD, ROW
from storage import RunState, SearchState
from tests.browser.conftest import Site
from tests.browser.pages import settle
from tests.cli import until
from tests.evaluation import accuracy_of_file

SIZE, BATCH, RATE = "data.image_size", "optimisation.batch_size", "optimisation.learning_rate"


def test_a_search_from_clicks_to_a_file(site: Site, page: Page, tmp_path: Path) -> None:
    page.goto(f"{site.address}/new_search?dataset=digits")
    settle(page)
    build(page)
    page.get_by_role("button", name="Start search").click()
    page.wait_for_url(re.compile(r"/search\?search=\w+"), timeout=30_000)
    search_id = page.url.rpartition("search=")[2]
    page.evaluate("window.neverReloaded = true")
    space = site.store.searches.get(search_id).spec["space"]
    assert space[SIZE]["choices"] == [16, 96]
    assert space[BATCH]["choices"] == [32, 64, 128]  # as the preset has it

    expect(page.locator(".st-key-search_board")).to_contain_text("3 trials", timeout=120_000)
    until_state(page, site, search_id, SearchState.FINISHED)
    expect(page.locator(".st-key-search_facts")).to_contain_text("Finished", timeout=15_000)
    trials = site.store.runs.trials(search_id)
    assert [trial.state for trial in trials] == [RunState.FINISHED] * 3
    assert trials[0].assignment == {SIZE: 16, BATCH: 64}  # the base run comes first
    assert len({str(trial.assignment) for trial in trials}) == 3

    brush(page)
    more_trials(page, 2)
    page.get_by_role("button", name="Show all trials").click()
    stop_the_long_one(page, site, search_id)
    assert page.evaluate("window.neverReloaded")
    page.get_by_role("button", name="Stop", exact=True).click()
    until_state(page, site, search_id, SearchState.STOPPED)

    best = site.store.runs.trials(search_id, order="best", limit=1)[0]
    expect(page.locator(".st-key-search_facts")).to_contain_text("Stopped", timeout=15_000)
    settle(page)
    page.get_by_role("button", name="Open its run").click()
    page.wait_for_url(re.compile(rf"/run\?run={best.id}"), timeout=30_000)
    settle(page)
    with page.expect_download() as got:
        page.get_by_role("link", name="Best checkpoint").click()
    weights = tmp_path / got.value.suggested_filename
    got.value.save_as(weights)
    assert abs(accuracy_of_file(site.store, weights, tmp_path / "cache") - (best.best_value or 0)) < 1e-6


def build(page: Page) -> None:
    """A grid of two image sizes by three of batches, around small images: three quick trials, then slow ones."""
    number(page, "Image size (px)", "16")
    choose(page, "Algorithm", "Grid")
    number(page, "Trials", "3")
    number(page, "Trials at a time", "1")
    field(page, f"span_on_{SIZE}").locator("label").click()
    settle(page)
    values(page, SIZE, "16", "96", already=1)
    field(page, f"span_on_{RATE}").locator("label").click()
    settle(page)
    expect(page.locator(".st-key-search_summary")).to_contain_text("6 combinations")
    expect(page.locator(".st-key-search_summary")).to_contain_text("1 trial at a time")


def field(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key.replace('.', '-')}")


def number(page: Page, label: str, value: str) -> None:
    box = page.get_by_role("spinbutton", name=label, exact=True)
    box.fill(value)
    box.press("Enter")
    settle(page)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=re.compile(label)).first.click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def values(page: Page, path: str, *texts: str, already: int) -> None:
    """Type the values of a field, the first `already` of which stand there once values are asked for."""
    field(page, f"span_kind_{path}").get_by_text("Values", exact=True).click()
    settle(page)
    for text in texts[already:]:
        box = field(page, f"span_choices_{path}").locator("input")
        box.fill(text)
        box.press("Enter")
        settle(page)
    page.keyboard.press("Escape")


def brush(page: Page) -> None:
    """Drag over the upper half of the last axis: fewer trials stay in the table."""
    canvas = page.locator(".st-key-search_axes canvas").first
    canvas.scroll_into_view_if_needed()
    settle(page)
    box = canvas.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] - 69
    page.mouse.move(x, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 170, steps=8)
    page.mouse.up()
    expect(page.locator(".st-key-search_board")).to_contain_text(re.compile(r"[12] of 3 trials, as brushed"))
    settle(page)


def more_trials(page: Page, count: int) -> None:
    page.get_by_role("button", name="More trials").click()
    box = page.get_by_role("spinbutton", name="Trials", exact=True)
    box.fill(str(count))
    box.press("Enter")
    settle(page)
    page.get_by_role("button", name=f"Add {count}", exact=True).click()
    settle(page)


def stop_the_long_one(page: Page, site: Site, search_id: str) -> None:
    """The fourth trial, of large images, is ticked in the table while it trains, and stopped there."""
    running = until(
        lambda: (
            page.wait_for_timeout(200) or next(iter(site.store.runs.trials(search_id, states=[RunState.RUNNING])), None)
        ),
        within_s=90,
    )
    assert running.trial == 4
    board = page.locator(".st-key-search_board")
    expect(board).to_contain_text("4 trials", timeout=30_000)
    settle(page)
    table = board.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + HEAD + 3.5 * ROW)  # without a value it stands last
    board.get_by_role("button", name="Stop trial 4").click()
    stopped = until(
        lambda: (
            page.wait_for_timeout(200)
            or next((run for run in site.store.runs.trials(search_id) if run.trial == 4 and run.state.is_over), None)
        ),
        within_s=60,
    )
    assert stopped.state is RunState.STOPPED
    assert [run.state for run in site.store.runs.trials(search_id)[:3]] == [RunState.FINISHED] * 3


def until_state(page: Page, site: Site, search_id: str, state: SearchState) -> None:
    until(
        lambda: page.wait_for_timeout(200) or site.store.searches.get(search_id).state is state,
        within_s=120,
    )
