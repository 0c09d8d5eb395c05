"""The drop zone of the Data sets page, in a real browser over a slow line."""

import io
import random
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from storage import Dataset
from tests.browser.conftest import Site
from tests.browser.pages import open_form, settle
from tests.cli import until


@pytest.fixture
def zip_of_noise(tmp_path: Path) -> Path:
    """Two classes of pictures that do not compress: some 700 kB."""
    path, chance = tmp_path / "고양이.zip", random.Random(0)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("cat", "dog"):
            for number in range(6):
                picture = io.BytesIO()
                Image.frombytes("RGB", (140, 140), chance.randbytes(140 * 140 * 3)).save(picture, "PNG")
                archive.writestr(f"{name}/{number}.png", picture.getvalue())
    return path


@pytest.fixture
def sent(site: Site, page: Page) -> list[str]:
    """The Data sets page is open; the uploads that the browser begins."""
    begun: list[str] = []
    page.on("request", lambda request: begun.append(request.url) if request.method == "PUT" else None)
    page.goto(f"{site.address}/datasets")
    settle(page)
    open_form(page)
    return begun


def slow_line(page: Page, bytes_a_second: int) -> None:
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
    )


def choose(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)


def call_it(page: Page, name: str) -> None:
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Name").press("Enter")


def imported(site: Site, page: Page, name: str) -> Dataset:
    def found() -> Dataset | None:
        page.wait_for_timeout(200)
        return next((dataset for dataset in site.store.datasets.list() if dataset.name == name), None)

    dataset: Dataset = until(found)
    return dataset


def until_nothing_is_left(site: Site, page: Page) -> None:
    until(lambda: page.wait_for_timeout(100) or not list(site.store.home.uploads.iterdir()))


def test_a_name_typed_meanwhile_is_taken_and_a_taken_one_asks_for_another(
    site: Site, page: Page, sent: list[str], zip_of_noise: Path
) -> None:
    slow_line(page, 150_000)
    choose(page, zip_of_noise)
    expect(page.get_by_role("progressbar", name="Upload")).to_be_visible()
    expect(page.locator(".amount")).to_contain_text("left")
    call_it(page, "pets")
    assert imported(site, page, "pets").images == 12
    settle(page)
    choose(page, zip_of_noise)
    expect(page.get_by_text("is taken by another data set")).to_be_visible(timeout=30_000)
    assert len(sent) == 2
    call_it(page, "more pets")
    assert imported(site, page, "more pets").images == 12
    assert len(sent) == 2  # the zip was kept, not sent again
    until_nothing_is_left(site, page)


def test_the_keyboard_cancels_and_nothing_is_left(site: Site, page: Page, sent: list[str], zip_of_noise: Path) -> None:
    slow_line(page, 20_000)
    choose(page, zip_of_noise)
    until(lambda: page.wait_for_timeout(100) or list(site.store.home.uploads.iterdir()))
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="choose one")).to_be_focused()
    until_nothing_is_left(site, page)
    assert len(sent) == 1


def test_what_cannot_be_taken_is_told_before_it_is_sent(page: Page, sent: list[str], tmp_path: Path) -> None:
    for name, size, words in (
        ("huge.zip", 30 * 10**9, "It has 30.0 GB; at most 20.0 GB are taken."),
        ("nothing.zip", 0, "nothing.zip is empty."),
        ("photos.rar", 10, "photos.rar is no zip."),
    ):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
        choose(page, tmp_path / name)
        expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    assert not sent
