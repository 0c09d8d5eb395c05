"""What runs where training happens: needs torch, knows neither the database nor the pages."""

import os

# Read when torch is loaded, so set before. By default its threads spin for milliseconds waiting for each other; when
# anything else wants the same cores, training a small network becomes 10 times slower. This costs nothing when alone.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
