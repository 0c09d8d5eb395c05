"""Searches: `python -m engine.tuning <search folder>` asks an algorithm for settings, trains them as runs, tells it.

Ray Tune drives trials that train in processes of their own; searches of heads alone do without it.
"""
