"""What to do about a fault: one row a code, its remedies in the order to try them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.catalog import BACKBONES
from engine.errors import Refused
from engine.protocol.reasons import Reason
from engine.specs import RunSpec

Change = dict[str, Any]  # parts of a spec, nested
SMALLER = 2  # times: a quarter of the pixels


@dataclass(frozen=True, slots=True)
class Remedy:
    """`change` gives None where it is of no use; `label` describes the changed spec."""

    label: Callable[[RunSpec], str]
    note: str
    change: Callable[[RunSpec], Change | None]


@dataclass(frozen=True, slots=True)
class Fault:
    advice: str  # what to do next beside the remedies; "" where they say it all
    remedies: tuple[str, ...] = ()  # keys of REMEDIES, what helps most comes first


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to start a failed run again."""

    key: str  # of its remedy
    label: str
    note: str
    spec: RunSpec


def cause_of(code: str | None, reason: str | None) -> str:
    """What tells failures apart: the code of a known fault, else the reason without its numbers."""
    return code if code in FAULTS else re.sub(r"\d[\d.,]*", "n", reason or "")


def remedies(code: str | None, spec: RunSpec) -> list[Offer]:
    """What to start again with, in order; only what changes this spec and is allowed. [] for an unknown fault."""
    fault = FAULTS.get(code or "")
    return [offer for key in (fault.remedies if fault else ()) if (offer := _offer(key, spec))]


def advice(code: str, spec: RunSpec) -> str:
    """The next step after a fault, in one or two sentences."""
    labels = [offer.label for offer in remedies(code, spec)]
    listed = f"Start again with, in this order: {'; '.join(labels)}." if labels else ""
    return " ".join(filter(None, [FAULTS[code].advice, listed])) or "Choose a smaller backbone and start the run again."


def _offer(key: str, spec: RunSpec) -> Offer | None:
    remedy = REMEDIES[key]
    change = remedy.change(spec)
    if change is None:
        return None
    values = spec.model_dump(mode="json")
    for part, inner in change.items():
        values[part] = {**values[part], **inner} if isinstance(inner, dict) else inner
    try:
        changed = RunSpec.parse(values)
    except Refused:  # two fields that do not go together: no way out of this fault
        return None
    return Offer(key, remedy.label(changed), remedy.note, changed)


