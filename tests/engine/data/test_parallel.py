"""Work in threads comes back in order, each item once, and a failure reaches the caller."""

import os

import pytest

from engine.data.parallel import CHUNK, in_order


@pytest.mark.parametrize("cores", [1, 2, 3, 64])
@pytest.mark.parametrize("count", [0, 1, 17, CHUNK - 1, CHUNK, CHUNK + 1, 300, 4097])
def test_each_item_once_and_in_order(count: int, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert list(in_order(lambda item: 2 * item, range(count))) == list(range(0, 2 * count, 2))


def test_what_fails_fails_here_after_all_before_it() -> None:
    found = in_order(lambda item: 1 // (200 - item), range(1000))
    with pytest.raises(ZeroDivisionError):
        for number, value in enumerate(found):
            assert number < 200
            assert value == 1 // (200 - number)
