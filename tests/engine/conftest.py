import engine.training  # noqa: F401 - before any test imports torch: it sets how torch's threads wait
