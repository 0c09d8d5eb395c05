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


async def receive(request: Request) -> Response:
    """PUT a zip; 201 with the token by which the Data sets page imports it."""
    name = request.path_params["name"]
    if not name.lower().endswith(".zip"):
        return _refused(415, f"{name} is no zip. Zip the folder of class folders first.")
    uploads = Home.find().uploads
    declared = int(request.headers.get("content-length") or 0)
    free = shutil.disk_usage(uploads).free
    if declared > MOST_BYTES:
        return _refused(413, f"{declared / 1e9:,.1f} GB; at most {MOST_BYTES / 1e9:,.0f} GB are taken.")
    if declared + RESERVE > free:
        return _refused(507, f"The disk has {free / 1e9:,.1f} GB free; this needs {declared / 1e9:,.1f} GB.")
    token = secrets.token_hex(12)
    part = uploads / f"{token}.part"
    try:
        if not await _write(request, part):
            return _refused(413, f"More than {MOST_BYTES / 1e9:,.0f} GB.")
        part.replace(uploads / f"{token}.zip")
    except ClientDisconnect:
        return _refused(400, "The upload was broken off.")
    except OSError as error:
        return _refused(507, f"The disk refused: {error.strerror}.")
    finally:
        part.unlink(missing_ok=True)
    return JSONResponse({"upload": token}, status_code=201)


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


ROUTES = [Route("/api/uploads/{name}", receive, methods=["PUT"])]
