"""What checkpoints say of images: kept with a run, or made when it is asked for."""

from engine.errors import NotFound
from engine.files import find_checkpoint
from engine.predictions import PREDICTIONS, Predictions
from storage import Store


def run_predictions(store: Store, run_id: str) -> Predictions | None:
    """What a run's best checkpoint says of the images that judged it.

    None while there is nothing to read: no checkpoint yet, one from before they were kept, or a damaged file. Then
    `predictions_on` makes them anew.
    """
    try:
        kept = find_checkpoint(store, run_id, "best")
        return Predictions.read(store.home.run(run_id) / kept.path / PREDICTIONS, run_id)
    except (NotFound, OSError, ValueError):
        return None
