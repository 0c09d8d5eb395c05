"""What the command line prints: objects for scripts, tables for people."""

import time
from dataclasses import asdict
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from engine import api
from storage import Dataset, Run, Store, duration_text

MOST_GROUPS = 10  # of a finding that are printed


def run_summary(run: Run) -> dict[str, Any]:
    """The run as a plain object."""
    return {
        "id": run.id,
        "name": run.name,
        "state": str(run.state),
        "dataset": run.dataset_id,
        "epoch": run.epoch,
        "epochs": run.epochs,
        "attempt": run.attempt,
        "eta_s": run.eta_s,
        "duration_s": run.duration_s(),
        "best": None
        if run.best_value is None
        else {"name": run.metric, "value": run.best_value, "epoch": run.best_epoch},
        "reason": run.reason,
        "advice": run.advice,
        "tags": list(run.tags),
        "notes": run.about,
        "archived": run.archived_at is not None,
    }


def run_object(store: Store, run: Run) -> dict[str, Any]:
    """The run with its checkpoints, spec and newest metrics."""
    folder = store.home.run(run.id)
    return run_summary(run) | {
        "checkpoints": [
            {
                "epoch": one.epoch,
                "path": str(folder / one.path),
                "bytes": one.bytes,
                "sha256": one.sha256,
                "best": one.is_best,
                "last": one.is_last,
                "metrics": one.metrics,
            }
            for one in store.checkpoints.list(run.id)
        ],
        "metrics": {name: point.value for name, point in store.metrics.last(run.id).items()},
        "spec": run.spec,
        "folder": str(folder),
    }


def result(run: Run) -> str:
    """One line on how a run ended."""
    best = (
        ""
        if run.best_value is None
        else f" Best {run.metric} {run.best_value:.4f} in epoch {run.best_epoch} ({run.id})."
    )
    why = " ".join(filter(None, [run.reason, run.advice]))
    return f"{run.name}: {run.state}.{best}{' ' + why if why else ''}"


def runs_table(runs: list[Run]) -> Table | str:
    if not runs:
        return "No runs yet. Train the demo: thaw train examples/digits.yaml --wait"
    table = table_of("id", "name", "state", "epoch", "left", "best", "in epoch", "took", "tags")
    for run in runs:
        best = "" if run.best_value is None else f"{run.best_value:.4f}"
        row = [run.id, run.name, str(run.state), f"{run.epoch}/{run.epochs}", in_time(run.eta_s), best]
        table.add_row(*map(Text, [*row, str(run.best_epoch or ""), in_time(run.duration_s()), ", ".join(run.tags)]))
    return table


def run_page(store: Store, run: Run) -> Group:
    checkpoints = table_of("checkpoint", "epoch", "bytes", "val/accuracy", "")
    for one in store.checkpoints.list(run.id):
        value = one.metrics.get("val/accuracy")
        marks = " ".join(word for word, is_so in (("best", one.is_best), ("last", one.is_last)) if is_so)
        checkpoints.add_row(one.path, str(one.epoch), f"{one.bytes:,}", "" if value is None else f"{value:.4f}", marks)
    events = [Text(f"{_clock(event.at)}  {event.text}") for event in store.events.list(run.id, limit=20)]
    notes = [Text(f"\n{run.about}\n")] if run.about else []
    return Group(Text(f"{run.id}  {result(run)}{annotations(run)}"), *notes, checkpoints, *events)


def annotations(run: Run) -> str:
    """ " (tags: baseline, 발표; archived)": what a user put on it; nothing for a run without."""
    parts = [f"tags: {', '.join(run.tags)}"] if run.tags else []
    parts += ["archived"] if run.archived_at is not None else []
    return f" ({'; '.join(parts)})" if parts else ""


