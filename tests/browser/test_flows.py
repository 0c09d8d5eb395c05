"""What a person does, in a real browser, with the real server, engine and training."""

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from engine import api
from engine.api import RunSpec
from pages.parts.runs.table import HEAD, ROW
from storage import Dataset, Run, RunState
from tests.browser.conftest import Site
from tests.browser.pages import open_form, settle
from tests.cli import LONG, until, until_state
from tests.evaluation import accuracy_of_file


def chart(page: Page, title: str) -> Locator:
    return page.locator(f".st-key-run_figure_{title.lower()} canvas").first


def picture(page: Page, title: str) -> str:
    """What a chart's canvas shows."""
    return str(chart(page, title).evaluate("canvas => canvas.toDataURL()"))


def run_in(page: Page) -> str:
    page.wait_for_url(re.compile(r"/run\?run=\w+"), timeout=30_000)
    return page.url.rpartition("run=")[2]


def test_a_link_to_a_run_opens_first_thing_on_a_fresh_server(site: Site, page: Page) -> None:
    page.goto(f"{site.address}/run?run=nothere")
    settle(page)
    expect(page.get_by_text("This run is not here")).to_be_visible()
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_the_demo_from_the_button_to_a_file_that_works(site: Site, page: Page, tmp_path: Path) -> None:
    page.goto(site.address)
    settle(page)
    page.get_by_role("button", name="Train the demo").click()
    run_id = run_in(page)
    page.evaluate("window.neverReloaded = true")
    expect(chart(page, "loss")).to_be_visible(timeout=60_000)
    seen = {picture(page, "loss")}
    until(lambda: page.wait_for_timeout(500) or seen.add(picture(page, "loss")) or len(seen) >= 3, within_s=60)
    expect(page.locator(".st-key-run_facts")).to_contain_text("Finished", timeout=120_000)
    assert page.evaluate("window.neverReloaded")

    run = site.store.runs.get(run_id)
    assert run.state is RunState.FINISHED
    assert run.best_value is not None
    assert run.best_value >= 0.97
    settle(page)
    expect(page.get_by_text(f"at epoch {run.best_epoch} of {run.epochs}")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="Best checkpoint").click()
    weights = tmp_path / got.value.suggested_filename
    got.value.save_as(weights)
    assert weights.name == f"digits demo-e{run.best_epoch:04d}.safetensors"
    assert abs(accuracy_of_file(site.store, weights, tmp_path / "cache") - run.best_value) < 1e-6

    still = picture(page, "loss")
    page.wait_for_timeout(4000)
    assert picture(page, "loss") == still
    page.reload()
    settle(page)
    assert run_in(page) == run_id
    expect(page.get_by_role("heading", name="digits demo")).to_be_visible()


def test_the_zoom_survives_refreshes_and_the_run_stops(site: Site, page: Page) -> None:
    run = started(site)
    page.goto(f"{site.address}/run?run={run.id}")
    until(lambda: page.wait_for_timeout(200) or site.store.runs.get(run.id).step > 300, within_s=60)
    settle(page)
    expect(chart(page, "loss")).to_be_visible(timeout=30_000)
    reset = page.get_by_role("button", name="Reset zoom")
    for _ in range(3):  # a refresh in the middle of a drag lets go of the brush
        drag_over(page, chart(page, "loss"))
        page.wait_for_timeout(5000)
        if reset.is_visible():
            break
    expect(reset).to_be_visible()
    zoomed = reset.inner_text()
    before = site.store.runs.get(run.id).step
    page.wait_for_timeout(7000)  # more than two refreshes
    assert site.store.runs.get(run.id).step > before
    assert reset.inner_text() == zoomed
    reset.click()
    expect(reset).to_have_count(0)
    page.get_by_role("button", name="Stop", exact=True).click()
    until_state(site.store, run.id, RunState.STOPPED)
    expect(page.locator(".st-key-run_facts")).to_contain_text("Stopped", timeout=15_000)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_start_pressed_in_two_tabs_starts_one_run(site: Site, context: BrowserContext) -> None:
    before = len(site.store.runs.list())
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(f"{site.address}/new_run")
        settle(tab)
        tab.get_by_role("spinbutton", name="Epochs").fill("3")
        tab.get_by_role("spinbutton", name="Epochs").press("Enter")
        settle(tab)
    for tab in tabs:
        tab.get_by_role("button", name="Start training").click(no_wait_after=True)
    ids = {run_in(tab) for tab in tabs}
    assert len(ids) == 1
    assert len(site.store.runs.list()) == before + 1
    assert site.store.runs.get(ids.pop()).epochs == 3


