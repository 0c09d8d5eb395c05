"""Kinds of data set. `source` names a function `(Dataset record as dict) -> engine.data.sources.base.Source`.

A new one of torchvision's is one entry here: its class, its parts, and what the picker shows before it is fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Embedded:
    """What is known of a data set that comes with Thaw's own requirements, without reading it."""

    counts: dict[str, dict[str, int]]  # split -> class -> images; split "all" when not split
    fingerprint: str
    channels: int
    width: int  # pixels
    height: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """A data set that torchvision fetches by itself."""

    torchvision: str  # class in torchvision.datasets
    parts: Mapping[str, Mapping[str, Any]]  # part -> arguments of that class; part "" where it is not split
    images: int
    classes: int
    channels: int
    width: int  # pixels; 0: they vary
    height: int
    bytes: int  # to download
    files: tuple[str, ...]  # what is downloaded, by its place below the root folder
    url: str  # where by hand


@dataclass(frozen=True, slots=True)
class DatasetKind:
    label: str
    note: str
    source: str
    embedded: Embedded | None = None
    fetched: Fetched | None = None


TRAIN_TEST = {"train": {"train": True}, "test": {"train": False}}
SPLIT_TRAIN_TEST = {"train": {"split": "train"}, "test": {"split": "test"}}
SPLIT_THREE = {"train": {"split": "train"}, "validation": {"split": "val"}, "test": {"split": "test"}}
UNSPLIT: dict[str, dict[str, Any]] = {"": {}}
MNIST_FILES = tuple(
    f"{part}-{what}.gz" for part in ("train", "t10k") for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
)
MB = 10**6


def _fetched(
    label: str,
    note: str,
    torchvision: str,
    parts: Mapping[str, Mapping[str, Any]],
    images: int,
    classes: int,
    size: tuple[int, int, int],
    megabytes: float,
    url: str,
    *files: str,
) -> DatasetKind:
    """A row; `size` is channels, width, height."""
    about = Fetched(torchvision, parts, images, classes, *size, round(megabytes * MB), files, url)
    return DatasetKind(label, note, "engine.data.sources.fetched:open_fetched", fetched=about)


def _in(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in names)


