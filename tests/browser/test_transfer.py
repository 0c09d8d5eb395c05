"""From one's own photos to a network that thaws stage by stage, seen before the start and on the curves."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.api import RunSpec
from storage import RunState
from tests.browser.conftest import Site
from tests.browser.pages import open_form, settle
from tests.browser.test_datasets import imported
from tests.browser.test_flows import chart, run_in
from tests.cli import until
from tests.engine.pictures import digits, write_zip

PER_CLASS = 12


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Real handwritten digits of two classes as images; one of them lies in it twice."""
    path = tmp_path / f"two digits {tmp_path.name[-4:]}.zip"  # a second try finds what the first has imported
    two = {name: data for name, data in digits(PER_CLASS).items() if name[0] in "01"}
    write_zip(path, two)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("0/again.png", two["0/0-3.png"])
    return path


def choose(page: Page, label: str, option: str) -> None:
    settle(page)
    box = page.get_by_role("combobox", name=label).first
    box.click()
    box.fill(option)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # a list of several stays open
    settle(page)


def test_own_images_from_the_scan_to_thaw_marks_on_the_curves(site: Site, page: Page, photos: Path) -> None:
    page.goto(f"{site.address}/datasets")
    settle(page)
    open_form(page)
    page.locator("input[type=file]").set_input_files(photos)
    dataset = imported(site, page, photos.stem)
    page.goto(f"{site.address}/datasets?dataset={dataset.id}&view=Scan")
    settle(page)
    expect(page.get_by_text("again.png").first).to_be_visible()
    page.get_by_role("button", name="Keep the first, exclude 1").first.click()
    until(
        lambda: page.wait_for_timeout(200) or site.store.datasets.get(dataset.id).images == 2 * PER_CLASS, within_s=20
    )

    page.goto(f"{site.address}/new_run?dataset={dataset.id}")
    choose(page, "Backbone", "ResNet-18")
    choose(page, "Freezing", "Gradual unfreezing")
    choose(page, "Augmentation", "Rotate")
    expect(page.locator(".st-key-new_thaw_plan canvas").first).to_be_visible()
    expect(page.locator(".st-key-new_augmentation img").first).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Learn at the start")).to_be_visible(timeout=120_000)
    for label, value in (("A stage thaws every (epochs)", "1"), ("Epochs", "4"), ("Image size (px)", "32")):
        settle(page)
        page.get_by_role("spinbutton", name=label, exact=True).fill(value)
        page.keyboard.press("Enter")
    settle(page)
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")  # from under the header
    page.get_by_role("button", name="Start training").click()
    run_id = run_in(page)
    run = until(lambda: page.wait_for_timeout(500) or _over(site, run_id), within_s=120)
    assert run.state is RunState.FINISHED, run.reason
    spec = RunSpec.parse(run.spec)
    assert (spec.freeze.policy, spec.data.augmentations) == ("gradual", ("rotate",))
    assert run.dataset_fingerprint == site.store.datasets.get(dataset.id).fingerprint != dataset.fingerprint
    settle(page)
    expect(chart(page, "loss")).to_be_visible()
    assert "Epoch 2: layer4 thawed." in [event.text for event in site.store.events.list(run_id)]


def _over(site: Site, run_id: str):
    run = site.store.runs.get(run_id)
    return run if run.state.is_over else False
