"""The command for the results of a run: what its best checkpoint gets right, and what it takes for what."""

import argparse
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from engine import api
from engine.artifacts.scores import confused_pairs, results
from engine.cli.arguments import RUN, Commands, command
from engine.cli.console import FAILED, LEFT, OK, err, output
from engine.cli.formatting import table_of
from engine.cli.progress import wait_for_predictions
from storage import Run, Store

MOST_CLASSES, MOST_PAIRS = 40, 10  # that are printed


def add_to(commands: Commands) -> None:
    """Add it to the parser of all."""
    text = "Show what a run's best checkpoint gets right: accuracy, scores of each class, what is taken for what."
    one = command(commands, "results", show_results, text, as_json=True)
    one.add_argument("id", metavar="RUN", help=RUN)
    one.add_argument("--data", metavar="DATASET", help="a labelled data set (default: the run's own)")
    one.add_argument("--part", help="validation, test, train or all (default: the first of these that there is)")


def show_results(store: Store, options: argparse.Namespace) -> int:
    run = api.find_run(store, options.id)
    api.find_checkpoint(store, run.id, "best")  # else this is what there is to say
    dataset = options.data or run.dataset_id
    part = options.part or api.predictable_parts(store, run.id, dataset)[0]
    try:
        found = wait_for_predictions(store, lambda: api.predictions_on(store, run.id, dataset, part), err)
    except KeyboardInterrupt:
        err.print("Left waiting; what is under way goes on, and the same command shows it later.")
        return LEFT
    if isinstance(found, api.Preview):
        err.print(found.problem or "", markup=False)
        return FAILED
    summary = results(found)
    output(options, summary, _page(run, summary))
    return OK


def _page(run: Run, summary: dict[str, Any]) -> Group:
    where = f"{summary['part']} of {summary['dataset']}" if summary["part"] != "all" else f"all of {summary['dataset']}"
    tops = [f"{name.replace('_', ' ')} {summary[name]:.4f}" for name in summary if name.endswith(("accuracy", "error"))]
    scores = table_of("class", "images", "precision", "recall", "F1")
    classes = summary["classes"]
    if len(classes) > MOST_CLASSES:  # those that need a look
        classes = sorted(classes, key=lambda one: 2.0 if one["f1"] is None else one["f1"])[:MOST_CLASSES]
    for one in classes:
        shown = ["-" if one[name] is None else f"{one[name]:.4f}" for name in ("precision", "recall", "f1")]
        scores.add_row(Text(one["name"]), f"{one['images']:,}", *shown)
    more = len(summary["classes"]) - len(classes)
    return Group(
        Text(f"{run.name} ({run.id}), epoch {summary['epoch']}, {where}: {summary['images']:,} images"),
        Text(", ".join(tops)),
        scores,
        *([Text(f"and {more:,} classes with a higher F1 or without images; --json lists them")] if more else []),
        *_pairs(summary),
    )


def _pairs(summary: dict[str, Any]) -> list[Any]:
    """What was most often taken for something else."""
    pairs = confused_pairs(np.array(summary["confusion"]), MOST_PAIRS)
    if not pairs:
        return [Text("All images are right.")]
    names, table = [one["name"] for one in summary["classes"]], table_of("true", "taken for", "images")
    for pair in pairs:
        table.add_row(Text(names[pair.true]), Text(names[pair.guess]), f"{pair.images:,}")
    return [Text(""), table]