def _smaller_images(spec: RunSpec) -> Change | None:
    layout = BACKBONES[spec.model.backbone].layout
    size = max(layout.smallest_px, spec.data.image_size // SMALLER) // layout.multiple_of * layout.multiple_of
    return {"data": {"image_size": size}} if layout.smallest_px <= size < spec.data.image_size else None


def _half_precision(spec: RunSpec) -> Change | None:
    return {"compute": {"precision": "bf16"}} if spec.compute.precision in ("auto", "fp32") else None


def _recompute(spec: RunSpec) -> Change | None:
    return None if spec.compute.recompute else {"compute": {"recompute": True}}


def _freeze_more(spec: RunSpec) -> Change | None:
    if spec.model.weights == "random":  # frozen, they would know nothing
        return None
    learning = [name for name, thaws in spec.thaw_plan.items() if thaws is not None and name != "head"]
    if not learning:
        return None
    kept = learning[1:] if spec.freeze.policy != "none" else learning[-1:]
    return {"freeze": {"policy": "stages", "stages": kept} if kept else {"policy": "head"}}


def _more_parts(spec: RunSpec) -> Change | None:
    doubled = 2 * spec.compute.parts
    return {"compute": {"parts": doubled}} if doubled <= spec.optimisation.batch_size else None


def _half_the_batch(spec: RunSpec) -> Change | None:
    batch = spec.optimisation.batch_size
    return {"optimisation": {"batch_size": batch // 2}} if batch > 1 else None


def _more_images(spec: RunSpec) -> Change | None:
    return {"optimisation": {"batch_size": 2}} if spec.optimisation.batch_size < 2 else None


def _lower_rate(spec: RunSpec) -> Change:
    return {"optimisation": {"learning_rate": float(f"{spec.optimisation.learning_rate / 10:g}")}}


def _clip(spec: RunSpec) -> Change | None:
    return None if spec.optimisation.clip_norm else {"optimisation": {"clip_norm": 1.0}}


def _full_precision(spec: RunSpec) -> Change | None:
    return None if spec.compute.precision == "fp32" else {"compute": {"precision": "fp32"}}


def _on_the_cpu(spec: RunSpec) -> Change | None:
    return None if spec.device == "cpu" else {"device": "cpu"}


def _one_process(spec: RunSpec) -> Change | None:
    return None if spec.strategy == "single" else {"strategy": "single"}


def _fewer_checkpoints(spec: RunSpec) -> Change | None:
    return {"keep_checkpoints": 1} if spec.keep_checkpoints > 1 else None


REMEDIES: dict[str, Remedy] = {
    "smaller_images": Remedy(
        lambda spec: f"images of {spec.data.image_size} px",
        "A quarter of the activations; fine details are lost.",
        _smaller_images,
    ),
    "bf16": Remedy(
        lambda spec: "precision bf16", "Activations take half the memory; accuracy stays within noise.", _half_precision
    ),
    "recompute": Remedy(
        lambda spec: "recomputed activations", "The same result, about a third slower, far less memory.", _recompute
    ),
    "freeze_more": Remedy(
        lambda spec: (
            "head only" if spec.freeze.policy == "head" else f"only {', '.join(spec.freeze.stages)} and head learning"
        ),
        "Frozen stages keep no activations, gradients or optimiser state.",
        _freeze_more,
    ),
    "more_parts": Remedy(
        lambda spec: f"batches in {spec.compute.parts} parts",
        "The batch stays the same; it is computed piece by piece.",
        _more_parts,
    ),
    "half_the_batch": Remedy(
        lambda spec: f"batches of {spec.optimisation.batch_size}", "Fewer images at once.", _half_the_batch
    ),
    "more_images": Remedy(
        lambda spec: f"batches of {spec.optimisation.batch_size}", "BatchNorm needs two images or more.", _more_images
    ),
    "lower_rate": Remedy(
        lambda spec: f"a learning rate of {spec.optimisation.learning_rate:g}",
        "A tenth of the steps' size.",
        _lower_rate,
    ),
    "clip": Remedy(
        lambda spec: f"gradients clipped at {spec.optimisation.clip_norm:g}",
        "No single batch can throw the weights far.",
        _clip,
    ),
    "fp32": Remedy(lambda spec: "precision fp32", "Full precision: nothing overflows early.", _full_precision),
    "cpu": Remedy(lambda spec: "the CPU", "Slow, but an error there names the very line that caused it.", _on_the_cpu),
    "one_process": Remedy(lambda spec: "one process", "Nothing waits for another rank.", _one_process),
    "fewer_checkpoints": Remedy(
        lambda spec: "one checkpoint kept beside the best", "Takes less of the disk.", _fewer_checkpoints
    ),
    "as_it_is": Remedy(lambda spec: "nothing changed", "For a trouble that has passed.", lambda spec: {}),
}

_LESS_MEMORY = ("smaller_images", "bf16", "recompute", "freeze_more")

_KILLED = Fault(
    "Look at the end of the log. If memory ran out, make the run smaller; else resume it.",
    ("more_parts", *_LESS_MEMORY),
)

FAULTS: dict[str, Fault] = {
    Reason.DIVERGED: Fault("", ("lower_rate", "clip", "fp32")),
    Reason.OUT_OF_MEMORY: Fault("", (*_LESS_MEMORY, "more_parts", "half_the_batch")),
    Reason.KILLED_FOR_MEMORY: Fault(
        "Close what else needs memory, then resume; or make the run smaller.", ("more_parts", *_LESS_MEMORY)
    ),
    Reason.KILLED: _KILLED,
    Reason.KILLED_AGAIN: _KILLED,
    Reason.CRASHED: Fault(
        "The end of the log shows where. Update the driver and torch if they do not fit each other.",
        ("fp32", "as_it_is", "cpu"),
    ),
    Reason.HUNG: Fault(
        "The log shows what each thread waited for: a network folder, another rank, a device?",
        ("as_it_is", "one_process", "cpu"),
    ),
    Reason.DISK_FULL: Fault(
        "Free some space (old runs, caches), then resume: it goes on from the last checkpoint.",
        ("fewer_checkpoints",),
    ),
    Reason.SINGLE_IMAGE: Fault(
        "Choose a batch size of 2 or more, or larger images, and start the run again.", ("more_images",)
    ),
    Reason.CUDNN: Fault(
        "Close them, then resume; if it fails again, compare the driver's CUDA version with torch's.",
        ("as_it_is", "more_parts", "cpu"),
    ),
    Reason.DEVICE_ASSERT: Fault(
        "Scan the data set; on the CPU the same run says where it is. Every later GPU call of that process fails too.",
        ("cpu", "as_it_is"),
    ),
    Reason.LOST_RANKS: Fault(
        "The log of each rank says which; resume goes on from the last checkpoint.", ("one_process", "as_it_is")
    ),
    Reason.FILE_VANISHED: Fault("Put it back or import the data set again, then resume."),
    Reason.NO_PERMISSION: Fault("Give the user that runs Thaw the right to read and write it, then resume."),
}
