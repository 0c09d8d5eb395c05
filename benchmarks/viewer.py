"""A browser's part of the conversation with the server, without a browser: what Streamlit's protocol asks of it."""

import asyncio
import time
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE_S = 60.0


@dataclass(slots=True)
class Viewer:
    """One open page. It asks for the parts that refresh themselves as often as a browser does."""

    port: int
    page: str
    query: str = ""
    frames: int = 0  # messages received
    received: int = 0  # bytes
    refreshes_s: list[float] = field(default_factory=list)  # from asking to the end of the answer
    problems: list[str] = field(default_factory=list)  # exceptions that the page showed
    _socket: ClientConnection | None = None
    _every_s: dict[str, float] = field(default_factory=dict)  # fragment -> its interval
    _known: set[str] = field(default_factory=set)  # hashes of messages that a browser keeps

    async def open(self) -> float:
        """Seconds until the whole page has arrived."""
        origin = Origin(f"http://127.0.0.1:{self.port}")
        self._socket = await connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit"), Subprotocol("PLACEHOLDER_AUTH_TOKEN")],
            origin=origin,
            max_size=None,
        )
        return await self._ask()

    async def watch(self, seconds: float) -> None:
        """Stay for a while, as a tab that is looked at."""
        end = time.monotonic() + seconds
        due = {one: time.monotonic() + every for one, every in self._every_s.items()}
        while due and (now := time.monotonic()) < end:
            fragment = min(due, key=due.__getitem__)
            await asyncio.sleep(max(0.0, min(due[fragment], end) - now))
            if time.monotonic() >= end:
                return
            self.refreshes_s.append(await self._ask(fragment))
            known = {one: due[one] for one in due if one in self._every_s}
            new = {one: time.monotonic() + every for one, every in self._every_s.items() if one not in known}
            due = known | new
            if fragment in due:
                due[fragment] = max(due[fragment] + self._every_s[fragment], time.monotonic())

    async def refresh(self) -> list[float]:
        """Each part that refreshes itself, once, one after the other: seconds of each."""
        return [await self._ask(fragment) for fragment in list(self._every_s)]

    async def close(self) -> None:
        if self._socket:
            await self._socket.close()

    async def _ask(self, fragment: str = "") -> float:
        assert self._socket is not None
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        message.rerun_script.cached_message_hashes.extend(self._known)
        began = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE_S):
            while not self._is_last(ForwardMsg.FromString(await self._receive())):
                pass
        return time.perf_counter() - began

    async def _receive(self) -> bytes:
        assert self._socket is not None
        raw = await self._socket.recv(decode=False)
        self.frames += 1
        self.received += len(raw)
        return bytes(raw)

    def _is_last(self, message: ForwardMsg) -> bool:
        kind = message.WhichOneof("type")
        if message.metadata.cacheable:
            self._known.add(message.hash)
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self._every_s.clear()  # the whole page is drawn anew: its parts will say so again
        elif kind == "auto_rerun":
            self._every_s[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            self.problems.append(message.delta.new_element.exception.message)
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
