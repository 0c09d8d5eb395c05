"""How families of networks are cut into stages: what a freeze policy freezes and thaws, from input to head."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """How a family of networks is cut: stages from input to head, which together hold every weight but the head's."""

    family: str
    note: str  # one line: when to choose it
    stages: Mapping[str, str]  # name -> paths of its modules and parameters, separated by blanks
    head: str  # path of the last layer, Linear or 1 x 1 Conv2d
    stem: str = ""  # first convolution and pooling, whose stride a "small" stem sets to 1; "": it cannot
    smallest_px: int = 32
    multiple_of: int = 1  # image sizes must be multiples of this
    size_option: str | None = None  # torchvision's argument for the image size, where weights depend on it
    is_of_one_size: bool = False  # weights fit images of the size they were made for alone
    options: Mapping[str, Any] = field(default_factory=dict)  # more arguments of torchvision's function
    sees: str = "maps"  # what stages give: "maps" (n, C, H, W), "maps, channels last", or "tokens" (n, 1 + H x W, C)
    cam_layer: str = ""  # the layer where Grad-CAM reads what speaks for a class; "": the latest stage with fine maps


def _span(path: str, first: int, last: int) -> str:
    """Members `first` to `last` of a list of layers: "features.0 features.1"."""
    return " ".join(f"{path}.{index}" for index in range(first, last + 1))


def _features(*lasts: int) -> dict[str, str]:
    """Stages of a network whose layers are one list, `features`, by the last layer of each: stem, stage1, ..."""
    firsts = (0, *(last + 1 for last in lasts))
    names = ("stem", *(f"stage{number}" for number in range(1, len(lasts))))
    return {name: _span("features", first, last) for name, first, last in zip(names, firsts, lasts, strict=False)}


