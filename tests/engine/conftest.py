import engine.training  # noqa: F401 - before any test imports torch: it sets how torch's threads wait
from tests.engine.supervised import play, supervisor  # noqa: F401 - fixtures
