"""Groups of equal and of nearly equal images among many, without comparing each with each."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from engine.data.scans.image_stats import ImageStats

MOST_BITS = 6  # of 64 in which the hashes of near-equal images may differ
LEAST_ALIKE = 0.95  # correlation of their small grey pictures: near hashes alone also come by chance
FLATTEST = 8.0  # deviation of the grey picture, of 255: flatter images are alike without meaning it
SMALLEST_PX = 32  # smaller ones, as MNIST's drawings, are alike by nature: their near hashes mean nothing
BANDS = MOST_BITS + 1  # two hashes that differ in so few bits agree in one band at least
MOST_IN_BAND = 400  # alike by one band: flat images; comparing all of them would take for ever and find nothing

Groups = list[tuple[int, ...]]  # indices, ascending; groups by their first


def equal_images(stats: Sequence[ImageStats]) -> Groups:
    """Images whose pixels are equal."""
    found: dict[str, list[int]] = {}
    for index, one in enumerate(stats):
        found.setdefault(one.content, []).append(index)
    return [tuple(group) for group in found.values() if len(group) > 1]


def near_images(stats: Sequence[ImageStats]) -> Groups:
    """Images that look the same though their pixels differ; equal ones count as one."""
    first: dict[str, int] = {}
    for index, one in enumerate(stats):
        if min(one.width, one.height) >= SMALLEST_PX:
            first.setdefault(one.content, index)
    links = [pair for pair in _candidates(list(first.values()), stats) if _alike(stats[pair[0]], stats[pair[1]])]
    return _joined(links)


def _candidates(chosen: list[int], stats: Sequence[ImageStats]) -> set[tuple[int, int]]:
    """Pairs that agree in one band of their hash and differ in few bits."""
    hashes = np.array([stats[index].hash for index in chosen], dtype=np.uint64)
    edges = np.linspace(0, 64, BANDS + 1).astype(int)
    found: set[tuple[int, int]] = set()
    for low, high in pairwise(edges):
        band = (hashes >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(band[order]) != 0, True])
        for begin, end in pairwise(starts):
            if 2 <= end - begin <= MOST_IN_BAND:
                found |= _close(order[begin:end], hashes, chosen)
    return found


def _close(places: np.ndarray, hashes: np.ndarray, chosen: list[int]) -> set[tuple[int, int]]:
    apart = np.bitwise_count(hashes[places][:, None] ^ hashes[places][None, :])
    left, right = np.nonzero(np.triu(apart <= MOST_BITS, k=1))
    pairs = zip(places[left].tolist(), places[right].tolist(), strict=True)
    return {(min(chosen[a], chosen[b]), max(chosen[a], chosen[b])) for a, b in pairs}


def _alike(one: ImageStats, other: ImageStats) -> bool:
    if min(one.grey.std(), other.grey.std()) < FLATTEST:
        return False
    return bool(np.corrcoef(one.grey.ravel(), other.grey.ravel())[0, 1] >= LEAST_ALIKE)


def _joined(links: Sequence[tuple[int, int]]) -> Groups:
    """Groups of what is linked, directly or by way of others."""
    groups = DisjointSet(index for link in links for index in link)
    for link in links:
        groups.merge(*link)
    return sorted(tuple(sorted(group)) for group in groups.subsets())
