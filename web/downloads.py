"""Routes that hand out what a run kept. They take ids, look paths up in the store, and stream files."""

from functools import cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from engine import api
from storage import Store


@cache
def store() -> Store:
    return api.open_store()


async def checkpoint(request: Request) -> Response:
    """The weights of a checkpoint (`best`, `last` or an epoch) as one safetensors file; Range is honoured."""
    run_id, which = request.path_params["run"], request.path_params["which"]
    try:
        path, name = await run_in_threadpool(api.checkpoint_file, store(), run_id, which)
    except api.NotFound as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    except api.Unavailable as error:
        return JSONResponse({"error": str(error)}, status_code=410)
    # `identity` keeps the server's gzip away: it would take 14 times as long and drop the length and Range.
    headers = {"Content-Encoding": "identity", "Cache-Control": "no-store"}
    return FileResponse(path, filename=name, media_type="application/octet-stream", headers=headers)


async def log(request: Request) -> Response:
    """The end of a run's log as text."""
    try:
        run = await run_in_threadpool(api.find_run, store(), request.path_params["run"])
    except api.NotFound as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    return PlainTextResponse(await run_in_threadpool(lambda: api.log_tail(store(), run.id, lines=5000)))


ROUTES = [
    Route("/api/runs/{run}/checkpoints/{which}", checkpoint, methods=["GET", "HEAD"]),
    Route("/api/runs/{run}/log", log, methods=["GET"]),
]
