import pytest

import engine.training  # noqa: F401 - before any test imports torch: it sets how torch's threads wait
from tests.engine.supervised import play, supervisor  # noqa: F401 - fixtures


@pytest.fixture
def no_signal_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A course takes the signals of its process, which here is that of all tests."""
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
