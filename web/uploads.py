"""Zips streamed to disk: what arrives is written as it comes, never held."""

import errno
import os
import secrets
import shutil
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storage import Home

MOST_BYTES = int(os.environ.get("THAW_UPLOAD_BYTES", 20 * 10**9))
CHECKED_BYTES = 64 * 10**6  # between looks at the free disk
RESERVE = 500 * 10**6  # bytes left free


async def room(request: Request) -> Response:
    """Whether a zip of `bytes` would be taken: a browser hears of a refused PUT only once it has sent all of it."""
    problem = _problem(request.path_params["name"], request.path_params["bytes"], Home.find().uploads)
    return problem or Response(status_code=204)


async def receive(request: Request) -> Response:
    """PUT a zip; 201 with the token by which the Data sets page imports it."""
    uploads = Home.find().uploads
    declared = int(request.headers.get("content-length") or 0)
    if problem := _problem(request.path_params["name"], declared, uploads):
        return problem
    token = secrets.token_hex(12)
    part = uploads / f"{token}.part"
    try:
        if not await _write(request, part):
            return _refused(413, f"It is larger than {_size(MOST_BYTES)}, the most that is taken.")
        part.replace(uploads / f"{token}.zip")
    except ClientDisconnect:
        return _refused(400, "The upload was broken off.")
    except OSError as error:
        return _refused(507, f"The disk refused: {error.strerror}.")
    finally:
        part.unlink(missing_ok=True)
    return JSONResponse({"upload": token}, status_code=201)


def _problem(name: str, declared: int, uploads: Path) -> Response | None:
    """Why a zip of `declared` bytes is refused, as far as that is known beforehand."""
    if not name.lower().endswith(".zip"):
        return _refused(415, f"{name} is no zip. Zip the folder of class folders first.")
    if declared > MOST_BYTES:
        return _refused(413, f"It has {_size(declared)}; at most {_size(MOST_BYTES)} are taken.")
    free = shutil.disk_usage(uploads).free
    if declared + RESERVE > free:
        return _refused(507, f"It has {_size(declared)}, and the disk {_size(free)} free, of which 0.5 GB must stay.")
    return None


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


async def _write(request: Request, part: Path) -> bool:
    """False when it is larger than it may be, whatever it declared."""
    written = checked = 0
    with part.open("wb") as file:
        async for chunk in request.stream():
            written += len(chunk)
            if written > MOST_BYTES:
                return False
            await run_in_threadpool(file.write, chunk)  # a slow disk must not hold up every page
            if written - checked > CHECKED_BYTES:  # whatever was declared, and whoever else writes
                checked = written
                if shutil.disk_usage(part.parent).free < RESERVE:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return True


def _refused(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status_code=status)


ROUTES = [
    Route("/api/uploads/{name}", receive, methods=["PUT"]),
    Route("/api/uploads/{name}/{bytes:int}", room, methods=["GET"]),
]
