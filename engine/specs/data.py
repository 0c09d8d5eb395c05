"""Which images, how they are brought into shape, and which of them teach."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen

from engine.catalog.augmentations import AUGMENTATIONS
from engine.specs.setting import Part, setting, some_of


class Data(Part):
    dataset: Annotated[str, MinLen(1), MaxLen(100)] = setting(
        "digits", "Data set", "The images to learn from. Add your own on the Data sets page.", choices="datasets"
    )
    image_size: Annotated[int, Ge(8), Le(1024)] = setting(
        64,
        "Image size",
        "Images are resized to a square of this side. Larger shows finer detail; time and memory grow with the square.",
        unit="px",
    )
    resize: Literal["stretch", "crop", "pad"] = setting(
        "stretch",
        "Made square by",
        "stretch changes the proportions, crop cuts the longer side off, pad adds black bars. "
        "Choose pad or crop when shape tells the classes apart.",
        advanced=True,
    )
    channels: Literal["auto", "grey", "colour"] = setting(
        "auto",
        "Colour",
        "auto keeps what the data set has. Choose grey when colour carries no meaning for your classes.",
        advanced=True,
    )
    normalisation: Literal["auto", "weights", "data", "none"] = setting(
        "auto",
        "Normalisation",
        "Mean and deviation that pixels are brought to: as the weights were trained with, or measured on your images. "
        "auto takes those of the weights where they have some.",
        advanced=True,
    )
    augmentations: Annotated[tuple[str, ...], some_of(AUGMENTATIONS)] = setting(
        (),
        "Augmentation",
        "Changes made to training images by chance, new in every epoch: more variety from the same images. Add some "
        "when training accuracy is far above validation accuracy. None is on unless you choose it.",
        choices="augmentations",
    )
    augmentation_strength: Annotated[float, Gt(0), Le(1)] = setting(
        0.5,
        "Augmentation strength",
        "How far each chosen change goes. Lower it when images in the preview are hard to recognise.",
        term="magnitude",
        advanced=True,
    )
    validation_fraction: Annotated[float, Ge(0.05), Le(0.5)] = setting(
        0.2,
        "Validation share",
        "Share of each class held back to judge the model, when the data set has no validation part of its own.",
        term="validation split",
        advanced=True,
    )
    test_fraction: Annotated[float, Ge(0), Le(0.5)] = setting(
        0.0,
        "Test share",
        "Share of each class kept away from training and choosing, for a last judgement. 0 keeps none; a data set's "
        "own test part is used as it is.",
        term="test split",
        advanced=True,
    )
    split_seed: Annotated[int, Ge(0), Lt(2**31)] = setting(
        0,
        "Split seed",
        "Decides which images are held back. Keep it equal over runs that you want to compare.",
        advanced=True,
    )
    group_by: Annotated[str, MaxLen(200)] = setting(
        "",
        "Kept together",
        "A regular expression on file names; images for which it finds the same text stay on one side of the split. "
        "patient(\\d+) keeps the photos of one patient together.",
        term="group split",
        advanced=True,
    )
