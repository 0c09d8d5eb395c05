"""Results in a real browser, of a run that was really trained: a cell of the confusion matrix opens its images."""

import re

import numpy as np
from playwright.sync_api import BrowserContext, Locator, Page, expect

from engine import api
from engine.api import Predictions, RunSpec
from pages.parts.analysis.results import changes, image_selection
from storage import Run, RunState
from tests.browser.conftest import Site
from tests.browser.pages import settle
from tests.cli import until_state

QUICK = {"data": {"dataset": "digits", "image_size": 16}, "model": {"backbone": "small_cnn"}, "epochs": 1}
LABELS, FOOT = 20, 24  # pixels that one-letter class names take beside and below the matrix


def test_a_cell_opens_as_many_images_as_its_number(site: Site, page: Page, context: BrowserContext) -> None:
    run = trained(site)
    found = api.run_predictions(site.store, run.id)
    assert found is not None
    matrix = found.confusion
    page.goto(f"{site.address}/run?run={run.id}")
    settle(page)
    page.get_by_role("button", name="Results").click()
    page.wait_for_url(re.compile(rf"/results\?run={run.id}"), timeout=30_000)
    settle(page)
    expect(page.get_by_text(f"{matrix.trace():,} of {matrix.sum():,} images")).to_be_visible()

    for true, guess in some_cells(matrix):
        click_cell(page, matrix, true, guess)
        expect(page).to_have_url(re.compile(rf"true={true}&guess={guess}"))
        shown = all_tiles(page)
        assert shown == [found.ids[place] for place in image_selection.of_cell(found, true, guess)]
        assert len(shown) == matrix[true, guess]

    again = context.new_page()  # someone else's browser, by the address alone
    again.goto(page.url)
    settle(again)
    assert tiles(again).all() and ids(tiles(again)) == ids(tiles(page))
    again.get_by_role("tab", name="Mistakes").click()
    expect(again.get_by_text(f"{len(image_selection.mistakes(found)):,} mistakes")).to_be_visible()
    assert all_tiles(again) == [found.ids[place] for place in image_selection.mistakes(found)]
    one_image(again, found)


def test_two_runs_are_compared_down_to_their_images(site: Site, page: Page) -> None:
    runs = [trained(site, seed=seed) for seed in (1, 2)]
    found = [api.run_predictions(site.store, run.id) for run in runs]
    assert found[0] is not None and found[1] is not None
    better = [one.accuracy for one in found]
    first, second = found if better[0] <= better[1] else found[::-1]
    page.goto(f"{site.address}/compare?runs={','.join(run.id for run in runs)}")
    settle(page)
    page.get_by_text("Image by image").click()
    expect(page).to_have_url(re.compile("images=true"))
    parted = changes.changes(first, second)
    for name, places in (("broken", parted.broken), ("fixed", parted.fixed)):
        page.get_by_text(f"{len(places):,} {name}", exact=True).click()
        page.wait_for_timeout(300)
        if len(places):
            assert all_tiles(page) == [first.ids[place] for place in places]


def trained(site: Site, seed: int = 0) -> Run:
    run = api.start_run(site.store, RunSpec.parse(QUICK | {"name": f"one epoch, seed {seed}", "seed": seed}))
    api.ensure_supervisor(site.store.home)
    return until_state(site.store, run.id, RunState.FINISHED, within_s=120)


def some_cells(matrix: np.ndarray) -> list[tuple[int, int]]:
    """A cell of the diagonal, and the largest beside it."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    largest = divmod(int(wrong.argmax()), len(matrix))
    best = int(matrix.diagonal().argmax())
    return [(best, best), largest]


def click_cell(page: Page, matrix: np.ndarray, true: int, guess: int) -> None:
    canvas = page.locator(".st-key-results_matrix_card canvas").first
    canvas.scroll_into_view_if_needed()
    settle(page)
    box, number = canvas.bounding_box(), len(matrix)
    assert box is not None
    x = box["x"] + LABELS + (guess + 0.5) * (box["width"] - LABELS - 6) / number
    y = box["y"] + 6 + (true + 0.5) * (box["height"] - FOOT - 6) / number
    page.mouse.click(x, y)


def tiles(page: Page) -> Locator:
    return page.locator(".tile button.open")


def ids(found: Locator) -> list[str]:
    return found.evaluate_all("buttons => buttons.map((one) => one.dataset.id)")


def all_tiles(page: Page) -> list[str]:
    """Of every page of the list."""
    settle(page)
    expect(tiles(page).first).to_be_visible()
    shown = ids(tiles(page))
    following = page.get_by_test_id("stPaginationNext")
    while following.count() and following.is_enabled():
        following.click()
        page.wait_for_timeout(300)
        settle(page)
        shown += ids(tiles(page))
    return shown


def one_image(page: Page, found: Predictions) -> None:
    """A click on an image opens it large, with where the network looks; the address holds it; Escape closes it."""
    first = ids(tiles(page))[0]
    tiles(page).first.click()
    dialog = page.get_by_test_id("stDialog")
    expect(dialog).to_contain_text(f"It is {found.classes[found.labels[found.ids.index(first)]]}")
    expect(page).to_have_url(re.compile(rf"image={first}"))
    expect(dialog.get_by_alt_text("Where the network looks")).to_be_visible(timeout=60_000)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page).not_to_have_url(re.compile("image="))
