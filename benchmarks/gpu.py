"""On a GPU: precision, speed, memory, repair, resume and ranks, checked in one command. Needs torch, torchvision and
pydantic alone; images are drawn here."""

import copy
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.drawn import Drawn, losses_of
from benchmarks.measure import Figure, alternate
from engine.protocol.events import EventCode
from engine.training.distributed.rank import GPUS, LAUNCHER

ROOT = Path(__file__).resolve().parent.parent
CUDA = torch.device("cuda", 0)
NO_GPU = "No NVIDIA GPU that torch can use is here, so nothing was checked. Run this where there is one."
RESNET = {"model": {"backbone": "resnet18"}, "data": {"image_size": 64}, "optimisation": {"batch_size": 256}}
PLAIN = {
    "model": {"backbone": "small_cnn"},
    "data": {"image_size": 96},
    "optimisation": {"batch_size": 512, "optimizer": "sgd"},
}
STEPS = 12


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    is_good: bool
    summary: str


def measure() -> list[Figure]:
    """Print the checks as a table; the figures are times of an epoch.

    Raises:
        SystemExit: A check failed.
    """
    if not torch.cuda.is_available():
        print(NO_GPU)
        return []
    print(f"{torch.cuda.get_device_name(CUDA)}, torch {torch.__version__}, CUDA {torch.version.cuda}\n")
    print("| check | | found |\n|---|---|---|", flush=True)
    failed = []
    for one in (
        *precisions(CUDA),
        memory_figures(CUDA),
        repair(CUDA),
        fit_prediction(CUDA),
        *resume(CUDA),
        ranks(CUDA),
    ):
        print(f"| {one.what} | {'passed' if one.is_good else '**failed**'} | {one.summary} |", flush=True)
        failed += [] if one.is_good else [one.what]
    print()
    figures = [figure for precision in ("fp32", "bf16") for figure in throughput(CUDA, precision)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")
    return figures


def precisions(device: torch.device) -> list[Check]:
    """Every format learns as fp32 does."""
    exact = losses_of(Drawn.begun(RESNET | {"compute": {"precision": "fp32"}}, device), STEPS)
    checks = []
    for name in ("bf16", "fp16"):
        found = losses_of(Drawn.begun(RESNET | {"compute": {"precision": name}}, device), STEPS)
        apart = max(abs(one - other) for one, other in zip(exact, found, strict=True))
        good = all(map(math.isfinite, found)) and apart < 0.15 and found[-1] < found[0]
        checks.append(Check(f"{name} learns as fp32", good, f"losses at most {apart:.3f} apart over {STEPS} steps"))
    return checks


def memory_figures(device: torch.device) -> Check:
    """What is told of memory agrees with the driver's own count."""
    from engine.training.memory import MB, Memory

    memory = Memory(device)
    torch.cuda.empty_cache()
    before, held = memory.read(), torch.ones(2**30, dtype=torch.uint8, device=device)
    after = memory.read()
    del held
    torch.cuda.empty_cache()
    if "gpu0/used_mb" not in after:
        return Check("memory as the driver counts it", True, "the driver tells nothing here: torch's own figures only")
    grew = {name: after[f"gpu0/{name}_mb"] - before[f"gpu0/{name}_mb"] for name in ("allocated", "reserved", "used")}
    whole = torch.cuda.mem_get_info(device)[1] / MB
    good = all(abs(value - 1024) < 52 for value in grew.values()) and abs(after["gpu0/total_mb"] / whole - 1) < 0.03
    summary = ", ".join(f"{name} +{value:.0f} MB" for name, value in grew.items())
    return Check("memory as the driver counts it", good, f"{summary} for a tensor of 1,024 MB; {whole:,.0f} MB in all")


def repair(device: torch.device) -> Check:
    """A batch that the allocator refuses is computed in parts, and what is learned stays the same."""
    _emptied(device)
    spec = PLAIN | {"compute": {"precision": "fp32"}}
    free = losses_of(whole := Drawn.begun(spec, device), STEPS)
    needed = torch.cuda.max_memory_reserved(device)
    del whole
    _emptied(device)
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(0.6 * needed / total, device)
    try:
        events: list[EventCode] = []
        cramped = Drawn.begun(spec, device, warn=lambda code, /, **_: events.append(code))
        found = losses_of(cramped, STEPS)
        parts, held = cramped.training.choices.parts, torch.cuda.memory_allocated(device)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    apart = max(abs(one - other) for one, other in zip(free, found, strict=True))
    good = parts > 1 and apart < 1e-3 and EventCode.MEMORY_SHORT in events and held < 0.5 * needed
    summary = f"in {parts} parts with 60 % of the memory; losses at most {apart:.1e} apart; {len(events)} events"
    return Check("out of memory is repaired", good, summary)


def fit_prediction(device: torch.device) -> Check:
    """What "Will it fit?" reckons for a large batch, against that batch."""
    from engine.previews.step_profiler import StepProfiler
    from engine.training.memory import PeakMemory

    _emptied(device)
    peak_memory = PeakMemory(device)
    small = Drawn.begun(RESNET, device, precision="bf16")
    profiler = StepProfiler(small.training, small.recipe, small.stepper, small.images.train.fetch, peak_memory)
    reckoned = profiler.training_cost(None).bytes(512)
    del small, profiler
    peak_memory.reset()
    large = Drawn.begun({**RESNET, "optimisation": {"batch_size": 512}}, device, precision="bf16")
    losses_of(large, 3)
    real = peak_memory.peak()
    summary = f"{reckoned / 1e6:,.0f} MB reckoned, {real / 1e6:,.0f} MB taken by batches of 512"
    return Check("memory is foretold", abs(reckoned / real - 1) < 0.25, summary)


def resume(device: torch.device) -> list[Check]:
    """Going on from what was saved gives the very weights of a run that was never interrupted."""
    checks = []
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    try:
        for name in ("fp32", "bf16"):
            spec = RESNET | {"compute": {"precision": name}, "data": {"image_size": 64, "augmentations": ["flip"]}}
            whole = Drawn.begun(spec, device)
            losses_of(whole, 2 * STEPS)
            half = Drawn.begun(spec, device)
            losses_of(half, STEPS)
            weights = {key: value.clone() for key, value in half.training.eval_model.state_dict().items()}
            state = copy.deepcopy(half.training.resume_state())
            again = Drawn.begun(spec, device)
            again.training.resume(weights, state)
            losses_of(again, STEPS)
            ours, theirs = whole.training.model.state_dict(), again.training.model.state_dict()
            apart = max(float((ours[key].float() - theirs[key].float()).abs().max()) for key in ours)
            checks.append(Check(f"resumed as uninterrupted, {name}", apart == 0, f"weights at most {apart:.1e} apart"))
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = True, False
    return checks


def ranks(device: torch.device) -> Check:
    """Two processes that share the GPU learn what one does."""
    import torch.distributed as dist

    alone = losses_of(Drawn.begun(PLAIN, device, precision="fp32"), STEPS)
    at = ("127.0.0.1", 0)
    store = dist.TCPStore(*at, is_master=True, wait_for_workers=False)  # type: ignore[attr-defined]  # offered, not listed
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    shared |= {LAUNCHER: str(os.getpid()), GPUS: str(int(device.type == "cuda"))}
    with TemporaryDirectory() as folder:
        children = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.gpu", folder, device.type],
                cwd=ROOT,
                env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            )
            for rank in (0, 1)
        ]
        codes = [child.wait(300) for child in children]
        summary = Path(folder) / "losses.json"
        found = json.loads(summary.read_text()) if summary.exists() else []
    if any(codes) or len(found) != STEPS:
        return Check("two ranks learn as one process", False, f"they ended with {codes}")
    apart = max(abs(one - other) for one, other in zip(alone, found, strict=True))
    return Check("two ranks learn as one process", apart < 1e-3, f"losses at most {apart:.1e} apart")