SMALL_CNN = Layout(
    "Small CNN",
    "Three convolution blocks and five linear layers, as in the course notes. Fast; for small images.",
    {"block1": "0", "block2": "3", "block3": "6", "dense": "11 13 15 17"},
    head="19",
    smallest_px=8,
    is_of_one_size=True,
)
RESNET = Layout(
    "ResNet",
    "The usual first choice for photos: accurate for its size, forgiving to train.",
    {"stem": "conv1 bn1", **{f"layer{number}": f"layer{number}" for number in (1, 2, 3, 4)}},
    head="fc",
    stem="conv1 maxpool",
)
DENSENET = Layout(
    "DenseNet",
    "Every layer sees all before it: few weights, but much memory while training.",
    {
        "stem": "features.conv0 features.norm0",
        **{f"block{n}": f"features.denseblock{n} features.transition{n}" for n in (1, 2, 3)},
        "block4": "features.denseblock4 features.norm5",
    },
    head="classifier",
    stem="features.conv0 features.pool0",
)
_MOBILE = "Made for phones: small and quick on a CPU."
MOBILENET_V2 = Layout("MobileNet", _MOBILE, _features(1, 3, 6, 13, 18), "classifier.1", stem="features.0.0")
MOBILENET_V3_SMALL = Layout(
    "MobileNet",
    _MOBILE,
    {**_features(0, 1, 3, 8, 12), "classifier": "classifier.0"},
    "classifier.3",
    stem="features.0.0",
)
MOBILENET_V3_LARGE = replace(MOBILENET_V3_SMALL, stages={**_features(1, 3, 6, 12, 16), "classifier": "classifier.0"})
EFFICIENTNET = Layout(
    "EfficientNet",
    "The most accuracy a weight; trains slower than its size says. B0 for 224 px, larger ones for larger images.",
    _features(1, 2, 3, 5, 8),
    "classifier.1",
    stem="features.0.0",
)
EFFICIENTNET_V2_S = replace(EFFICIENTNET, stages=_features(1, 2, 3, 5, 7))
CONVNEXT = Layout(
    "ConvNeXt",
    "A modern convolutional network: very accurate with pretrained weights; wants AdamW.",
    {**_features(1, 3, 5, 7), "norm": "classifier.0"},
    "classifier.2",
)
REGNET = Layout(
    "RegNet",
    "Designed by search for speed on GPUs; sizes from phone to server (MF and GF: work an image).",
    {"stem": "stem", **{f"block{number}": f"trunk_output.block{number}" for number in (1, 2, 3, 4)}},
    head="fc",
    stem="stem.0",
)
SHUFFLENET = Layout(
    "ShuffleNet",
    "Tiny and very quick; for weak machines.",
    {"stem": "conv1", "stage2": "stage2", "stage3": "stage3", "stage4": "stage4", "conv5": "conv5"},
    head="fc",
    stem="conv1.0 maxpool",
)
SQUEEZENET_0 = Layout(
    "SqueezeNet",
    "About a million weights in all; has no batch normalisation, so start with a small learning rate.",
    {
        "stem": "features.0",
        **{f"fires{n}": _span("features", *s) for n, s in ((1, (3, 5)), (2, (7, 10)), (3, (12, 12)))},
    },
    head="classifier.1",
    stem="features.0 features.2",
)
SQUEEZENET_1 = replace(
    SQUEEZENET_0,
    stages={
        "stem": "features.0",
        **{f"fires{n}": _span("features", *s) for n, s in ((1, (3, 4)), (2, (6, 7)), (3, (9, 12)))},
    },
)
MNASNET = Layout(
    "MNASNet",
    "Designed by search for phones.",
    {
        "stem": _span("layers", 0, 7),
        "stage1": "layers.8",
        "stage2": "layers.9",
        "stage3": _span("layers", 10, 11),
        "stage4": _span("layers", 12, 16),
    },
    head="classifier.1",
    stem="layers.0",
)
SWIN = Layout(
    "Swin",
    "A transformer that looks through windows; at its best with pretrained weights and AdamW.",
    {
        "patches": "features.0",
        "stage1": "features.1",
        "stage2": _span("features", 2, 3),
        "stage3": _span("features", 4, 5),
        "stage4": "features.6 features.7 norm",
    },
    head="head",
    sees="maps, channels last",
)
MAXVIT = Layout(
    "MaxViT",
    "Convolutions and attention in turns; accurate and slow.",
    {
        "stem": "stem",
        **{f"block{number + 1}": f"blocks.{number}" for number in range(4)},
        "classifier": "classifier.2 classifier.3",
    },
    head="classifier.5",
    smallest_px=224,
    multiple_of=224,
    size_option="input_size",
    is_of_one_size=True,
)
ALEXNET = Layout(
    "AlexNet",
    "The network of 2012. For history, and to compare.",
    {f"conv{n}": f"features.{index}" for n, index in ((1, 0), (2, 3), (3, 6), (4, 8), (5, 10))}
    | {"classifier": "classifier.1 classifier.4"},
    head="classifier.6",
    smallest_px=63,
)
GOOGLENET = Layout(
    "Inception",
    "Filters of several widths side by side; the network of 2014.",
    {
        "stem": "conv1 conv2 conv3",
        "inception3": "inception3a inception3b",
        "inception4": " ".join(f"inception4{letter}" for letter in "abcde"),
        "inception5": "inception5a inception5b",
    },
    head="fc",
    stem="conv1.conv maxpool1",
    options={"aux_logits": False, "init_weights": True},
)
INCEPTION = replace(
    GOOGLENET,
    note="Filters of several widths side by side, for 299 px; the network of 2015.",
    stages={
        "stem": "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 Conv2d_3b_1x1 Conv2d_4a_3x3",
        "mixed5": " ".join(f"Mixed_5{letter}" for letter in "bcd"),
        "mixed6": " ".join(f"Mixed_6{letter}" for letter in "abcde"),
        "mixed7": " ".join(f"Mixed_7{letter}" for letter in "abc"),
    },
    stem="",
    smallest_px=75,
)


def vgg(convolutions: str, *, normed: bool = False) -> Layout:
    """Blocks of so many convolutions, each block closed by a pooling layer."""
    stages, first = {}, 0
    for number, count in enumerate(map(int, convolutions.split()), start=1):
        layers = count * (3 if normed else 2)
        stages[f"block{number}"] = _span("features", first, first + layers - 1)
        first += layers + 1
    stages["classifier"] = "classifier.0 classifier.3"
    note = "A plain stack of convolutions: the classic of the course notes. Many weights, slow."
    return Layout("VGG", note, stages, head="classifier.6")


def vit(layers: int, patch: int) -> Layout:
    """A vision transformer: its equal layers in four stages."""
    stages = {"patches": "class_token conv_proj encoder.pos_embedding"}
    for number in range(4):
        names = range(number * layers // 4, (number + 1) * layers // 4)
        stages[f"stage{number + 1}"] = " ".join(f"encoder.layers.encoder_layer_{index}" for index in names)
    stages["stage4"] += " encoder.ln"
    note = "A transformer over image patches; needs pretrained weights and AdamW, then it is hard to beat."
    size = {"smallest_px": 2 * patch, "multiple_of": patch, "size_option": "image_size", "is_of_one_size": True}
    # behind its attention the last layer's tokens of patches no longer matter: only the first one reaches the head
    seen = {"sees": "tokens", "cam_layer": f"encoder.layers.encoder_layer_{layers - 1}.ln_1"}
    return Layout("ViT", note, stages, head="heads.head", **size, **seen)  # type: ignore[arg-type]
