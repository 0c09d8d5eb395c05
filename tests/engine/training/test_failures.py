"""What went wrong reaches the user in words, with one next step."""

import errno

import pytest
import torch

from engine.errors import Unavailable
from engine.specs import RunSpec
from engine.training.failures import DiskFull, Diverged, explain

SPEC = RunSpec.parse({"optimisation": {"batch_size": 64, "learning_rate": 0.3}, "data": {"image_size": 96}})


@pytest.mark.parametrize(
    ("error", "reason", "advice"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried"),
            "out of memory.",
            "order: images of 48 px; precision bf16; recomputed activations; batches in 2 parts; batches of 32.",
        ),
        (MemoryError(), "out of memory.", "images of 48 px"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            "out of memory.",
            "images of 48 px",
        ),
        (DiskFull(50_000_000, 3_000_000), "disk full: 50 MB needed, 3 MB free.", "Free some space"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk full: No space left on device.", "Free some space"),
        (RuntimeError("[enforce fail] . unexpected pos 576 vs 534"), "disk full: [enforce", "Free some space"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/a/b.png"), "a file has vanished: /a/b.png.", "Put it back"),
        (PermissionError(errno.EACCES, "Denied", "/a/b.png"), "no permission: /a/b.png.", "the right to read"),
        (
            Diverged("the loss became NaN at step 3 (epoch 1)"),
            "diverged: the loss became NaN at step 3",
            "rate of 0.03",
        ),
        (ValueError("Expected more than 1 value per channel when training"), "batches of a single image", "2 or more"),
        (
            Unavailable("cuda was asked for but no GPU.", "Choose another device."),
            "cuda was asked for but no GPU.",
            "Choose another device",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), "cuDNN could not start", "Close them, then resume"),
        (RuntimeError("CUDA error: device-side assert triggered"), "the GPU stopped at an impossible index", "the CPU"),
        (
            RuntimeError("[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5"),
            "the ranks lost each other",
            "resume goes on",
        ),
        (RuntimeError("[gloo/transport/tcp/pair.cc] Connection closed by peer [127.0.0.1]"), "the ranks", "The log"),
        (RuntimeError("odd\nmore\nlines"), "RuntimeError: odd.", "See the log"),
        (AssertionError(), "AssertionError.", "See the log"),
    ],
)
def test_every_row_of_the_table(error, reason, advice):
    failure = explain(error, SPEC)
    assert failure.reason.startswith(reason)
    assert advice in failure.advice


def test_a_small_network_on_tiny_images_in_full_precision_is_told_what_is_left() -> None:
    spec = RunSpec.parse(
        {
            "data": {"image_size": 8},
            "model": {"backbone": "small_cnn"},
            "optimisation": {"batch_size": 1},
            "compute": {"precision": "bf16", "recompute": True},
        }
    )
    assert explain(MemoryError(), spec).advice == "Choose a smaller backbone and start the run again."
