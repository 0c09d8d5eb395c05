"""What a run will cost, measured before it starts: steps of two small batches in a process that is thrown away."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.data import open_source
from engine.data.arrays import Arrays, prepare
from engine.data.decode import to_array
from engine.data.features import at_once
from engine.data.split import Split
from engine.errors import Unavailable
from engine.machine.exit import leave
from engine.previews.job import PreviewJob, Report
from engine.previews.measured_costs import FeatureCosts, RunCosts, StateCosts
from engine.previews.step_profiler import IMAGES, StepProfiler
from engine.protocol.run_reporter import NullReporter
from engine.specs import RunSpec
from engine.training import device as devices
from engine.training.epoch_data import READ_S_PER_GB
from engine.training.failures import is_out_of_memory
from engine.training.memory import PeakMemory
from engine.training.network.cut import CannotCut, cut
from engine.training.precision import choose
from engine.training.preparation import BatchLoss, PreparedData, build, build_network, channels_of
from engine.training.randomness import seed_all
from engine.training.state import Training
from engine.training.step import Stepper

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 10  # for which a precision is chosen: the page asks again for no other number
DECODED = 24  # images that are decoded to see how long it takes


def fit(job: PreviewJob) -> dict[str, Any]:
    """Measure in a process of its own, which may run out of memory without harm; see `measure`.

    Raises:
        Unavailable: It was killed, or failed with this reason.
    """
    command = [sys.executable, "-m", "engine.previews.fit_measurement"]
    values: dict[str, Any] | None = None
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        json.dump({**job.request, "spec": job.spec.model_dump(mode="json")}, child.stdin)
        child.stdin.close()
        for line in child.stdout:
            news = json.loads(line)
            if "share" in news:
                job.report(news["share"], news["message"])
            values = news.get("values", values)
            if "problem" in news:
                raise Unavailable(news["problem"])
    if child.returncode < 0:
        return {"too_large": True, "why": "the process that tried a few images was killed"}
    if values is None:
        raise Unavailable("Measuring failed; the log beside the previews says why.")
    return values


def measure(spec: RunSpec, request: dict[str, Any], report: Report) -> RunCosts:
    """How memory and time grow with the batch, in every state that the freeze policy brings.

    Raises:
        TooLarge: Not even a few images fit.
    """
    device = devices.choose(spec.device)
    devices.prepare(device)
    seed_all(spec.seed)
    with suppress(ImportError):  # a bare GPU machine does without
        import pyarrow.parquet  # noqa: F401 - a run holds it as well: it writes predictions
    decode_s, image_bytes = _decoding(spec, request)
    try:
        profiler = _profiler(spec, request["dataset"], device)
        states = _states(spec, profiler, report)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TooLarge from error
    return RunCosts(
        device=device.type,
        precision=profiler.form.precision,
        decode_s=decode_s,
        image_bytes=image_bytes,
        read_s_per_gb=READ_S_PER_GB,
        images_on_gpu=device.type == "cuda",
        states=states,
        **_held(profiler.training),
    )


class TooLarge(Exception):
    """Memory ran out with a few images already."""


def _profiler(spec: RunSpec, dataset: dict[str, Any], device: torch.device) -> StepProfiler:
    """A training as the run's own will be, on images of noise."""
    peak_memory = PeakMemory(device)
    data = _of_noise(spec, dataset)
    network = build_network(spec, data.about, None, NullReporter())
    training, recipe, images = build(spec, data, device, network)
    count = sum(sum(by_class.values()) for by_class in dataset["counts"].values())
    steps = EPOCHS * count // spec.optimisation.batch_size
    choice = choose(spec.compute.precision, device, training.model, BatchLoss(training, recipe, images), steps)
    stepper = Stepper(recipe.criterion, choice.format, training.choices, recipe.clip_norm)
    return StepProfiler(training, recipe, stepper, images.train.fetch, peak_memory)


def _states(spec: RunSpec, profiler: StepProfiler, report: Report) -> tuple[StateCosts, ...]:
    """The costs of each state of the freeze policy, from the first epoch on."""
    changes = sorted({thaws for thaws in spec.thaw_plan.values() if thaws is not None})
    found = []
    for place, epoch in enumerate(changes):
        report(place / len(changes), f"{place + 1} of {len(changes)} states" if len(changes) > 1 else "")
        profiler.epoch = epoch
        found.append(StateCosts(epoch, profiler.training_cost(None), profiler.eval_s(), _kept(spec, profiler, epoch)))
    return tuple(found)


