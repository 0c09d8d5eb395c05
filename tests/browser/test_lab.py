"""The strategy lab: chosen ways are measured by real processes, and drawn side by side."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.pages import settle


def test_the_lab_measures_and_draws_two_ways_side_by_side(site: Site, page: Page) -> None:
    page.goto(f"{site.address}/lab")
    settle(page)
    for label, value in (("Data set", "digits"), ("Backbone", "small_cnn")):
        page.get_by_role("combobox", name=label).fill(value)
        page.get_by_role("combobox", name=label).press("Enter")
        settle(page)
    page.get_by_role("spinbutton", name="Image size").fill("16")
    page.get_by_role("spinbutton", name="Image size").press("Enter")
    settle(page)
    page.get_by_role("button", name="Measure").click()
    paces = page.locator(".st-key-lab_paces[data-stale=false]")
    expect(paces).to_contain_text("One process · 32 · fp32", timeout=120_000)
    expect(paces).to_contain_text("DDP x 2 · 32 · fp32", timeout=120_000)
    expect(page.locator(".st-key-lab_memories[data-stale=false]")).to_contain_text("rank1")
    expect(page.get_by_role("button", name="Measure again")).to_be_visible(timeout=30_000)
    table = page.get_by_test_id("stDataFrame").last
    expect(table).to_contain_text("DDP x 2")
    expect(table).to_contain_text("1.00 x")