def throughput(device: torch.device, precision: str) -> list[Figure]:
    """An epoch of Thaw's beside the same steps on a batch that lies on the device already."""
    run = Drawn.begun(RESNET, device, precision=precision)
    steps = len(run.images.train)
    images, labels = run.images.train.sample()
    bare = Drawn.begun(RESNET, device, precision=precision)

    def limit() -> None:
        bare.training.model.train()
        for _ in range(steps):
            with bare.stepper.format.cast():
                loss = bare.recipe.criterion(bare.training.model(images), labels)
            loss.backward()
            bare.training.optimizer.step()
            bare.training.optimizer.zero_grad(set_to_none=True)
        _wait(device)

    def ours() -> None:
        run.epoch()
        _wait(device)

    figures = alternate(f"resnet18, 64 px, {precision}", {"resident limit": limit, "Thaw": ours}, rounds=7)
    share, images_s = 1 / figures[1].ratio, run.images.train.images / figures[1].median_ms * 1000
    print(f"{precision}: {images_s:,.0f} images/s, {share:.3f} of the resident limit")
    return figures


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _emptied(device: torch.device) -> None:
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)


def _as_rank(folder: Path, kind: str) -> None:
    """One of the processes of `ranks`."""
    from engine.specs import RunSpec
    from engine.training.distributed.strategies import join_group

    device = CUDA if kind == "cuda" else torch.device("cpu")
    group = join_group(device, RunSpec.parse(PLAIN))
    found = losses_of(Drawn.begun(PLAIN, device, precision="fp32", group=group), STEPS)
    if group.is_first:
        (folder / "losses.json").write_text(json.dumps(found))
    group.close()


if __name__ == "__main__":
    _as_rank(Path(sys.argv[1]), sys.argv[2])