def _kept(spec: RunSpec, profiler: StepProfiler, epoch: int) -> FeatureCosts | None:
    """Costs with what the stages make that are frozen in `epoch` computed once; None where it cannot be."""
    model = profiler.training.model
    boundary = next(name for name, thaws in spec.thaw_plan.items() if thaws is not None and thaws <= epoch)
    if boundary == next(iter(spec.thaw_plan)) or not spec.keeps_features:
        return None
    try:
        made = cut(model, spec.model, boundary)
    except CannotCut:
        return None
    return FeatureCosts(
        cost=profiler.training_cost(made),
        making=profiler.making_cost(made),
        at_once=at_once(spec.data.image_size, next(model.parameters()).device),
        bytes=profiler.feature_bytes(made),
        views=spec.compute.views if spec.data.augmentations else 1,
    )


def _held(training: Training) -> dict[str, int]:
    """Bytes of weights, their gradients, what the optimiser remembers, and the running average."""
    state = training.model.state_dict().values()
    kept = [value for one in training.optimizer.state.values() for value in one.values() if torch.is_tensor(value)]
    learning = [weight for weight in training.model.parameters() if weight.requires_grad]
    weights = sum(value.numel() * value.element_size() for value in state)
    return {
        "weights": weights,
        "gradients": sum(weight.numel() * weight.element_size() for weight in learning),
        "optimizer": sum(value.numel() * value.element_size() for value in kept),
        "average": weights if training.average else 0,
    }


def _of_noise(spec: RunSpec, dataset: dict[str, Any]) -> PreparedData:
    """A data set of a few images of noise in the shape of the real ones."""
    channels, size, classes = channels_of(dataset, spec), spec.data.image_size, len(dataset["classes"])
    noise = np.random.default_rng(0).integers(0, 256, (IMAGES, size, size, channels), dtype=np.uint8)
    arrays = Arrays(noise, np.arange(IMAGES, dtype=np.int64) % classes)
    everything = np.arange(IMAGES)
    shape = {"image_size": size, "channels": channels, "mean": [0.5] * channels, "std": [0.25] * channels}
    about = {"classes": dataset["classes"], "preprocessing": shape | {"resize": spec.data.resize}, "spec": {}}
    return PreparedData(arrays, Split(everything, everything, everything[:0]), "noise", about)


class _NotMade(Exception):
    """The images would have to be decoded first."""


def _decoding(spec: RunSpec, request: dict[str, Any]) -> tuple[float, int]:
    """Seconds and bytes that each image costs before the first epoch; (0, 0) where all are decoded already."""
    dataset = request["dataset"]
    source, channels, size = open_source(dataset), channels_of(dataset, spec), spec.data.image_size

    def not_now(done: int, total: int) -> None:
        raise _NotMade

    shape: dict[str, Any] = {"image_size": size, "channels": channels, "resize": spec.data.resize}
    mark = dataset.get("source_fingerprint") or dataset["fingerprint"]
    try:
        prepare(source, mark, cache=Path(request["cache"]), report=not_now, **shape)
    except (_NotMade, OSError):  # or there is no room for them
        some = range(0, len(source.labels), max(1, len(source.labels) // DECODED))
        began = time.perf_counter()
        for index in some:
            to_array(source.read(index), size=size, channels=channels, resize=spec.data.resize)
        return (time.perf_counter() - began) / len(some) / devices.cores(), size * size * channels
    return 0.0, 0


def main() -> int:
    """The throw-away process: a request comes in, lines of progress and the values go out."""

    def write(**fields: Any) -> None:
        print(json.dumps(fields), flush=True)

    request = json.load(sys.stdin)
    try:
        spec = RunSpec.of_parts(request["spec"])
        costs = measure(spec, request, lambda share, message: write(share=share, message=message))
    except Unavailable as error:
        write(problem=str(error))
        return 1
    except TooLarge:
        write(values={"too_large": True, "why": "not even a few images do"})
        return 0
    write(values=asdict(costs))
    return 0


if __name__ == "__main__":
    leave(main())
