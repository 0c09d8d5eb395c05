"""The states of runs and searches as every page shows them: a word, an icon and a colour, one row a state."""

from dataclasses import dataclass

from pages.parts.palette import BadgeColour, Palette
from storage import RunState, SearchState


@dataclass(frozen=True, slots=True)
class StateLabel:
    """How one state is shown."""

    word: str
    icon: str
    colour: BadgeColour

    def tint(self, palette: Palette) -> str:
        """The same colour behind the word in a table, mostly see-through."""
        colours: dict[BadgeColour, str] = {
            "gray": palette.waiting,
            "blue": palette.busy,
            "orange": palette.validation,
            "green": palette.good,
            "red": palette.bad,
        }
        return colours[self.colour] + "33"


RUN_STATES: dict[RunState, StateLabel] = {
    RunState.QUEUED: StateLabel("Queued", ":material/hourglass_empty:", "gray"),
    RunState.STARTING: StateLabel("Starting", ":material/rocket_launch:", "blue"),
    RunState.RUNNING: StateLabel("Running", ":material/progress_activity:", "blue"),
    RunState.STOPPING: StateLabel("Stopping", ":material/hourglass_bottom:", "orange"),
    RunState.INTERRUPTED: StateLabel("Interrupted", ":material/restart_alt:", "orange"),
    RunState.FINISHED: StateLabel("Finished", ":material/check_circle:", "green"),
    RunState.FAILED: StateLabel("Failed", ":material/error:", "red"),
    RunState.STOPPED: StateLabel("Stopped", ":material/stop_circle:", "gray"),
}
PRUNED = StateLabel("Pruned", ":material/content_cut:", "gray")  # a trial that a scheduler stopped

SEARCH_STATES: dict[SearchState, StateLabel] = {
    SearchState.QUEUED: StateLabel("Queued", ":material/hourglass_empty:", "gray"),
    SearchState.STARTING: StateLabel("Starting", ":material/rocket_launch:", "blue"),
    SearchState.RUNNING: StateLabel("Searching", ":material/travel_explore:", "blue"),
    SearchState.PAUSING: StateLabel("Pausing", ":material/hourglass_bottom:", "orange"),
    SearchState.PAUSED: StateLabel("Paused", ":material/pause_circle:", "orange"),
    SearchState.STOPPING: StateLabel("Stopping", ":material/hourglass_bottom:", "orange"),
    SearchState.STOPPED: StateLabel("Stopped", ":material/stop_circle:", "gray"),
    SearchState.FINISHED: StateLabel("Finished", ":material/check_circle:", "green"),
    SearchState.FAILED: StateLabel("Failed", ":material/error:", "red"),
    SearchState.INTERRUPTED: StateLabel("Interrupted", ":material/restart_alt:", "orange"),
}
