"""Augmentations of training images: torchvision's v2 transforms by name. A new one is one row.

They are applied in the order of the table, to each image with chances of its own. `options` gives the transform's
arguments at a strength of 0 (nearly nothing) to 1 (wild); 0.5 is usual.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Augmentation:
    label: str
    note: str
    transform: str  # of torchvision.transforms.v2
    options: Callable[[float, int], dict[str, Any]]  # (strength, image size in px) -> arguments
    probability: float | None = None  # applied to this share of images; None: the transform has chances of its own
    colour_only: bool = False  # passed over for grey images


AUGMENTATIONS: dict[str, Augmentation] = {
    "flip": Augmentation(
        "Mirror",
        "Left becomes right in half of the images. Not for digits or letters.",
        "RandomHorizontalFlip",
        lambda strength, size: {"p": 0.5},
    ),
    "flip_vertical": Augmentation(
        "Upside down",
        "For images without an up: cells, satellites, tiles.",
        "RandomVerticalFlip",
        lambda strength, size: {"p": 0.5},
    ),
    "crop": Augmentation(
        "Crop and zoom",
        "A random part, stretched back to full size: the usual one for photos.",
        "RandomResizedCrop",
        lambda strength, size: {"size": size, "scale": (1 - 0.8 * strength, 1.0), "antialias": True},
    ),
    "shift": Augmentation(
        "Shift",
        "Moves the image by some pixels; the rim that comes in is a mirror of the image.",
        "RandomCrop",
        lambda strength, size: {
            "size": size,
            "padding": max(1, round(size * 0.25 * strength)),
            "padding_mode": "reflect",
        },
    ),
    "rotate": Augmentation(
        "Rotate",
        "Turns by up to 45 degrees at full strength.",
        "RandomRotation",
        lambda strength, size: {"degrees": 45 * strength, "interpolation": 2},
    ),
    "perspective": Augmentation(
        "Perspective",
        "As seen from another side. For photos of flat things.",
        "RandomPerspective",
        lambda strength, size: {"distortion_scale": 0.6 * strength, "p": 0.5},
    ),
    "colour": Augmentation(
        "Colour",
        "Changes brightness, contrast, saturation and hue. Not where colour tells the classes apart.",
        "ColorJitter",
        lambda strength, size: {
            "brightness": 0.8 * strength,
            "contrast": 0.8 * strength,
            "saturation": 0.8 * strength,
            "hue": 0.2 * strength,
        },
    ),
    "grey": Augmentation(
        "Sometimes grey",
        "Takes the colour from some images, so that shape counts.",
        "RandomGrayscale",
        lambda strength, size: {"p": 0.4 * strength},
        colour_only=True,
    ),
    "blur": Augmentation(
        "Blur",
        "As if out of focus.",
        "GaussianBlur",
        lambda strength, size: {"kernel_size": max(3, size // 16 * 2 + 1), "sigma": (0.1, 0.1 + 4 * strength)},
        probability=0.5,
    ),
    "trivial": Augmentation(
        "TrivialAugment",
        "One random change of random strength an image; needs no tuning (Mueller and Hutter 2021).",
        "TrivialAugmentWide",
        lambda strength, size: {"num_magnitude_bins": max(2, round(62 * strength))},
    ),
    "rand": Augmentation(
        "RandAugment",
        "Two random changes an image (Cubuk et al. 2020).",
        "RandAugment",
        lambda strength, size: {"num_ops": 2, "magnitude": min(30, round(18 * strength))},
    ),
    "erase": Augmentation(
        "Erase a patch",
        "Hides a random rectangle, so that no single detail decides (Zhong et al. 2020).",
        "RandomErasing",
        lambda strength, size: {"p": 0.5, "scale": (0.02, 0.02 + 0.6 * strength), "value": 0},
    ),
}
