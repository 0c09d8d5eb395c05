"""Will it fit? What was measured of a spec's steps (`previews.fit_measurement`), made into a verdict for any batch."""

import shutil
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from engine.caches.limits import keeps_images
from engine.catalog.strategies import processes_of
from engine.machine import resources
from engine.machine.devices import gpus
from engine.specs import RunSpec
from storage import Dataset, RunState, Store

Level = Literal["fits", "tight", "too large"]

MOST_IMAGES = 8192  # the largest batch that a spec may ask for
TIGHT = 0.85  # of the room: another program's few hundred MB may then matter
JUDGING = 1 / 3  # of a training step's time, on features: the forward pass alone
NEUTRAL = {  # what changes neither memory nor time of a step, at a fixed value: typing there measures nothing anew
    "learning_rate": 1e-3,
    "batch_size": 32,
    "schedule": "constant",
    "warmup_epochs": 0.0,
    "label_smoothing": 0.0,
    "balance": "none",
    "weight_decay": 0.0,
}


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that a run may take now."""

    memory: int
    disk: int


@dataclass(frozen=True, slots=True)
class Fit:
    """Bytes and seconds; `parts` of the memory by name, `why` in a sentence, "" where all is well."""

    level: Level
    why: str
    memory: int
    parts: dict[str, int]
    room: Room
    largest_batch: int
    images: int  # of a pass
    first_s: float  # before the first epoch: decoding, features
    epoch_s: float
    total_s: float
    disk: int
    device: str
    precision: str


def measured_as(spec: RunSpec) -> RunSpec:
    """The spec whose preview "fit" tells about this one: batch size, epochs and rates do not matter to it."""
    model = spec.model.model_copy(update={"weights": "random", "weights_from": ""})
    data = spec.data.model_copy(update={"normalisation": "none", "split_seed": 0})
    compute = spec.compute.model_copy(update={"parts": 1})
    neutral = {name: value for name, value in NEUTRAL.items() if name in type(spec.optimisation).model_fields}
    optimisation = spec.optimisation.model_copy(update=neutral)
    return spec.model_copy(update={"model": model, "data": data, "compute": compute, "optimisation": optimisation})


def room(store: Store, device: str) -> Room:
    """What a run on `device` ("cpu", "cuda", "mps") finds once those that train there now are over."""
    disk = shutil.disk_usage(store.home.root).free
    active = store.runs.list(states=[RunState.STARTING, RunState.RUNNING, RunState.STOPPING], limit=-1)
    ours = sum(resources.rss(run.pid) for run in active if run.pid and run.slot == "cpu")
    if device != "cuda":
        return Room(resources.free() + ours, disk)
    busy = {gpu for run in active for gpu in (run.slot or "").split(",")}
    free = [gpu["memory_total"] - (0 if str(gpu["index"]) in busy else gpu["memory_used"]) for gpu in gpus()]
    return Room(max(free, default=0), disk)


def images_of(dataset: Dataset, spec: RunSpec) -> tuple[int, int]:
    """About how many images train and judge."""
    own = {part: sum(by_class.values()) for part, by_class in dataset.counts.items()}
    train, validation = own.get("train", 0) or dataset.images, own.get("validation", 0)
    if not validation:
        validation = round(train * spec.data.validation_fraction)
        train -= validation
    if not own.get("test", 0):
        train -= round((train + validation) * spec.data.test_fraction)
    return max(1, train), max(1, validation)


def will_it_fit(store: Store, spec: RunSpec, measured: dict[str, Any]) -> Fit:
    """The verdict for this home, now; `measured` are the values of the preview "fit" of `measured_as(spec)`."""
    return verdict(measured, spec, store.datasets.get(spec.data.dataset), room(store, measured.get("device", "cpu")))


def verdict(values: dict[str, Any], spec: RunSpec, dataset: Dataset, found: Room) -> Fit:
    """Whether `spec` fits into `found`, by what its preview "fit" measured."""
    if values.get("too_large"):
        said = f"It does not fit: {values['why']}. Choose smaller images, a smaller backbone or bf16."
        return Fit("too large", said, 0, {}, found, 0, 0, 0.0, 0.0, 0.0, 0, "", "")
    train, validation = images_of(dataset, spec)
    states = _States(values, spec, train, validation, dataset.images, found.disk)
    batch = spec.optimisation.batch_size
    largest = states.largest(found.memory)
    level, why = _judged(states, spec, found, is_repaired=values["device"] == "cuda" and largest > 0)
    total_s, first_s = states.seconds(batch)
    return Fit(
        level=level,
        why=why,
        memory=states.memory(batch),
        parts=states.parts(batch),
        room=found,
        largest_batch=min(MOST_IMAGES, largest * spec.compute.parts),
        images=train,
        first_s=first_s,
        epoch_s=(total_s - first_s) / spec.epochs,
        total_s=total_s,
        disk=states.disk(),
        device=values["device"],
        precision=values["precision"],
    )


def _judged(states: "_States", spec: RunSpec, found: Room, *, is_repaired: bool) -> tuple[Level, str]:
    """
    Args:
        is_repaired: Running out of memory is met there by computing a batch in more parts.
    """
    batch, largest = spec.optimisation.batch_size, states.largest(found.memory)
    needed, disk = states.memory(batch), states.disk()
    if disk > found.disk:
        return "too large", "The disk is too full for its images, features and checkpoints."
    if needed > found.memory:
        if not largest:
            return "too large", "Not even one image fits: choose smaller images, a smaller backbone or bf16."
        if not is_repaired:
            return "too large", f"Batches of {batch} need more memory than is free."
        pieces = ceil(batch / largest)
        return "tight", f"A batch does not fit whole: it is computed in {pieces} parts, which takes a little longer."
    if needed > TIGHT * found.memory:
        return "tight", "It fits, with little memory to spare: another program may get in its way."
    if disk > TIGHT * found.disk:
        return "tight", "It fits, with little of the disk to spare."
    return "fits", ""


class _States:
    """The states of a run, from its first epoch on, with what was measured of each."""

    def __init__(
        self, values: dict[str, Any], spec: RunSpec, train: int, validation: int, images: int, free: int
    ) -> None:
        self._values, self._spec = values, spec
        self._train, self._validation, self._images = train, validation, images
        self._keeps_images = keeps_images(values["image_bytes"] * images, free)
        self._on_gpu = values["device"] == "cuda"
        found = len(gpus()) if self._on_gpu else 0
        self._ranks = processes_of(spec.strategy, spec.compute.processes, found)
        reached = [state for state in values["states"] if state["epoch"] < spec.epochs]
        ends = [*(state["epoch"] for state in reached[1:]), spec.epochs]
        self._states = [
            (state, end - state["epoch"], self._is_kept(state, end - state["epoch"]))
            for state, end in zip(reached, ends, strict=True)
        ]

    def memory(self, batch: int) -> int:
        """Bytes at the worst moment."""
        piece = self._piece(batch)
        at_once = self._values["image_bytes"] * self._images if self._values["images_on_gpu"] else 0
        making = [
            _bytes(state["kept"]["making"], state["kept"]["at_once"]) for state, _, is_kept in self._states if is_kept
        ]
        of_a_rank = int(max(*(_bytes(cost, piece) for cost in self._costs()), *making, 0) + at_once)
        return of_a_rank if self._on_gpu else of_a_rank * self._ranks

    def largest(self, free: int) -> int:
        """Images of the largest piece of a batch that fits, of all ranks together; 0: none does."""
        most = MOST_IMAGES
        free = free if self._on_gpu else free // self._ranks
        for cost in self._costs():
            if max(cost["base"], cost["floor"]) >= free:
                return 0
            if cost["image"]:
                most = min(most, int((free - cost["base"]) / cost["image"]) * self._ranks)
        return most if most < 16 else most // 8 * 8

    def parts(self, batch: int) -> dict[str, int]:
        """The memory at the worst moment by what holds it, of one rank."""
        piece = self._piece(batch)
        worst = max(self._costs(), key=lambda cost: _bytes(cost, piece))
        held = {name: self._values[name] for name in ("weights", "gradients", "optimizer", "average")}
        activations = int(worst["image"] * piece)
        rest = max(0, int(_bytes(worst, piece)) - activations - sum(held.values()))
        return {**held, "activations": activations, "libraries": rest}

    def seconds(self, batch: int) -> tuple[float, float]:
        """(all of the run, what comes before its first epoch)."""
        steps = ceil(self._train / batch)
        decoding = self._values["decode_s"] * self._images
        first = decoding if self._keeps_images else 0.0
        epochs_s = 0.0
        for state, epochs, is_kept in self._states:
            cost = state["kept"]["cost"] if is_kept else state["whole"]
            training = steps * self._spec.compute.parts * cost["step_s"] + self._train * cost["image_s"]
            looking_s = JUDGING * cost["image_s"] if is_kept else state["looking_s"]
            anew = 0.0 if self._keeps_images or is_kept else decoding
            epochs_s += epochs * (training + self._validation * looking_s + anew)
            first += self._making(state, epochs) if is_kept else 0.0
        return epochs_s + first, first

    def disk(self) -> int:
        """Bytes that the run adds: decoded images, features, checkpoints (the best, those kept, one being written)."""
        values = self._values
        features = sum(
            state["kept"]["bytes"] * self._views(state, epochs) for state, epochs, kept in self._states if kept
        )
        saved = values["weights"] + values["optimizer"] + values["average"]
        images = values["image_bytes"] if self._keeps_images else 0
        return (images + features) * self._images + (self._spec.keep_checkpoints + 2) * saved

    def _piece(self, batch: int) -> int:
        """Images that a rank has in memory at once."""
        return -(-batch // (self._spec.compute.parts * self._ranks))

    def _costs(self) -> list[dict[str, float]]:
        return [state["kept"]["cost"] if is_kept else state["whole"] for state, _, is_kept in self._states]

    def _views(self, state: dict[str, Any], epochs: int) -> int:
        return max(1, min(epochs, state["kept"]["views"]))

    def _making(self, state: dict[str, Any], epochs: int) -> float:
        return float(state["kept"]["making"]["image_s"] * self._images * self._views(state, epochs))

    def _is_kept(self, state: dict[str, Any], epochs: int) -> bool:
        """Whether features are worth it, as the run will decide it itself."""
        if "kept" not in state:
            return False
        views = self._views(state, epochs)
        saved = state["kept"]["making"]["image_s"] * self._images * (epochs - views)
        reading = state["kept"]["bytes"] * self._images / 1e9 * self._values["read_s_per_gb"] * (epochs + views)
        return bool(saved > reading)


def _bytes(cost: dict[str, float], images: int) -> float:
    return max(cost["floor"], cost["base"] + cost["image"] * images)
