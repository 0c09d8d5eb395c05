"""How trainings end, in words that more than one process knows."""

WITH_SEARCH = "Stopped with its search"  # begins the reason of a trial that goes on if its search does