def dataset_object(dataset: Dataset, scan: api.Scan | None = None) -> dict[str, Any]:
    """The data set as a plain object, with what its scan found."""
    values = {
        "id": dataset.id,
        "name": dataset.name,
        "kind": dataset.kind,
        "images": dataset.images,
        "classes": list(dataset.classes),
        "counts": dataset.counts,
        "set_aside": list(dataset.set_aside),
        "excluded": list(dataset.excluded),
        "notes": list(dataset.notes),
        "about": dataset.about,
        "fingerprint": dataset.fingerprint,
    }
    if scan is None:
        return values
    kept = ("at", "mean", "std", "sizes", "channels", "findings")
    return values | {"scan": {name: value for name, value in asdict(scan).items() if name in kept}}


def datasets_table(datasets: list[Dataset]) -> Table:
    table = table_of("name", "images", "classes", "parts", "size", "set aside")
    for one in datasets:
        parts = ", ".join(one.counts)
        size = f"{one.width} x {one.height}, {'grey' if one.channels == 1 else 'colour'}"
        table.add_row(Text(one.name), f"{one.images:,}", str(len(one.classes)), parts, size, str(len(one.set_aside)))
    return table


def dataset_page(dataset: Dataset, scan: api.Scan | None = None) -> Group:
    lines = list(dataset.notes)
    lines += [f"set aside: {one['path']}: {one['reason']}" for one in dataset.set_aside]
    if dataset.excluded:
        lines.append(f"excluded: {', '.join(dataset.excluded)}")
    if dataset.about:
        lines += ["", dataset.about]
    return Group(datasets_table([dataset]), *map(Text, lines), *(_scan_lines(scan) if scan else ()))


def _scan_lines(scan: api.Scan) -> list[Text]:
    mean, std = (", ".join(f"{value:.3f}" for value in values) for values in (scan.mean, scan.std))
    lines = [Text(f"mean {mean}; standard deviation {std} (0 to 1)")]
    if not scan.findings:
        return [*lines, Text("The scan found nothing to put right.")]
    for found in scan.findings:
        lines += [Text(f"\n{found.title}", style="bold"), Text(found.text)]
        lines += [Text(f"  {', '.join(group)}", overflow="fold") for group in found.groups[:MOST_GROUPS]]
        if len(found.groups) > MOST_GROUPS:
            lines.append(Text(f"  and {len(found.groups) - MOST_GROUPS:,} more; --json lists them"))
    return lines


def status_object(store: Store) -> dict[str, Any]:
    row = store.engine.get()
    alive = api.engine_alive(store)
    return {
        "engine": {"alive": alive, "pid": row.pid if row and alive else None},
        "home": str(store.home.root),
        "slots": list(row.slots) if row else [],
        "searches": _searches(store),
        "runs": {str(state): n for state, n in store.runs.count().items()},
        "machine": row.machine if row and alive else api.machine_reading(store.home),
    }


def _searches(store: Store) -> dict[str, int]:
    states = [str(search.state) for search in store.searches.list(limit=-1)]
    return {state: states.count(state) for state in sorted(set(states))}


def status_page(status: dict[str, Any]) -> str:
    machine = status["machine"]
    pid = status["engine"]["pid"]
    lines = [
        f"Engine: {f'pid {pid}' if pid else 'not running (it starts on demand)'}",
        f"Home: {status['home']} ({machine['disk_free'] / 1e9:,.0f} GB free)",
        f"Runs: {', '.join(f'{n} {state}' for state, n in status['runs'].items()) or 'none'}",
        f"Searches: {', '.join(f'{n} {state}' for state, n in status['searches'].items()) or 'none'}",
        f"CPU: {machine['cpus']} cores, {machine['cpu_percent']:.0f} % busy; "
        f"memory {machine['memory_used'] / 1e9:.1f} of {machine['memory_total'] / 1e9:.1f} GB",
        *(
            f"GPU {gpu['index']}: {gpu['name']}, {gpu['memory_used'] / 1e9:.1f} of {gpu['memory_total'] / 1e9:.1f} GB"
            for gpu in machine["gpus"]
        ),
    ]
    return "\n".join(lines)


def table_of(*columns: str) -> Table:
    """A plain table with these heads."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def in_time(seconds: float | None) -> str:
    """As `duration_text` has it; nothing for None."""
    return "" if seconds is None else duration_text(seconds)


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