DATASET_KINDS: dict[str, DatasetKind] = {
    "folder": DatasetKind(
        label="Folder of images",
        note="One sub-folder a class, with or without train / validation / test above them; a folder, a zip or a CSV.",
        source="engine.data.sources.folder:open_folder",
    ),
    "digits": DatasetKind(
        label="Handwritten digits",
        note="1,797 real handwritten digits, 8 x 8 grey, from scikit-learn. Works offline.",
        source="engine.data.sources.embedded:open_digits",
        embedded=Embedded(
            counts={"all": dict(zip("0123456789", (178, 182, 177, 183, 181, 182, 181, 179, 174, 180), strict=True))},
            fingerprint="scikit-learn-digits-1",
            channels=1,
            width=8,
            height=8,
        ),
    ),
    "mnist": _fetched(
        "MNIST", "Handwritten digits, the classic.", "MNIST", TRAIN_TEST, 70_000, 10, (1, 28, 28), 11.6,
        "https://ossci-datasets.s3.amazonaws.com/mnist/", *_in("MNIST/raw", *MNIST_FILES),
    ),
    "fashion_mnist": _fetched(
        "FashionMNIST", "Clothes from a catalogue, made to replace MNIST.", "FashionMNIST", TRAIN_TEST, 70_000, 10,
        (1, 28, 28), 30.9, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        *_in("FashionMNIST/raw", *MNIST_FILES),
    ),
    "kmnist": _fetched(
        "KMNIST", "Cursive Japanese characters.", "KMNIST", TRAIN_TEST, 70_000, 10, (1, 28, 28), 21.3,
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/", *_in("KMNIST/raw", *MNIST_FILES),
    ),
    "emnist": _fetched(
        "EMNIST balanced", "Handwritten digits and letters, as many of each.", "EMNIST",
        {part: {"split": "balanced", **options} for part, options in TRAIN_TEST.items()}, 131_600, 47, (1, 28, 28), 562,
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "EMNIST/raw/gzip.zip",
    ),
    "emnist_letters": _fetched(
        "EMNIST letters", "Handwritten letters of the Latin alphabet.", "EMNIST",
        {part: {"split": "letters", **options} for part, options in TRAIN_TEST.items()}, 145_600, 26, (1, 28, 28), 562,
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "EMNIST/raw/gzip.zip",
    ),
    "emnist_digits": _fetched(
        "EMNIST digits", "Four times as many digits as MNIST.", "EMNIST",
        {part: {"split": "digits", **options} for part, options in TRAIN_TEST.items()}, 280_000, 10, (1, 28, 28), 562,
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "EMNIST/raw/gzip.zip",
    ),
    "emnist_byclass": _fetched(
        "EMNIST by class", "All its digits and letters, upper and lower case apart.", "EMNIST",
        {part: {"split": "byclass", **options} for part, options in TRAIN_TEST.items()}, 814_255, 62, (1, 28, 28), 562,
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "EMNIST/raw/gzip.zip",
    ),
    "emnist_bymerge": _fetched(
        "EMNIST by shape", "All of it; upper and lower case together where they look alike.", "EMNIST",
        {part: {"split": "bymerge", **options} for part, options in TRAIN_TEST.items()}, 814_255, 47, (1, 28, 28), 562,
        "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "EMNIST/raw/gzip.zip",
    ),
    "qmnist": _fetched(
        "QMNIST", "MNIST made again from its sources, with 60,000 test digits.", "QMNIST",
        {"train": {"what": "train"}, "test": {"what": "test"}}, 120_000, 10, (1, 28, 28), 20.4,
        "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
        *_in("QMNIST/raw", *(f"qmnist-{part}-{what}.gz" for part in ("train", "test")
                             for what in ("images-idx3-ubyte", "labels-idx2-int"))),
    ),
    "usps": _fetched(
        "USPS", "Digits from envelopes.", "USPS", TRAIN_TEST, 9_298, 10, (1, 16, 16), 8.4,
        "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/", "usps.bz2", "usps.t.bz2",
    ),
    "semeion": _fetched(
        "SEMEION", "Digits by 80 writers, black and white.", "SEMEION", UNSPLIT, 1_593, 10, (1, 16, 16), 2.9,
        "http://archive.ics.uci.edu/ml/machine-learning-databases/semeion/", "semeion.data",
    ),
    "cifar10": _fetched(
        "CIFAR-10", "Small photos of animals and vehicles.", "CIFAR10", TRAIN_TEST, 60_000, 10, (3, 32, 32), 170.5,
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "cifar-10-python.tar.gz",
    ),
    "cifar100": _fetched(
        "CIFAR-100", "Small photos of a hundred things.", "CIFAR100", TRAIN_TEST, 60_000, 100, (3, 32, 32), 169,
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", "cifar-100-python.tar.gz",
    ),
    "svhn": _fetched(
        "SVHN", "House numbers in street photos.", "SVHN", SPLIT_TRAIN_TEST, 99_289, 10, (3, 32, 32), 246.5,
        "http://ufldl.stanford.edu/housenumbers/", "train_32x32.mat", "test_32x32.mat",
    ),
    "stl10": _fetched(
        "STL-10", "Photos of animals and vehicles, few to learn from.", "STL10", SPLIT_TRAIN_TEST, 13_000, 10,
        (3, 96, 96), 2640, "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz", "stl10_binary.tar.gz",
    ),
    "oxford_iiit_pet": _fetched(
        "Oxford-IIIT Pets", "Photos of cats and dogs by breed.", "OxfordIIITPet",
        {"train": {"split": "trainval"}, "test": {"split": "test"}}, 7_349, 37, (3, 0, 0), 811,
        "https://www.robots.ox.ac.uk/~vgg/data/pets/", *_in("oxford-iiit-pet", "images.tar.gz", "annotations.tar.gz"),
    ),
    "flowers102": _fetched(
        "Flowers-102", "Photos of flowers.", "Flowers102", SPLIT_THREE, 8_189, 102, (3, 0, 0), 345,
        "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        *_in("flowers-102", "102flowers.tgz", "imagelabels.mat", "setid.mat"),
    ),
    "food101": _fetched(
        "Food-101", "Photos of dishes.", "Food101", SPLIT_TRAIN_TEST, 101_000, 101, (3, 0, 0), 4996,
        "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz", "food-101.tar.gz",
    ),
    "gtsrb": _fetched(
        "GTSRB", "German traffic signs.", "GTSRB", SPLIT_TRAIN_TEST, 39_270, 43, (3, 0, 0), 277,
        "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/published-archive.html",
        *_in("gtsrb", "GTSRB-Training_fixed.zip", "GTSRB_Final_Test_Images.zip", "GTSRB_Final_Test_GT.zip"),
    ),
    "dtd": _fetched(
        "DTD", "Textures, described by words.", "DTD", SPLIT_THREE, 5_640, 47, (3, 0, 0), 625,
        "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz", "dtd/dtd-r1.0.1.tar.gz",
    ),
    "eurosat": _fetched(
        "EuroSAT", "Land use seen by satellite.", "EuroSAT", UNSPLIT, 27_000, 10, (3, 64, 64), 94.7,
        "https://huggingface.co/datasets/torchgeo/eurosat", "eurosat/EuroSAT.zip",
    ),
    "fgvc_aircraft": _fetched(
        "FGVC-Aircraft", "Photos of aircraft by variant: fine differences.", "FGVCAircraft", SPLIT_THREE, 10_000, 100,
        (3, 0, 0), 2753, "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/", "fgvc-aircraft-2013b.tar.gz",
    ),
    "country211": _fetched(
        "Country211", "Photos by the country they were taken in.", "Country211",
        {"train": {"split": "train"}, "validation": {"split": "valid"}, "test": {"split": "test"}}, 63_300, 211,
        (3, 0, 0), 11_500, "https://openaipublic.azureedge.net/clip/data/country211.tgz", "country211.tgz",
    ),
    "rendered_sst2": _fetched(
        "Rendered SST2", "Pictures of sentences, praising or not.", "RenderedSST2", SPLIT_THREE, 9_613, 2,
        (3, 448, 448), 131, "https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz", "rendered-sst2.tgz",
    ),
    "imagenette": _fetched(
        "Imagenette", "Ten easy classes of ImageNet, at 160 px.", "Imagenette",
        {part: {"split": name, "size": "160px"} for part, name in (("train", "train"), ("validation", "val"))},
        13_394, 10, (3, 0, 0), 99, "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
        "imagenette2-160.tgz",
    ),
    "caltech101": _fetched(
        "Caltech-101", "Photos of a hundred kinds of objects.", "Caltech101", UNSPLIT, 8_677, 101, (3, 0, 0), 137,
        "https://data.caltech.edu/records/20086", "caltech101/caltech-101.zip",
    ),
    "caltech256": _fetched(
        "Caltech-256", "Photos of more kinds of objects, harder.", "Caltech256", UNSPLIT, 30_607, 257, (3, 0, 0), 1183,
        "https://data.caltech.edu/records/20087", "caltech256/256_ObjectCategories.tar",
    ),
    "sun397": _fetched(
        "SUN397", "Photos of places.", "SUN397", UNSPLIT, 108_754, 397, (3, 0, 0), 37_500,
        "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz", "SUN397.tar.gz",
    ),
}  # fmt: skip
