"""What users ask of searches, carried out: the rows change here, drivers hear of it."""

from collections.abc import Callable
from typing import ClassVar

from engine.api.searches import num_trials_with, renewed, stopped_with
from engine.errors import Problem, Refused
from engine.protocol.events import EventCode, Happening
from engine.specs import SearchSpec
from engine.supervisor.searches import Searching
from storage import Request, RunState, Search, SearchState, Store

AT_REST = {state for state in SearchState if state.is_at_rest}


class SearchRequests:
    """Each answers True once it is done; until then it is asked again in the next round.

    Raises:
        KeyError: The search was deleted meanwhile.
        Refused: It cannot be done any more; the text says why.
    """

    KINDS: ClassVar[dict[str, Callable[["SearchRequests", Request], bool]]] = {}

    def __init__(self, store: Store, searching: Searching) -> None:
        self._store, self._searching = store, searching

    def carry_out(self, request: Request) -> bool:
        return self.KINDS[request.kind](self, request)

    def _pause(self, request: Request) -> bool:
        return self._searching.pause(request.target)

    def _stop(self, request: Request) -> bool:
        return self._searching.stop(request.target)

    def _continue(self, request: Request) -> bool:
        self._go_on(self._store.searches.get(request.target))
        return True

    def _go_on(self, search: Search) -> None:
        spec = renewed(search)
        if self._store.searches.move(search.id, SearchState.QUEUED, expect=AT_REST, tries=0, not_before=0.0, spec=spec):
            code = EventCode.QUEUED_AGAIN if spec == search.spec else EventCode.QUEUED_BEYOND
            self._store.events.note(None, Happening.of(code), search_id=search.id)
            for run in stopped_with(self._store, search):
                self._store.runs.move(run.id, RunState.QUEUED)

    def _extend(self, request: Request) -> bool:
        search = self._store.searches.get(request.target)
        num_trials = num_trials_with(self._store, search, int(request.payload["trials"]))
        with self._store.transaction():
            self._store.searches.update(search.id, num_trials=num_trials, spec={**search.spec, "trials": num_trials})
            extended = Happening.of(EventCode.EXTENDED, trials=num_trials - search.num_trials, total=num_trials)
            self._store.events.note(None, extended, search_id=search.id)
            self._store.requests.finish(request.id, "done")  # with the rows: asked twice, it would grow twice
            if search.state.is_over:
                self._go_on(self._store.searches.get(search.id))
        self._searching.send_num_trials(self._store.searches.get(search.id))
        return True

    def _change_space(self, request: Request) -> bool:
        search = self._store.searches.get(request.target)
        if not search.state.is_at_rest:
            raise Refused([Problem("search", search.id, f"it is {search.state} by now; pause it first")])
        spec = SearchSpec.parse({**search.spec, "space": request.payload["space"]})
        self._store.searches.update(search.id, spec=spec.model_dump(mode="json"))
        self._store.events.note(None, Happening.of(EventCode.SPACE_CHANGED), search_id=search.id)
        return True


SearchRequests.KINDS.update(
    {
        "pause_search": SearchRequests._pause,
        "stop_search": SearchRequests._stop,
        "continue_search": SearchRequests._continue,
        "extend_search": SearchRequests._extend,
        "change_space": SearchRequests._change_space,
    }
)