def test_photos_come_in_by_upload_and_a_bad_zip_is_refused_in_words(
    site: Site, page: Page, cifar_zip: Path, tmp_path: Path
) -> None:
    page.goto(f"{site.address}/datasets")
    settle(page)
    open_form(page)
    page.locator("input[type=file]").set_input_files(few_photos(cifar_zip, tmp_path / "pets.zip", ("cat", "dog")))
    dataset = until(lambda: page.wait_for_timeout(200) or named(site, "pets"), within_s=60)
    assert dataset.counts == {"train": {"cat": 20, "dog": 20}, "validation": {"cat": 5, "dog": 5}}
    expect(page.get_by_text("50 images · 2 classes")).to_be_visible(timeout=15_000)
    settle(page)
    page.locator("input[type=file]").set_input_files(few_photos(cifar_zip, tmp_path / "lone.zip", ("cat",)))
    expect(page.get_by_text("lone was not imported.")).to_be_visible(timeout=60_000)
    assert named(site, "lone") is None
    assert not list(site.store.home.uploads.iterdir())


@pytest.mark.slow
def test_6000_photos_come_in_by_upload_and_train_with_resnet18(site: Site, page: Page, cifar_zip: Path) -> None:
    page.goto(f"{site.address}/datasets")
    settle(page)
    open_form(page)
    page.locator("input[type=file]").set_input_files(cifar_zip)
    dataset = until(lambda: page.wait_for_timeout(200) or named(site, "cifar10-6k"), within_s=120)
    assert dataset.images == 6000
    page.goto(f"{site.address}/datasets?dataset={dataset.id}")
    settle(page)
    page.get_by_role("button", name="Train on it").click()
    settle(page)
    page.get_by_text("Balanced", exact=True).click()
    for field, value in (("Image size (px)", "32"), ("Epochs", "1")):
        settle(page)
        page.get_by_role("spinbutton", name=field).fill(value)
        page.get_by_role("spinbutton", name=field).press("Enter")
    settle(page)
    page.get_by_role("button", name="Start training").click()
    run = until_state(site.store, run_in(page), RunState.FINISHED, within_s=240)
    assert (run.dataset_id, run.spec["model"]["backbone"]) == (dataset.id, "resnet18")
    assert (run.best_value or 0) > 0.2  # ten classes: chance is 0.1
    expect(page.locator(".st-key-run_facts")).to_contain_text("Finished", timeout=15_000)


def test_a_name_opens_its_run_and_ticks_outlive_refreshes(site: Site, page: Page) -> None:
    api.start_run(site.store, RunSpec.parse(LONG | {"name": "열려라"}))
    page.goto(f"{site.address}/runs")
    settle(page)
    table = page.get_by_test_id("stDataFrame").first
    box = table.bounding_box()
    assert box is not None
    first_row = box["y"] + HEAD + ROW / 2
    page.mouse.click(box["x"] + 16, first_row)
    expect(page.get_by_text("1 run ticked")).to_be_visible()
    page.wait_for_timeout(4000)  # a refresh
    expect(page.get_by_text("1 run ticked")).to_be_visible()
    page.mouse.click(box["x"] + 80, first_row)
    assert run_in(page) == site.store.runs.list(limit=1)[0].id
    expect(page.get_by_role("heading", name="열려라")).to_be_visible()


def started(site: Site) -> Run:
    run = api.start_run(site.store, RunSpec.parse(LONG | {"name": "long"}))
    api.ensure_supervisor(site.store.home)
    return until_state(site.store, run.id, RunState.RUNNING)


def drag_over(page: Page, canvas: Locator) -> None:
    """Click the brush in the chart's corner, then drag over the middle third of its steps."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 24, box["y"] + 20)
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2 * box["width"] / 3, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()


def few_photos(source: Path, target: Path, classes: tuple[str, ...]) -> Path:
    """A small zip of the photos in a large one."""
    with zipfile.ZipFile(source) as photos, zipfile.ZipFile(target, "w") as few:
        for part, number in (("train", 20), ("validation", 5)):
            for name in classes:
                inside = [path for path in photos.namelist() if f"/{part}/{name}/" in path and path.endswith(".jpg")]
                for path in inside[:number]:
                    few.writestr(path, photos.read(path))
    return target


def named(site: Site, name: str) -> Dataset | None:
    return next((dataset for dataset in site.store.datasets.list() if dataset.name == name), None)
