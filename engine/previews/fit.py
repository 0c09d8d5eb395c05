"""Will it fit? What was measured of a spec's steps (`previews.fit_measurement`), made into a verdict for any batch."""

import shutil
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from engine.caches.limits import keeps_images
from engine.catalog.strategies import processes_of
from engine.machine import resources
from engine.machine.devices import gpus
from engine.previews.measured_costs import Cost, FeatureCosts, RunCosts, StateCosts
from engine.specs import RunSpec
from storage import Dataset, RunState, Store

Level = Literal["fits", "tight", "too large"]

MOST_IMAGES = 8192  # the largest batch that a spec may ask for
TIGHT = 0.85  # of the room: another program's few hundred MB may then matter
EVAL_SHARE = 1 / 3  # of a training step's time, on features: the forward pass alone
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
    """The spec whose preview "fit" holds for this one: batch size, epochs and rates do not matter to it."""
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
    """About how many images train and validate."""
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
    """Whether a run fits.

    Args:
        values: What the preview "fit" of `measured_as(spec)` measured.
        spec: Of the run.
        dataset: That it trains on.
        found: What the run may take.
    """
    if values.get("too_large"):
        why = f"It does not fit: {values['why']}. Choose smaller images, a smaller backbone or bf16."
        return Fit("too large", why, 0, {}, found, 0, 0, 0.0, 0.0, 0.0, 0, "", "")
    costs = RunCosts.parse(values)
    train, validation = images_of(dataset, spec)
    needs = _Needs(costs, spec, train=train, validation=validation, images=dataset.images, free=found.disk)
    batch = spec.optimisation.batch_size
    largest = needs.largest(found.memory)
    level, why = _compared(needs, spec, found, is_repaired=costs.device == "cuda" and largest > 0)
    total_s, first_s = needs.seconds(batch)
    return Fit(
        level=level,
        why=why,
        memory=needs.memory(batch),
        parts=needs.parts(batch),
        room=found,
        largest_batch=min(MOST_IMAGES, largest * spec.compute.parts),
        images=train,
        first_s=first_s,
        epoch_s=(total_s - first_s) / spec.epochs,
        total_s=total_s,
        disk=needs.disk(),
        device=costs.device,
        precision=costs.precision,
    )


def _compared(needs: "_Needs", spec: RunSpec, found: Room, *, is_repaired: bool) -> tuple[Level, str]:
    """
    Args:
        is_repaired: Running out of memory is met there by computing a batch in more parts.
    """
    batch, largest = spec.optimisation.batch_size, needs.largest(found.memory)
    memory, disk = needs.memory(batch), needs.disk()
    if disk > found.disk:
        return "too large", "The disk is too full for its images, features and checkpoints."
    if memory > found.memory:
        if not largest:
            return "too large", "Not even one image fits: choose smaller images, a smaller backbone or bf16."
        if not is_repaired:
            return "too large", f"Batches of {batch} need more memory than is free."
        pieces = ceil(batch / largest)
        return "tight", f"A batch does not fit whole: it is computed in {pieces} parts, which takes a little longer."
    if memory > TIGHT * found.memory:
        return "tight", "It fits, with little memory to spare: another program may get in its way."
    if disk > TIGHT * found.disk:
        return "tight", "It fits, with little of the disk to spare."
    return "fits", ""


@dataclass(frozen=True, slots=True)
class _State:
    """A state of the freeze policy, as long as a run is in it."""

    measured: StateCosts
    epochs: int
    kept: FeatureCosts | None  # where features are worth it

    @classmethod
    def of(cls, measured: StateCosts, epochs: int, images: int, read_s_per_gb: float) -> "_State":
        """With features where they save more time than reading them takes, as the run will decide it itself."""
        if measured.kept is None:
            return cls(measured, epochs, None)
        views = _views(measured.kept, epochs)
        saved_s = measured.kept.making.image_s * images * (epochs - views)
        reading_s = measured.kept.bytes * images / 1e9 * read_s_per_gb * (epochs + views)
        return cls(measured, epochs, measured.kept if saved_s > reading_s else None)

    @property
    def cost(self) -> Cost:
        """Of its training steps."""
        return self.kept.cost if self.kept else self.measured.whole

    @property
    def eval_s(self) -> float:
        """Of an image that is evaluated."""
        return EVAL_SHARE * self.kept.cost.image_s if self.kept else self.measured.eval_s


