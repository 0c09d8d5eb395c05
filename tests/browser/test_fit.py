"""Will it fit? Measured by a real engine, in words that follow the batch size."""

import re
import time

from playwright.sync_api import Page, expect

from engine import api
from storage import MetricPoint, RunState
from tests.browser.conftest import Site
from tests.browser.pages import settle
from tests.browser.test_flows import chart

MEMORY = re.compile(r"(?:Fits|Tight|Does not fit) ([\d.]+) (MB|GB) of")


def test_the_fit_panel_follows_the_batch_size(site: Site, page: Page) -> None:
    page.goto(f"{site.address}/new_run?dataset=digits&data.image_size=96")
    settle(page)
    panel = page.locator(".st-key-new_fit")
    expect(panel).to_contain_text(MEMORY, timeout=120_000)
    memory = {}
    for batch, steps in (("16", 90), ("1024", 2)):
        field = page.get_by_role("spinbutton", name="Batch size")
        field.fill(batch)
        field.press("Enter")
        expect(page.get_by_text(f"epochs of {steps} steps")).to_be_visible(timeout=30_000)
        settle(page)
        expect(panel).to_contain_text(MEMORY, timeout=30_000)
        memory[batch] = megabytes(panel.inner_text())
    assert memory["1024"] > 1.2 * memory["16"]
    panel.get_by_role("button", name="an epoch").click()
    expect(page.get_by_text("Activations of a batch")).to_be_visible()
    expect(page.get_by_text("Largest batch that fits")).to_be_visible()


def test_memory_that_ran_short_is_seen_in_list_and_page(site: Site, page: Page) -> None:
    spec = api.RunSpec.parse({"name": "cramped", "data": {"dataset": "digits"}, "model": {"backbone": "small_cnn"}})
    run = site.store.runs.add(name="cramped", spec=spec.model_dump(mode="json"), dataset_id="digits", epochs=1)
    site.store.runs.move(run.id, RunState.STARTING)
    site.store.runs.move(run.id, RunState.RUNNING)
    began = time.time()
    points = [
        MetricPoint(name=name, step=step, epoch=1, value=500.0 + step, at=began + step)
        for name in ("train/loss", "memory/rss_mb")
        for step in range(1, 20)
    ]
    site.store.metrics.add(run.id, points)
    said = "Out of memory: batches of 64 are now computed in 2 parts of 32."
    site.store.events.add(run.id, "warning", said, began + 9.5, code="memory_short")
    site.store.runs.move(run.id, RunState.FINISHED, step=19, steps=19, ended_at=began + 20)

    page.goto(f"{site.address}/runs")
    settle(page)
    expect(page.get_by_test_id("stDataFrame").first).to_contain_text("memory short")
    page.goto(f"{site.address}/run?run={run.id}")
    settle(page)
    expect(page.locator(".st-key-run_facts")).to_contain_text("memory short")
    expect(chart(page, "process")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    expect(table).to_contain_text("Out of memory: batches of 64")


def megabytes(text: str) -> float:
    found = MEMORY.search(" ".join(text.split()))
    assert found, text
    return float(found[1]) * {"MB": 1, "GB": 1000}[found[2]]
