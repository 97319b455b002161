"""An LLM endpoint that answers as it is told, and remembers what it was asked: for tests of the gateway."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `breaks` ends the connection after the pieces; `holds` sends nothing more until it is cancelled."""

    pieces: Sequence[bytes]
    status: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: bool = False
    holds: bool = False

    @classmethod
    def of_json(cls, body: Any, status: int = 200, **headers: str) -> "Reply":
        """A whole answer."""
        return cls((json.dumps(body).encode(),), status, "application/json", headers)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(slots=True)
class ScriptedUpstream:
    """An ASGI app. Plays `replies` in turn and repeats the last one."""

    replies: list[Reply]
    asked: list[Asked] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client went away while its answer was held."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.asked.append(Asked(scope["path"], scope["query_string"].decode(), headers, body))
        await self._play(self.replies[min(len(self.asked), len(self.replies)) - 1], receive, send)

    async def _play(self, reply: Reply, receive: Receive, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        headers.append((b"content-type", reply.content_type.encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        for piece in reply.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if reply.holds:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.set()
        elif reply.breaks:
            raise ConnectionAbortedError("as told")
        else:
            await send({"type": "http.response.body", "body": b""})


def anthropic_stream(*texts: str, input_tokens: int = 1000, output_tokens: int = 40) -> list[bytes]:
    """The events of a streamed message, one piece each."""
    usage = {"input_tokens": input_tokens, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 100}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "msg_1", "usage": {**usage, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in texts),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": output_tokens}},
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def openai_stream(*texts: str, prompt_tokens: int = 1000, completion_tokens: int = 40) -> list[bytes]:
    """The chunks of a streamed completion with usage, one piece each."""
    details = {"cached_tokens": 200}
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "prompt_tokens_details": details}
    chunks: list[dict[str, Any]] = [
        *({"choices": [{"index": 0, "delta": {"content": text}}], "usage": None} for text in texts),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None},
        {"choices": [], "usage": usage},
    ]
    return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]