def _views(kept: FeatureCosts, epochs: int) -> int:
    return max(1, min(epochs, kept.views))


class _Needs:
    """What a run needs, from its first epoch on."""

    def __init__(self, costs: RunCosts, spec: RunSpec, *, train: int, validation: int, images: int, free: int) -> None:
        self._costs, self._spec = costs, spec
        self._train, self._validation, self._images = train, validation, images
        self._keeps_images = keeps_images(costs.image_bytes * images, free)
        self._on_gpu = costs.device == "cuda"
        found = len(gpus()) if self._on_gpu else 0
        self._ranks = processes_of(spec.strategy, spec.compute.processes, found)
        reached = [state for state in costs.states if state.epoch < spec.epochs]
        ends = [*(state.epoch for state in reached[1:]), spec.epochs]
        self._states = [
            _State.of(state, end - state.epoch, images, costs.read_s_per_gb)
            for state, end in zip(reached, ends, strict=True)
        ]

    def memory(self, batch: int) -> int:
        """Bytes at the worst moment."""
        piece = self._piece(batch)
        on_gpu = self._costs.image_bytes * self._images if self._costs.images_on_gpu else 0
        making = [kept.making.bytes(kept.at_once) for kept, _ in self._features()]
        of_a_rank = int(max(*(state.cost.bytes(piece) for state in self._states), *making, 0) + on_gpu)
        return of_a_rank if self._on_gpu else of_a_rank * self._ranks

    def largest(self, free: int) -> int:
        """Images of the largest piece of a batch that fits, of all ranks together; 0: none does."""
        most = MOST_IMAGES
        free = free if self._on_gpu else free // self._ranks
        for cost in (state.cost for state in self._states):
            if max(cost.base, cost.floor) >= free:
                return 0
            if cost.image:
                most = min(most, int((free - cost.base) / cost.image) * self._ranks)
        return most if most < 16 else most // 8 * 8

    def parts(self, batch: int) -> dict[str, int]:
        """Bytes at the worst moment by what holds them, of one rank."""
        piece = self._piece(batch)
        worst = max((state.cost for state in self._states), key=lambda cost: cost.bytes(piece))
        held, activations = self._costs.held, int(worst.image * piece)
        rest = max(0, int(worst.bytes(piece)) - activations - sum(held.values()))
        return {**held, "activations": activations, "libraries": rest}

    def seconds(self, batch: int) -> tuple[float, float]:
        """(all of the run, what comes before its first epoch)."""
        steps = ceil(self._train / batch)
        decoding = self._costs.decode_s * self._images
        epochs_s = 0.0
        for state in self._states:
            training = steps * self._spec.compute.parts * state.cost.step_s + self._train * state.cost.image_s
            anew = 0.0 if self._keeps_images or state.kept else decoding
            epochs_s += state.epochs * (training + self._validation * state.eval_s + anew)
        making = sum(kept.making.image_s * self._images * views for kept, views in self._features())
        first = (decoding if self._keeps_images else 0.0) + making
        return epochs_s + first, first

    def disk(self) -> int:
        """Bytes that the run adds: decoded images, features, checkpoints (the best, those kept, one being written)."""
        features = sum(kept.bytes * views for kept, views in self._features())
        saved = self._costs.weights + self._costs.optimizer + self._costs.average
        images = self._costs.image_bytes if self._keeps_images else 0
        return (images + features) * self._images + (self._spec.keep_checkpoints + 2) * saved

    def _piece(self, batch: int) -> int:
        """Images that a rank has in memory at once."""
        return -(-batch // (self._spec.compute.parts * self._ranks))

    def _features(self) -> list[tuple[FeatureCosts, int]]:
        """Those that are computed, and how many views of each image."""
        return [(state.kept, _views(state.kept, state.epochs)) for state in self._states if state.kept]
