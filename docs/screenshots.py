"""Pictures of every page, full and empty, light and dark, wide and phone: `python -m docs.screenshots [page ...]`."""

import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from benchmarks.fill import add_runs
from engine import api
from storage import Home, Run, Store
from tests.browser import chromium
from tests.browser.pages import serving, settle
from tests.pages import seed, seed_results, seed_searches

IMAGES = Path(__file__).parent / "images"
WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
TALLEST = 3200  # pixels
LARGEST = 190_000  # bytes
MADE = "!document.querySelector('[class*=st-key-previewing]')"

FULL = {
    "home": "/",
    "datasets": "/datasets",
    "dataset": "/datasets?dataset=shapes",
    "dataset-scan": "/datasets?dataset=shapes&view=Scan",
    "dataset-splits": "/datasets?dataset=shapes&view=Splits",
    "new-run": "/new_run?dataset=shapes&epochs=15&freeze.policy=gradual&freeze.rate_decay=0.4&"
    "data.augmentations=[flip,rotate,colour]&optimisation.schedule=cosine&model.backbone=resnet18",
    "new-search": "/new_search?dataset=digits",
    "searches": "/searches",
    "search": "/search?search={search}",
    "search-many": "/search?search={many}",
    "runs": "/runs",
    "compare": "/compare?runs={small},{long},{running}",
    "compare-many": "/compare?searches={many}",
    "compare-trade-offs": "/compare?searches={search}&compare_look=Trade-offs",
    "compare-images": "/compare?runs={first},{second}&images=true",
    "run": "/run?run={running}",
    "run-finished": "/run?run={finished}",
    "run-failed": "/run?run={failed}",
    "results": "/results?run={finished}",
    "results-cell": "/results?run={finished}&true=1&guess=2",
    "results-mistakes": "/results?run={finished}&tab=Mistakes",
    "results-calibration": "/results?run={finished}&tab=Calibration",
    "results-many": "/results?run={twenty}",
    "lab": "/lab",
    "machine": "/machine",
}
LARGE = {"runs-many": "/runs"}
EMPTY = {
    "home": "/",
    "datasets": "/datasets",
    "searches": "/searches",
    "search": "/search",
    "runs": "/runs",
    "compare": "/compare",
    "run": "/run",
    "results": "/results",
    "machine": "/machine",
}


def main(only: list[str]) -> int:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for place, (pages, suffix, fill) in enumerate(
            ((FULL, "", _full), (LARGE, "", _large), (EMPTY, "-empty", _empty))
        ):
            if only and not pages.keys() & set(only):
                continue
            home = Home.find(Path(folder) / f"home{place or ''}")
            shown = fill(api.open_store(home))
            with serving(home) as address, _previewer(home):
                for name, path in pages.items():
                    if not only or name in only:
                        _all_looks(browser, address + path.format(**shown), name, suffix)
        browser.close()
    return 0


def _full(store: Store) -> dict[str, str]:
    """A home with a bit of everything; ids by name."""
    made = seed.full_home(store)
    api.tag_runs(store, [made["finished"].id, made["long"].id], add=["baseline", "발표 자료 초안"])
    api.tag_runs(store, [made["small"].id, made["running"].id], add=["paper"])
    api.note_run(
        store, made["finished"].id, "A first look: **does the loop learn?**\n\n- rate 1e-3 was best\n- 다음: 더 긴 실험"
    )
    made |= seed_results.some(store, made) | {"twenty": seed_results.twenty(store)}
    return _ids(made) | seed_searches.some(store)


def _large(store: Store) -> dict[str, str]:
    seed.awake(store)
    add_runs(store, 1_000)
    return {}


def _empty(store: Store) -> dict[str, str]:
    seed.digits(store)
    seed.awake(store)
    return {}


@contextmanager
def _previewer(home: Home) -> Iterator[None]:
    """The seeded home has no supervisor that would start one."""
    folder = home.cache / "previews"
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen([sys.executable, "-m", "engine.previews.server", str(folder)], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _ids(runs: dict[str, Run]) -> dict[str, str]:
    return {name: run.id for name, run in runs.items()}


def _all_looks(browser: Browser, url: str, name: str, suffix: str) -> None:
    for theme in ("light", "dark"):
        for width_name, (width, height) in WIDTHS.items():
            path = IMAGES / f"{name}-{theme}-{width_name}{suffix}.png"
            _save(_picture(browser, url, theme, width, height), path)
            print(path, f"{path.stat().st_size / 1000:.0f} kB", flush=True)


def _picture(browser: Browser, url: str, theme: str, width: int, height: int) -> bytes:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    page.goto(url)
    settle(page)
    page.wait_for_function(MADE, timeout=180_000)  # a dry run takes a while
    settle(page)
    page.wait_for_timeout(700)  # images, fonts and charts are drawn after the script has ended
    whole = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    if whole > height:
        page.set_viewport_size({"width": width, "height": min(TALLEST, whole)})
        page.wait_for_timeout(500)
    settle(page)
    picture = page.screenshot()
    page.close()
    return picture


def _save(picture: bytes, path: Path) -> None:
    """With a palette of 256 colours: a third of the bytes, and the eye sees no difference on a dashboard."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64):
        image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
