"""Will it fit? Measured by a real engine, in words that follow the batch size."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.pages import settle

MEMORY = re.compile(r"(?:Fits|Tight|Does not fit) ([\d.]+) (MB|GB) of")


def test_the_fit_panel_follows_the_batch_size(site: Site, page: Page) -> None:
    page.goto(f"{site.address}/new_run?dataset=digits&data.image_size=96")
    settle(page)
    panel = page.locator(".st-key-new_fit")
    expect(panel).to_contain_text(MEMORY, timeout=120_000)
    memory = {}
    for batch in ("16", "1024"):
        field = page.get_by_role("spinbutton", name="Batch size")
        field.fill(batch)
        field.press("Enter")
        settle(page)
        expect(panel).to_contain_text(MEMORY)
        memory[batch] = megabytes(panel.inner_text())
    assert memory["1024"] > 1.2 * memory["16"]
    panel.get_by_role("button", name="an epoch").click()
    expect(page.get_by_text("Activations of a batch")).to_be_visible()
    expect(page.get_by_text("Largest batch that fits")).to_be_visible()


def megabytes(text: str) -> float:
    found = MEMORY.search(" ".join(text.split()))
    assert found, text
    return float(found[1]) * {"MB": 1, "GB": 1000}[found[2]]
