"""The training loop, whole on one screen."""

import logging
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from engine.data.batches import Batches
from engine.protocol.events import EventCode
from engine.training.distributed.process_group import ProcessGroup
from engine.training.epoch_data import EpochData, TrainingData
from engine.training.evaluation import WIDTH, Evaluation, per_sample_eval
from engine.training.failures import is_out_of_memory
from engine.training.memory import free_memory
from engine.training.metric_logger import MetricLogger
from engine.training.precision import Format
from engine.training.recipe import Recipe
from engine.training.retention import Checkpoints
from engine.training.state import Training
from engine.training.step import Stepper

log = logging.getLogger("thaw")

ALONE = ProcessGroup()


def fit(
    training: Training,
    training_data: TrainingData,
    *,
    recipe: Recipe,
    stepper: Stepper,
    logger: MetricLogger,
    checkpoints: Checkpoints,
    stop: Callable[[], bool],
) -> bool:
    """Train until the recipe is over, or until `stop()`: then False, and what was reached is saved to go on from.

    Of ranks that train together all stop at the step where one is asked to.

    Args:
        training: The model and all that goes on with it.
        training_data: Gives the batches of each epoch.
        recipe: Criterion, learning rates, what learns when, how many epochs.
        stepper: Takes the steps.
        logger: Of metrics and messages.
        checkpoints: Saves epochs, and what is under way.
        stop: Whether to stop; called before every batch.

    Raises:
        Diverged: The loss or the weights are no longer finite; the last finite checkpoint stays.
        DiskFull: There is no room for the next checkpoint; the last one stays.
    """
    progress, group = training.progress, stepper.group
    while not recipe.is_over(progress.epoch, training.plateau):
        epoch_data = training_data.for_epoch(progress.epoch)
        began, seen, evaluation = time.perf_counter(), int(group.sum(training.totals)[2]), None
        logger.phase("training")
        if train_epoch(training, epoch_data, recipe, stepper, logger, stop):
            train_s = time.perf_counter() - began
            logger.phase("validating")
            group.sync_buffers(training.eval_model)
            model = group.wrap_for_eval(epoch_data.rest_of(training.eval_model))
            evaluation = evaluate(model, epoch_data.validation, stepper.format, stop, group, training.choices.parts)

        if evaluation is None:  # asked to stop in either of the two
            logger.phase("saving")
            checkpoints.save_unsaved(training)
            return False

        images = int(group.sum(training.totals)[2])
        pace = {"speed/images_per_s": (images - seen) / train_s, "speed/epoch_s": time.perf_counter() - began}
        end_epoch(training, evaluation, pace, recipe, logger, checkpoints, group)
    if progress.epoch < recipe.epochs:
        logger.message(EventCode.EARLY_STOP, epoch=progress.epoch, epochs=training.plateau.since)
    return True


def end_epoch(
    training: Training,
    evaluation: Evaluation,
    pace: dict[str, float],
    recipe: Recipe,
    logger: MetricLogger,
    checkpoints: Checkpoints,
    group: ProcessGroup = ALONE,
) -> None:
    """The epoch under way is done: report, compare, save.

    Args:
        training: As the epoch left it.
        evaluation: Of the validation images.
        pace: Metric name -> value: images per second, seconds of the epoch.
        recipe: How it trains.
        logger: Of metrics.
        checkpoints: Saves the epoch, if it is due.
        group: Whose batches were counted.
    """
    losses, hits, images = group.sum(training.totals).tolist()
    metrics = {"train/accuracy": hits / images, **evaluation.metrics}
    logger.epoch({**metrics, **pace, **recipe.lr_scheduler.read(training.optimizer), **_sizes(training.model)})
    training.plateau.step(checkpoints.quality(metrics), recipe.lr_scheduler.patience)
    training.finish_epoch()
    logger.phase("saving")
    metrics["train/loss"] = losses / images
    epoch = training.progress.epoch
    checkpoints.after_epoch(training, metrics, evaluation, is_last=recipe.is_over(epoch, training.plateau))
    values = "; ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    log.info("epoch %d of %d: %s; %.1f s", epoch, recipe.epochs, values, pace["speed/epoch_s"])


def _sizes(model: nn.Module) -> dict[str, float]:
    """How many parameters the network has, and how many of them learned in this epoch."""
    counts = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    return {
        "model/parameters": sum(count for count, _ in counts),
        "model/learning_parameters": sum(count for count, learns in counts if learns),
    }


def train_epoch(
    training: Training,
    epoch_data: EpochData,
    recipe: Recipe,
    stepper: Stepper,
    logger: MetricLogger,
    stop: Callable[[], bool],
) -> bool:
    """Train on every batch once, going on after those already done; False when `stop()` cut it short.

    Args:
        training: The model and all that goes on with it.
        epoch_data: The batches, and the part of the model that they enter.
        recipe: How it trains.
        stepper: Takes the steps.
        logger: Of losses and messages.
        stop: Whether to stop; called before every batch.
    """
    optimizer, progress = training.optimizer, training.progress
    training.model.train()
    recipe.unfreezing.begin_epoch(progress.epoch)
    model = stepper.group.wrap(epoch_data.train_module or epoch_data.rest_of(training.model))
    if not progress.batch and (thawed := recipe.unfreezing.thawed_in(progress.epoch)):
        logger.message(EventCode.THAWED, epoch=progress.epoch + 1, stages=", ".join(thawed))
    began, compiling = time.perf_counter(), epoch_data.compiles
    for images, labels in epoch_data.train.iterate(progress.batch, lambda: stepper.group.any(stop())):
        # not `progress.step`: a run that another's checkpoint began may have had batches of another size before
        recipe.lr_scheduler.set(optimizer, progress.epoch * len(epoch_data.train) + progress.batch, training.plateau)
        loss, logits = stepper.step(model, optimizer, images, labels)
        training.count(loss, logits, labels)
        logger.step(loss, len(labels))
        if compiling:
            logger.message(EventCode.COMPILED, seconds=time.perf_counter() - began)
            compiling = False
    logger.flush()
    return progress.batch == len(epoch_data.train)


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    batches: Batches,
    form: Format,
    stop: Callable[[], bool] = lambda: False,
    group: ProcessGroup = ALONE,
    parts: int = 1,
) -> Evaluation | None:
    """What the model says of each image, of all ranks' together; None when `stop()` cut it short.

    Args:
        model: Maps what the batches hold to logits.
        batches: Of the images, in order.
        form: The number format that it computes in.
        stop: Whether to stop; called before every batch.
        group: That evaluates together.
        parts: In which each batch is computed; more where memory asks for it.
    """
    model.eval()
    found = []
    for images, labels in batches:
        if group.any(stop()):
            return None
        if not len(labels):  # fewer images than ranks
            continue
        while (rows := _eval_in_parts(model, images, labels, form, parts)) is None:
            free_memory()
            parts *= 2
        found.append(rows)
    every = torch.zeros(batches.images, WIDTH, device=next(model.parameters()).device)
    if found:
        every[batches.places] = torch.cat(found)
    return Evaluation(group.sum(every))


def _eval_in_parts(model: nn.Module, images: Tensor, labels: Tensor, form: Format, parts: int) -> Tensor | None:
    """`per_sample_eval` of a batch that is computed in `parts`; None: memory ran out."""
    made = []
    try:
        for some, their in zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True):
            if len(their):
                with form.cast():
                    logits = model(some)
                made.append(per_sample_eval(logits, their))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error) or parts >= len(labels):
            raise
        return None
    return torch.cat(made)
