"""Three runs, ticked in the list and compared in a real browser; the same by their address in another."""

import base64
import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from pages.parts.palette import LIGHT, line_colours
from pages.parts.runs.table import HEAD, ROW
from storage import Run, RunState
from tests.browser.conftest import Site
from tests.browser.pages import settle
from tests.browser.test_flows import drag_over
from tests.pages import seed

NAMES = ("이름이 아주 긴 첫 번째 실행: 모양 사진", "second", "third")
CEILINGS = (0.95, 0.80, 0.90)
SLOW = 30_000  # milliseconds: a busy machine


@pytest.fixture(scope="module")
def three(site: Site) -> list[Run]:
    """Finished runs that differ in their learning rate, beside one that is not compared."""
    seed.shapes(site.store)
    seed.awake(site.store)
    seed.run(site.store, "not compared", RunState.FINISHED, epochs=3, per_epoch=20)
    made = []
    for place, (name, ceiling) in enumerate(zip(NAMES, CEILINGS, strict=True)):
        done = seed.run(site.store, name, RunState.FINISHED, epochs=8, per_epoch=40, ceiling=ceiling)
        spec = done.spec | {"optimisation": done.spec["optimisation"] | {"learning_rate": 0.1 / 10**place}}
        site.store.runs.update(done.id, spec=spec)
        made.append(site.store.runs.get(done.id))
    return made


def test_three_runs_from_the_list_to_a_fresh_browser(
    site: Site, page: Page, browser: Browser, three: list[Run]
) -> None:
    page.goto(f"{site.address}/runs")
    settle(page)
    table = page.get_by_test_id("stDataFrame").first
    box = table.bounding_box()
    assert box is not None
    listed = [run.id for run in site.store.runs.list()]
    for run in three:
        page.mouse.click(box["x"] + 16, box["y"] + HEAD + ROW * (listed.index(run.id) + 0.5))
        settle(page)
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url(re.compile(r"/compare\?runs="), timeout=30_000)
    settle(page)
    assert set(page.url.rpartition("runs=")[2].replace("%2C", ",").split(",")) == {run.id for run in three}
    expect(page.locator(".st-key-compare_written")).to_contain_text("is best of 3", timeout=SLOW)
    assert colours_in(chart(page)) >= set(line_colours(LIGHT)[:3])
    board = page.locator(".st-key-compare_board")
    expect(board).to_contain_text("Learning rate")
    expect(board).not_to_contain_text("Batch size")  # the same in all of them

    drag_over(page, chart(page))
    page.get_by_role("button", name="Reset zoom").click()
    expect(page.get_by_role("button", name="Reset zoom")).to_have_count(0, timeout=SLOW)
    settle(page)
    page.get_by_text("What made a difference", exact=True).click()
    expect(page.get_by_text("Settings that differ, what they cost")).to_be_visible(timeout=SLOW)
    settle(page)
    brush_the_better_half(page)
    expect(board).to_contain_text("2 of 3 runs, as brushed", timeout=SLOW)
    shown = board.get_by_test_id("stDataFrame")
    expect(shown).to_have_count(1, timeout=SLOW)  # a brush unticks all rows: the table before it goes
    expect(shown).to_contain_text("third")
    expect(shown).not_to_contain_text("second")
    page.get_by_role("button", name="Show all runs").click()
    expect(board).to_contain_text("3 runs, best first", timeout=SLOW)

    page.get_by_text("Curves", exact=True).click()
    expect(page.get_by_text("Smoothing", exact=True)).to_be_visible(timeout=SLOW)
    settle(page)
    other = browser.new_context()
    fresh = other.new_page()
    fresh.goto(page.url)
    settle(fresh)
    expect(fresh.locator(".st-key-compare_board")).to_contain_text("3 runs, best first", timeout=SLOW)
    assert colours_in(chart(fresh)) >= set(line_colours(LIGHT)[:3])
    assert fresh.locator(".st-key-compare_written").inner_text() == page.locator(".st-key-compare_written").inner_text()
    other.close()


def test_the_basket_follows_and_the_report_needs_no_network(
    site: Site, page: Page, browser: Browser, three: list[Run], tmp_path
) -> None:
    for run in three[:2]:
        page.goto(f"{site.address}/run?run={run.id}")  # a new page load is a new session: the basket begins anew
        settle(page)
        page.get_by_role("button", name="Add to basket").click()
        expect(page.locator(".st-key-basket")).to_contain_text("Compare 1 run", timeout=SLOW)
    page.get_by_role("link", name="Runs", exact=True).click()
    settle(page)
    expect(page.locator(".st-key-basket")).to_contain_text("Compare 1 run", timeout=SLOW)
    page.goto(f"{site.address}/compare?runs={three[0].id},{three[1].id}")
    settle(page)
    page.get_by_role("button", name="Share").click()
    with page.expect_download() as got:
        page.get_by_role("button", name="Report").click()
    file = tmp_path / got.value.suggested_filename
    got.value.save_as(file)
    alone = browser.new_context(offline=True)
    requested, errors = [], []
    report = alone.new_page()
    report.on("request", lambda request: requested.append(request.url))
    report.on("pageerror", lambda error: errors.append(str(error)))
    report.goto(file.as_uri())
    expect(report.get_by_role("heading", name="Validation accuracy").first).to_be_visible(timeout=SLOW)
    expect(report.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(report.get_by_text("beats").first).to_be_visible()
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []
    alone.close()


def chart(page: Page) -> Locator:
    return page.locator(".st-key-compare_look_card canvas").first


def colours_in(canvas: Locator) -> set[str]:
    """Those that fill more than a few pixels: of a slanting line most are blended with the ground."""
    expect(canvas).to_be_visible(timeout=SLOW)
    canvas.page.wait_for_timeout(500)  # drawn after the script has ended
    data = str(canvas.evaluate("canvas => canvas.toDataURL()")).partition(",")[2]
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    return {"#" + bytes(colour).hex().upper() for count, colour in image.getcolors(1 << 24) or () if count > 12}


def brush_the_better_half(page: Page) -> None:
    """Drag over the upper part of the last axis."""
    canvas = chart(page)
    canvas.scroll_into_view_if_needed()
    settle(page)
    page.wait_for_timeout(700)  # the axes are drawn after the script has ended
    box = canvas.bounding_box()
    assert box is not None
    x = box["x"] + box["width"] - 69
    page.mouse.move(x, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 190, steps=8)
    page.mouse.up()
    settle(page)
