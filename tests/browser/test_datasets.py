"""From a zip to a data set without its repeats, in a real browser with the real import and scan."""

import random
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from storage import Dataset
from tests.browser.conftest import Site
from tests.browser.pages import open_form, settle
from tests.cli import until
from tests.engine.pictures import encoded
from tests.pages.seed_datasets import drawn


@pytest.fixture
def zip_with_repeats(tmp_path: Path) -> Path:
    """Two classes of eight drawn images; one star lies in it twice."""
    path, chance = tmp_path / "모양.zip", random.Random(5)
    with zipfile.ZipFile(path, "w") as archive:
        for shape in ("star", "ring"):
            for number in range(8):
                archive.writestr(f"{shape}/{number}.png", encoded(drawn(shape, chance)))
        archive.writestr("star/again.png", archive.read("star/3.png"))
    return path


def imported(site: Site, page: Page, name: str) -> Dataset:
    def found() -> Dataset | None:
        page.wait_for_timeout(200)
        return next((dataset for dataset in site.store.datasets.list() if dataset.name == name), None)

    dataset: Dataset = until(found, within_s=60)
    return dataset


def test_a_repeat_is_found_in_an_upload_and_taken_out_and_back(site: Site, page: Page, zip_with_repeats: Path) -> None:
    page.goto(f"{site.address}/datasets")
    settle(page)
    open_form(page)
    page.locator("input[type=file]").set_input_files(zip_with_repeats)
    dataset = imported(site, page, "모양")
    assert dataset.images == 17
    page.get_by_role("button", name="모양", exact=True).click()
    expect(page.get_by_role("heading", name="모양")).to_be_visible()
    settle(page)
    page.get_by_role("tab", name="Scan").click()
    settle(page)
    expect(page.get_by_text("again.png").first).to_be_visible()
    expect(page).to_have_url(f"{site.address}/datasets?dataset={quote(dataset.id)}&view=Scan")
    page.get_by_role("button", name="Keep the first, exclude 1").first.click()
    expect(page.get_by_text("16 images").first).to_be_visible(timeout=15_000)
    expect(page.get_by_text("1 excluded image", exact=True)).to_be_visible()
    left = site.store.datasets.get(dataset.id)
    assert left.images == 16
    assert left.fingerprint != dataset.fingerprint
    settle(page)
    page.get_by_role("button", name="Take all back in").click()
    expect(page.get_by_text("17 images").first).to_be_visible(timeout=15_000)
    assert site.store.datasets.get(dataset.id).fingerprint == dataset.fingerprint
