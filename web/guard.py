"""Who may talk to this server: known hosts only, and nothing that writes from a foreign page."""

import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = (
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


def allowed_hosts() -> frozenset[str]:
    """Loopback, and what `THAW_ALLOWED_HOSTS` (comma-separated) adds."""
    return HOSTS | {one.strip().lower() for one in os.environ.get("THAW_ALLOWED_HOSTS", "").split(",") if one.strip()}


class Guard:
    """The outermost layer. A foreign Host (DNS rebinding) and a foreign Origin on a write are refused with 403."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._hosts = allowed_hosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = self._refusal(headers, str(scope.get("method", "GET")), scope["type"])
        if reason and scope["type"] == "http":
            await JSONResponse({"error": reason}, status_code=403)(scope, receive, send)
        elif reason:
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, headers: Headers, method: str, kind: str) -> str | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return f"This Thaw does not answer to the name {host!r}. Add it to THAW_ALLOWED_HOSTS if it is yours."
        origin = headers.get("origin")
        writes = method not in SAFE or kind == "websocket"
        foreign = origin is not None and urlsplit(origin).netloc != host
        if writes and (foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site")):
            return "Another site may not change anything here."
        return None


def _name(host: str) -> str:
    """The host without its port, in lower case."""
    return (host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]).lower()


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
        await send(message)

    return sending
