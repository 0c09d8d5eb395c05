"""What can be told of a search: what it will take before it starts, and which settings mattered once it ran."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.api.runs import check
from engine.api.searches import find_search, trials_left
from engine.machine.devices import gpus
from engine.machine.resources import cores
from engine.previews.fit import Fit, measured_as, will_it_fit
from engine.previews.requests import Preview, preview
from engine.specs import RunSpec, SearchSpec, heads_alone
from engine.specs.space import value_at
from storage import Run, RunState, Search, Store

SAMPLED = 50  # combinations whose time is averaged
FEWEST = 4  # finished trials that tell anything about importance
RANKED = 200  # trials that importance is computed of at most: its time grows faster than their number


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a search takes; None where it is not measured yet, and `message` says what is awaited or why not."""

    combinations: int | None  # None: no end of them
    trials: int  # the base run included
    max_concurrent: int
    cpus: int  # of each trial; 0 where each takes a share of a GPU
    gpus: float
    heads: bool  # many at once, in one process
    trial_s: float | None  # of one trial by itself, on average
    seconds: float | None  # of all; early ends make it less
    gpu_hours: float | None
    disk: int | None  # bytes
    fit: Fit | None  # of the base run
    message: str
    progress: float  # of the measurement, 0 to 1


def search_estimate(store: Store, spec: SearchSpec) -> Estimate:
    """What a search will take here. The base run is measured by the preview "fit", asked for now if nobody has yet."""
    found = len(gpus()) if spec.run.device in ("auto", "cuda") else 0
    max_concurrent = spec.at_a_time(cpus=cores(), gpus=found)
    made = preview(store, "fit", measured_as(spec.run)) if not check(store, spec.run) else Preview(problem="")
    values = made.values
    fit = will_it_fit(store, spec.run, values) if values else None
    seconds = _seconds(store, spec, fit, values) if fit and values and fit.level != "too large" else None
    return Estimate(
        combinations=spec.combinations,
        trials=spec.num_trials,
        max_concurrent=max_concurrent,
        cpus=0 if found else spec.cpus,
        gpus=spec.gpus if found else 0.0,
        heads=heads_alone(spec),
        trial_s=seconds and seconds / spec.num_trials,
        seconds=seconds and seconds / max(1, min(found, max_concurrent)),
        gpu_hours=(seconds or 0.0) / 3600 if found and seconds else None,
        disk=_disk(spec, fit, values) if fit and values else None,
        fit=fit,
        message=made.problem or made.message,
        progress=made.progress,
    )


def _seconds(store: Store, spec: SearchSpec, fit: Fit, values: dict[str, Any]) -> float:
    """Of all trials one after the other, each with all cores or one GPU: side by side they share those."""
    times = [will_it_fit(store, run, values).total_s - fit.first_s for run in _like_the_base(spec)]
    return fit.first_s + spec.num_trials * sum(times) / len(times)


def _like_the_base(spec: SearchSpec) -> Iterator[RunSpec]:
    """Runs with epochs and batch sizes as they will be drawn: what time depends on, of what was measured."""
    run = spec.run
    for number in range(SAMPLED):
        drawn = {path: _spread(spec, path, number) for path in ("epochs", "optimisation.batch_size")}
        optimisation = run.optimisation.model_copy(update={"batch_size": drawn["optimisation.batch_size"]})
        yield run.model_copy(update={"epochs": drawn["epochs"], "optimisation": optimisation})


def _spread(spec: SearchSpec, path: str, number: int) -> Any:
    """The `number`th of values spread over a range, in an order of its own for each field."""
    if path not in spec.space:
        return value_at(spec.run, path)
    one = spec.space[path]
    share = (number * (0.618034 if path == "epochs" else 0.754878)) % 1.0  # low-discrepancy: no field follows another
    if one.values:
        return one.values[int(share * len(one.values))]
    return round(
        one.low * (one.high / one.low) ** share if one.kind == "log" else one.low + share * (one.high - one.low)
    )


def _disk(spec: SearchSpec, fit: Fit, values: dict[str, Any]) -> int:
    """Images and features are shared, checkpoints are each trial's own."""
    saved = sum(values.get(name, 0) for name in ("weights", "optimizer", "average"))
    kept = spec.run.keep_checkpoints
    return int(fit.disk + (spec.num_trials - 1) * (kept + 1) * saved)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How far a search is."""

    over: int  # trials
    num_trials: int
    worked_s: float
    left_s: float | None  # by the pace so far; None while nothing ended
    budget_s: float | None  # None: no limit
    gpu_budget_s: float | None

    @property
    def fraction(self) -> float:
        return min(1.0, self.over / self.num_trials) if self.num_trials else 0.0


def search_outlook(store: Store, search: Search) -> Outlook:
    """How far a search is, and when it will be done by its pace so far."""
    left = max(0, trials_left(store, search))
    over, worked = search.num_trials - left, search.worked_s()
    running = store.runs.trials(search.id, states=[RunState.RUNNING])
    done = over + sum(run.fraction for run in running)
    pace = worked / done if done >= 0.5 and worked > 0 else None
    budget, gpu_budget = (float(search.spec.get(name) or 0) * 3600 for name in ("hours", "gpu_hours"))
    left_s = None if pace is None or search.state.is_at_rest else pace * (search.num_trials - done)
    if left_s is not None and budget:
        left_s = min(left_s, max(0.0, budget - worked))
    return Outlook(over, search.num_trials, worked, left_s, budget or None, gpu_budget or None)


def importances(store: Store, search_id: str) -> dict[str, float]:
    """The share of what made trials differ that each searched field has, largest first; {} while too few are finished.

    By fANOVA (Hutter 2014), as Optuna computes it; trials that ended early do not count. Of many trials some are taken
    by their ids, which are chance: mostly the same ones again when more trials are over.
    """
    search = find_search(store, search_id)
    spec = SearchSpec.parse(search.spec)
    trials = [run for run in store.runs.trials(search.id) if run.state is RunState.FINISHED]
    trials = sorted((run for run in trials if run.best_value is not None), key=lambda run: run.id)[:RANKED]
    if len(trials) < FEWEST or len({run.best_value for run in trials}) < 2:
        return {}
    return _fanova({path: [_of(run, path) for run in trials] for path in spec.space}, trials, spec)


def _fanova(columns: dict[str, list[Any]], trials: list[Run], spec: SearchSpec) -> dict[str, float]:
    import optuna  # a second of imports: only for those who look

    columns = {path: values for path, values in columns.items() if len(set(map(str, values))) > 1}
    if not columns:
        return {}
    distributions = {path: _distribution(spec, path, values) for path, values in columns.items()}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize" if spec.mode == "max" else "minimize")
    for number, run in enumerate(trials):
        params = {
            path: str(values[number]) if distributions[path].__class__.__name__.startswith("Cat") else values[number]
            for path, values in columns.items()
        }
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=run.best_value))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {path: float(share) for path, share in found.items()}


def _distribution(spec: SearchSpec, path: str, values: list[Any]) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    one = spec.space[path]
    if one.kind == "choices" or not all(isinstance(value, int | float) for value in values):
        return CategoricalDistribution(sorted(set(map(str, values))))
    low, high = min(one.low, *values), max(one.high, *values)  # the base run may stand outside
    return FloatDistribution(low, high, log=one.kind == "log" and low > 0)


def _of(run: Run, path: str) -> Any:
    """The value that the run trained with, also where its search left the field to the base."""
    found: Any = run.spec
    for name in path.split("."):
        found = found[name]
    return found
