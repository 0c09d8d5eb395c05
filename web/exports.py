"""The route that hands out tables of the store as files. They are sent as they are read: no table is held here."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from engine import api
from engine.api import Problem
from storage import RunState
from web.downloads import store

TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
FILTERS = ("state", "text", "dataset", "tag", "trials", "archived")  # of runs, as the Runs page has them
PARAMETERS = ("runs", "search", *FILTERS)


async def table(request: Request) -> Response:
    """A table as one file: `?runs=ID,ID`, `?search=ID`, or the runs that the filters leave."""
    what, form = request.path_params["what"], request.path_params["form"]
    try:
        pieces = await run_in_threadpool(_exported, what, form, request.query_params)
    except api.NotFound as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    except api.Refused as refused:
        return JSONResponse({"error": str(refused)}, status_code=400)
    headers = {
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(f'thaw-{what}.{form}')}",
        "Cache-Control": "no-store",
    }
    if form == "parquet":  # packed already: the server's gzip would only cost time
        headers["Content-Encoding"] = "identity"
    return StreamingResponse(pieces, media_type=TYPES[form], headers=headers)


def _exported(what: str, form: str, query: QueryParams) -> Iterator[bytes]:
    """
    Raises:
        engine.NotFound, engine.Refused: The address names what there is not.
    """
    if unknown := [name for name in query if name not in PARAMETERS]:
        raise api.Refused([Problem(name, query[name], f"must be one of {', '.join(PARAMETERS)}") for name in unknown])
    runs = query["runs"].split(",") if "runs" in query else None
    if runs is None and any(name in query for name in FILTERS):
        runs = [run.id for run in store().runs.list(**_filters(query), limit=-1)]
    return api.export(store(), what, form, runs=runs, search=query.get("search"))


def _filters(query: QueryParams) -> dict[str, Any]:
    states = query.getlist("state")
    if wrong := [state for state in states if state not in set(RunState)]:
        raise api.Refused([Problem("state", state, f"must be one of {', '.join(RunState)}") for state in wrong])
    return {
        "states": [RunState(state) for state in states] or None,
        "text": query.get("text"),
        "dataset_id": query.get("dataset"),
        "tags": query.getlist("tag"),
        "alone": query.get("trials") != "1",
        "archived": query.get("archived") == "1",
    }


ROUTES = [Route("/api/export/{what}.{form}", table, methods=["GET"])]
