"""What predictions come to: accuracy, scores of each class, the confusion matrix. The arithmetic is scikit-learn's."""

from typing import Any

import numpy as np

from engine.predictions import Predictions


def results(found: Predictions) -> dict[str, Any]:
    """As plain values. A score that nothing can be said about is None: the precision of a class never guessed."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    guesses, places = found.guesses[:, 0], range(len(found.classes))
    precision, recall, f1, images = precision_recall_fscore_support(
        found.labels, guesses, labels=places, zero_division=np.nan
    )
    rows = zip(found.classes, precision, recall, f1, images, strict=True)
    return {
        "run": found.run,
        "epoch": found.epoch,
        "dataset": found.dataset,
        "part": found.part,
        "images": len(found.labels),
        "accuracy": float((found.rank == 0).mean()),
        f"top_{found.guesses.shape[1]}_accuracy": float((found.rank < found.guesses.shape[1]).mean()),
        "classes": [
            {"name": name, "images": int(count), "precision": _said(p), "recall": _said(r), "f1": _said(f)}
            for name, p, r, f, count in rows
        ],
        "confusion": confusion_matrix(found.labels, guesses, labels=places).tolist(),  # [true][guessed]
    }


def _said(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
