"""Numbers and times in words a person reads at a glance."""

import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from unicodedata import east_asian_width

from storage import Run, RunState, duration_text

DASH = "–"

NOTES: dict[str, str] = {  # the code of a warning among a run's events -> what it met, in a word or two
    "memory_short": "memory short",
    "memory_short_norms": "memory short",
    "killed_for_memory": "memory short",
    "stalled": "stalled",
    "hung": "stalled",
    "killed": "killed",
    "killed_again": "killed",
}

METRIC_WORDS: dict[str, str] = {
    "train/loss": "Training loss",
    "train/accuracy": "Training accuracy",
    "val/loss": "Validation loss",
    "val/accuracy": "Validation accuracy",
    "lr/all": "Learning rate",
    "speed/images_per_s": "Throughput",
    "speed/epoch_s": "Time an epoch",
    "memory/rss_mb": "Process memory",
    "model/parameters": "Parameters",
    "model/learning_parameters": "Parameters that learn",
}


def duration(seconds: float | None) -> str:
    """0.4 s, 48 s, 2 min 32 s, 1 h 05 min, 3 d 4 h."""
    return DASH if seconds is None else duration_text(seconds)


def millions(count: int) -> str:
    """How many weights: 5,130, 11.2 million."""
    return f"{count:,}" if count < 100_000 else f"{count / 1e6:.3g} million"


def left(seconds: float | None) -> str:
    """About how long is left, rounded so that it does not flicker; "" when nobody knows."""
    if seconds is None:
        return ""
    if seconds < 5:
        return "a few seconds left"
    step = 5 if seconds < 120 else 30 if seconds < 3600 else 300
    return f"about {duration(round(seconds / step) * step)} left"


def ago(at: float | None, now: float | None = None) -> str:
    """just now, 5 min ago, 3 h ago, yesterday, 12 Mar, 12 Mar 2024."""
    if at is None:
        return DASH
    now = time.time() if now is None else now
    seconds = now - at
    if seconds < 45:
        return "just now"
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 86_400:
        return f"{round(seconds / 3600)} h ago"
    if seconds < 2 * 86_400:
        return "yesterday"
    day = datetime.fromtimestamp(at)
    return f"{day:%-d %b}" if day.year == datetime.fromtimestamp(now).year else f"{day:%-d %b %Y}"


def clock(at: float) -> str:
    """Local time of day, with the date when it was not today."""
    moment = datetime.fromtimestamp(at)
    return f"{moment:%H:%M:%S}" if moment.date() == datetime.now().date() else f"{moment:%-d %b %H:%M}"


def size(amount: float | None) -> str:
    """88.3 MB; powers of 1000, as disks are sold and browsers count downloads."""
    if amount is None:
        return DASH
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.0f} {unit}" if unit in ("B", "kB") or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def percent(share: float | None) -> str:
    """93.3%; never rounded up to 100."""
    if share is None:
        return DASH
    shown = f"{100 * share:.1f}%"
    return "99.9%" if shown == "100.0%" and share < 1 else "100%" if shown == "100.0%" else shown


def share(part: float) -> str:
    """93%, as short as a caption needs it; never rounded to 0 or 100."""
    shown = round(100 * part)
    return "<1%" if shown == 0 and part > 0 else ">99%" if shown == 100 and part < 0.9995 else f"{shown}%"


def number(value: float | None, digits: int = 4) -> str:
    """So many significant digits, thousands set apart: 0.3457, 1,412, 1e-05."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if digits == 4 and abs(value) >= 1000 else f"{value:,.{digits}g}"


def of_metric(name: str, value: float | None) -> str:
    """A metric's value as its kind is best read."""
    if name.endswith("/accuracy"):
        return percent(value)
    if name.endswith("_mb"):
        return size(value and value * 2**20)
    if name == "speed/images_per_s":
        return f"{number(value and round(value))} img/s" if value is not None else DASH
    return number(value)


def notes(warnings: Iterable[str]) -> list[str]:
    """What a run met on its way, by the codes of its warnings: ["memory short"]."""
    return list(dict.fromkeys(NOTES[code] for code in warnings if code in NOTES))


def metric(name: str) -> str:
    return METRIC_WORDS.get(name, name)


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """1 run, 24 runs, 1,797 images."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def some(names: Sequence[str], most: int) -> str:
    """The first `most` of them, and how many are left: a, b and 3 more."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def progress(run: Run, *, with_steps: bool = True) -> str:
    """Epoch 7 of 12 · step 4,316 of 7,680 · about 2 min 30 s left."""
    if run.state in (RunState.QUEUED, RunState.STARTING, RunState.INTERRUPTED):
        return {
            RunState.QUEUED: "Waiting for a free slot",
            RunState.STARTING: "Starting: loading the training libraries",
            RunState.INTERRUPTED: "Interrupted; it goes on by itself shortly",
        }[run.state]
    if not run.steps:
        return (run.phase or "preparing").capitalize()
    is_whole = run.step * run.epochs == run.epoch * run.steps
    current = run.epoch if run.state.is_over and is_whole else min(run.epoch + 1, run.epochs)
    parts = [f"Epoch {current} of {run.epochs}"]
    parts += [f"step {run.step:,} of {run.steps:,}"] if with_steps else []
    if run.state is RunState.STOPPING:
        parts.append("stopping: saving first")
    elif not run.state.is_over:
        parts += [run.phase] if run.phase and run.phase != "training" else []
        parts += [left(run.eta_s)] if run.eta_s is not None else []
    return " · ".join(parts)


def best(run: Run) -> str:
    """97.8% at epoch 14."""
    if run.best_value is None:
        return DASH
    return f"{of_metric(run.metric, run.best_value)} at epoch {run.best_epoch}"


def shortened(text: str, columns: int) -> str:
    """`text` in at most so many columns, a Hangul or Han letter taking two; "…" for what is cut."""
    width = 0
    for place, letter in enumerate(text):
        width += 2 if east_asian_width(letter) in "WF" else 1
        if width > columns:
            return text[: max(0, place - 1)].rstrip() + "…"
    return text


def squeezed(text: str, columns: int) -> str:
    """`text` in at most so many columns, cut in its middle: names that begin alike differ at their ends."""
    if shortened(text, columns) == text:
        return text
    end = ""
    while len(end) < len(text) and shortened(rest := text[-len(end) - 1 :], columns * 2 // 5) == rest:
        end = rest
    return shortened(text, columns - columns * 2 // 5) + end.lstrip()


def escaped(text: str) -> str:
    """`text` as inert Markdown: shown letter for letter, whatever it holds."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$<>&^=:])", r"\\\1", colons_kept(" ".join(text.split())))


def colons_kept(text: str) -> str:
    """A word joiner after each colon that may begin `:red[`, `:smile:` or `:+1:`: Streamlit finds these after escapes
    are undone. Others stay as they are, so that addresses and times can be copied."""
    return re.sub(r":(?=[^\W\d]|[+-]1:|\d+[a-z_]|100:|1234:)", ":\u2060", text)
