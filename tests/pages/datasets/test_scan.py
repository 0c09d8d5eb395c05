"""The Scan and Splits views: findings by their images, exclusion and back, the numbers a run would get."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from engine import api
from engine.api import Finding
from storage import Dataset, Store
from tests.pages import seed, seed_datasets
from tests.pages.pages import DATASETS, fine, keys, opened, read


def click(app: AppTest, key: str) -> AppTest:
    return fine(app.button(key=key).click().run())


def finding(store: Store, kind: str) -> tuple[int, Finding]:
    """The first finding of a kind, with its place on the page."""
    scan = api.dataset_scan(store, "shapes")
    assert scan is not None
    return next((place, one) for place, one in enumerate(scan.findings) if one.kind == kind)


def test_every_finding_is_told_with_its_images(calm: Store, shapes: Dataset) -> None:
    scan = api.dataset_scan(calm, "shapes")
    assert scan is not None
    assert {"duplicate", "near_duplicate", "leak", "tiny", "imbalance", "undecodable"} <= {
        one.kind for one in scan.findings
    }
    app = opened(DATASETS, dataset="shapes", view="Scan")
    shown = read(app)
    for one in scan.findings:
        assert one.title in shown
        assert one.text.replace("\n", " ") in shown
    assert "IMG_2041 (1).png" in shown
    assert app.dataframe[0].value["path"].tolist() == ["train/ring/Thumbs.png", "train/star/IMG_2042.png"]


def test_one_image_is_excluded_and_taken_back_in(calm: Store, shapes: Dataset) -> None:
    place, leak = finding(calm, "leak")
    judged = next(image_id for image_id in leak.groups[0] if image_id.startswith("validation/"))
    app = opened(DATASETS, dataset="shapes", view="Scan")
    click(app, f"datasets_out_finding_{place}_0_{judged}")
    assert calm.datasets.get("shapes").excluded == (judged,)
    assert calm.datasets.get("shapes").images == shapes.images - 1
    assert "1 excluded image" in read(app)
    assert "One of them is left." in read(app)
    click(app, f"datasets_in_excluded_{judged}")
    assert calm.datasets.get("shapes").images == shapes.images
    assert "excluded image" not in read(app)


def test_all_but_the_first_of_each_group(calm: Store, shapes: Dataset) -> None:
    place, repeats = finding(calm, "duplicate")
    assert len(repeats.groups) > 1
    app = opened(DATASETS, dataset="shapes", view="Scan")
    click(app, f"datasets_all_finding_{place}")
    kept = calm.datasets.get("shapes")
    assert set(kept.excluded) == {image_id for group in repeats.groups for image_id in group[1:]}
    assert f"datasets_all_finding_{place}" not in keys(app)
    assert "settled" in read(app)
    click(app, "datasets_include_all")
    assert calm.datasets.get("shapes").excluded == ()


def test_a_group_is_settled_by_one_click(calm: Store, shapes: Dataset) -> None:
    place, repeats = finding(calm, "duplicate")
    app = opened(DATASETS, dataset="shapes", view="Scan")
    click(app, f"datasets_rest_finding_{place}_0")
    assert set(calm.datasets.get("shapes").excluded) == set(repeats.groups[0][1:])


def test_a_class_keeps_an_image_to_learn_from(calm: Store, shapes: Dataset) -> None:
    rings = [image_id for image_id in api.dataset_images(calm, "shapes", "ring") if image_id.startswith("train/")]
    api.exclude_images(calm, "shapes", rings[:-1])
    app = opened(DATASETS, dataset="shapes", view="Look")
    click(app, "datasets_browse_ring")
    click(app, f"datasets_browse_{rings[-1]}")
    assert "learn ring from" in app.session_state["datasets_refused"]["browse"][0]
    assert len(calm.datasets.get("shapes").excluded) == len(rings) - 1


def test_without_a_scan_one_is_asked_for_once(calm: Store) -> None:
    app = opened(DATASETS, dataset="digits", view="Scan")
    assert "Not scanned yet" in read(app)
    click(app, "datasets_scan")
    assert [(one.kind, one.target) for one in calm.requests.open()] == [("scan_dataset", "digits")]
    assert "datasets_scan" not in keys(app)
    assert "The scan is under way" in read(app)
    bars = [one.proto.text for one in app.get("progress")]
    assert any(text.startswith("Scanning digits") for text in bars)


@pytest.mark.parametrize(("findings", "groups"), [(0, 0), (1, 500), (500, 1)])
def test_none_and_five_hundred_findings(
    calm: Store, shapes: Dataset, monkeypatch: pytest.MonkeyPatch, findings: int, groups: int
) -> None:
    scan = api.dataset_scan(calm, "shapes")
    ids = api.dataset_images(calm, "shapes", "circle")
    one = Finding("duplicate", "Twice", "The same image twice.", (tuple(ids[:2]),) * groups, "exclude")
    many = replace(scan, findings=tuple(replace(one, title=f"Twice {place}") for place in range(findings)))
    monkeypatch.setattr(api, "dataset_scan", lambda store, dataset_id: many)
    app = opened(DATASETS, dataset="shapes", view="Scan")
    assert ("Nothing to worry about" in read(app)) == (findings == 0)
    assert len([key for key in keys(app) if key.startswith("datasets_out_")]) <= 16


def test_splits_are_counted_by_the_engine_as_a_run_would(calm: Store, shapes: Dataset) -> None:
    seed_datasets.digits(calm)
    app = opened(DATASETS, dataset="digits", view="Splits")
    values = [int(one.value.replace(",", "")) for one in app.metric]
    assert sum(values) == 1797
    assert values[2] == 0
    fine(app.slider(key="datasets_test_fraction").set_value(0.1).run())
    assert int(app.metric[2].value) == pytest.approx(180, abs=10)
    app = opened(DATASETS, dataset="shapes", view="Splits")
    assert "It came with a validation part of its own" in read(app)
    assert app.slider(key="datasets_validation_fraction").disabled
    assert int(app.metric[1].value) == sum(shapes.counts["validation"].values())


def test_a_pattern_that_is_none_is_refused_in_words(calm: Store, shapes: Dataset) -> None:
    app = opened(DATASETS, dataset="shapes", view="Splits")
    fine(app.text_input(key="datasets_group_by").set_value("(").run())
    assert ":red[" in "\n".join(one.value for one in app.markdown)
    assert "No split with these settings" in read(app)
    assert "datasets_split_train" not in keys(app)


def test_runs_that_learnt_from_other_images_are_counted(store: Store) -> None:
    made = seed.full_home(store)
    shapes = store.datasets.get("shapes")
    store.runs.update(made["small"].id, dataset_fingerprint="another")
    store.runs.update(made["long"].id, dataset_fingerprint=shapes.fingerprint)
    app = opened(DATASETS, dataset="shapes", view="Runs")
    ids = app.dataframe[0].value["id"].tolist()
    assert made["small"].id in ids
    assert made["finished"].id not in ids  # of digits
    assert "1 run of these learnt from other images" in read(app)
