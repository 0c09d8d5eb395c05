"""Tags, notes, the archive and exports, in a real browser; what is typed survives the page's own refreshing."""

import csv
import io

from playwright.sync_api import Page, expect

from engine import api
from storage import RunState
from tests.browser.conftest import Site
from tests.browser.pages import settle
from tests.pages import seed

HEAD, ROW = 37, 38  # pixels of the table of runs


def tick(page: Page, row: int) -> None:
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.click(position={"x": 16, "y": HEAD + ROW * row + ROW // 2}, force=True)
    settle(page)


def test_ticked_runs_are_tagged_archived_and_taken_away_as_a_file(site: Site, page: Page) -> None:
    seed.awake(site.store)
    seed.many(site.store, 5)
    page.goto(f"{site.address}/runs")
    settle(page)
    tick(page, 0)
    tick(page, 2)
    page.get_by_role("button", name="Tags", exact=True).click()
    box = page.get_by_label("Put on")
    box.fill("논문 초안")
    page.wait_for_timeout(3500)  # the list below refreshes itself meanwhile
    expect(box).to_have_value("논문 초안")
    box.press("Enter")
    box.press("Tab")  # shuts the list of tags, which lies over the button
    page.get_by_role("button", name="Change 2 runs").click()
    expect(page.get_by_text("Tagged 2 runs.")).to_be_visible()
    tagged = [run.name for run in site.store.runs.list(tags=["논문 초안"])]
    assert tagged == ["run number 4", "run number 2"]

    settle(page)
    page.get_by_role("button", name="Export").click()
    address = page.get_by_role("link", name="CSV").get_attribute("href")
    answer = page.request.get(f"{site.address}{address}")
    rows = list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"), newline="")))
    assert [(row["name"], row["tags"]) for row in rows] == [(name, "논문 초안") for name in tagged]

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("2 runs in the archive.")).to_be_visible()
    assert [run.name for run in site.store.runs.list()] == ["run number 3", "run number 1", "run number 0"]


def test_notes_are_written_on_a_page_that_moves(site: Site, page: Page) -> None:
    seed.awake(site.store)
    run = seed.run(site.store, "live", RunState.RUNNING, dataset="digits", epochs=12, per_epoch=40, done=3.5)
    page.goto(f"{site.address}/run?run={run.id}")
    settle(page)
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Name").fill("이름을 바꾼 실험")
    page.get_by_label("Notes").fill("The rate was **too high**.")
    api.tag_runs(site.store, [run.id], add=["theirs"])
    page.wait_for_timeout(2500)  # the parts below refresh themselves meanwhile
    expect(page.get_by_label("Notes")).to_have_value("The rate was **too high**.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="이름을 바꾼 실험")).to_be_visible()
    expect(page.locator("strong", has_text="too high")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_hidden()  # the popover is shut again
    now = site.store.runs.get(run.id)
    assert (now.name, now.about, now.state) == ("이름을 바꾼 실험", "The rate was **too high**.", run.state)
    assert now.tags == ("theirs",)  # somebody else put it on meanwhile
