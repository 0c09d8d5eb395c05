"""Ray Tune's searcher, callback and stopper of a search: each hands on to the bridge, and keeps nothing.

Ray writes copies of them into its experiment files, which nobody reads: they pickle as plain objects.
"""

from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as RayTrial
from ray.tune.search import Searcher

from engine.tuning.ray_bridge import RayBridge


class SearcherAdapter(Searcher):
    def __init__(self, bridge: RayBridge) -> None:
        super().__init__(metric="score", mode=bridge.mode)
        self._bridge = bridge

    def suggest(self, trial_id: str) -> Any:
        config = self._bridge.suggest(trial_id)
        return Searcher.FINISHED if config is None and self._bridge.is_exhausted else config

    def set_search_properties(self, metric: Any, mode: Any, config: Any, **spec: Any) -> bool:
        return True

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """The callback gets the same, with more."""

    def on_pause(self, trial_id: str) -> None:
        """Called by BOHB's HyperBand."""

    def on_unpause(self, trial_id: str) -> None:
        """Called by BOHB's HyperBand."""

    def save(self, checkpoint_path: str) -> None:
        pass

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        pass

    def restore(self, checkpoint_path: str) -> None:
        pass

    def get_state(self) -> dict[str, Any]:
        return {}

    def __reduce__(self) -> Any:
        return (object, ())


class CallbackAdapter(Callback):
    def __init__(self, bridge: RayBridge) -> None:
        self._bridge = bridge

    def on_step_begin(self, iteration: int, trials: list[RayTrial], **info: Any) -> None:
        self._bridge.on_step(trials)

    def on_trial_result(
        self, iteration: int, trials: list[RayTrial], trial: RayTrial, result: dict[str, Any], **info: Any
    ) -> None:
        """Of every epoch: a searcher gets no trial's last one.

        Args:
            iteration: Of Ray's loop.
            trials: All that there are.
            trial: Of which this is a result.
            result: See `StepResult`, with more of Ray's own.
        """
        self._bridge.on_result(trial.trial_id, result)

    def on_trial_save(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_save(trial)

    def on_trial_complete(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_complete(trial)

    def on_trial_recover(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_recover(trial)

    def on_trial_error(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_error(trial)

    def __reduce__(self) -> Any:
        return (object, ())


class StopperAdapter(Stopper):
    def __init__(self, bridge: RayBridge) -> None:
        self._bridge = bridge

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False  # trials end by themselves, or by their scheduler

    def stop_all(self) -> bool:
        return self._bridge.all_have_left

    def __reduce__(self) -> Any:
        return (object, ())
