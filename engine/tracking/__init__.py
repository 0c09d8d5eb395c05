"""Runs logged to other programs as well: a process beside the supervisor follows the rows and passes them on.

Training knows nothing of it: it is neither slowed by it nor failed by what goes wrong there.
"""
