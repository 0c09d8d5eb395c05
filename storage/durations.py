"""Durations as people read them: below pages and the command line, which both show those of runs."""


def duration_text(seconds: float) -> str:
    """0.4 s, 48 s, 2 min 32 s, 1 h 05 min, 3 d 4 h."""
    if 0 < seconds < 9.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
