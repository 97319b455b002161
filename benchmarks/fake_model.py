"""A model that costs nothing and stamps each token with when it was said, so that delays need no guessing.

It speaks OpenAI's Chat Completions, streamed: the first token at once, then 40 more, one every 20 ms.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

MODEL = "openai/bench"
TOKENS = 40
TOKEN_SECONDS = 0.02

_STAMP = re.compile(rb"TS(\d+) ")


@dataclass
class FakeModel:
    """An ASGI app. `asked` holds when each request had arrived, in ns of the monotonic clock."""

    asked: list[int] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer any request with the same stream."""
        while (await receive()).get("more_body"):
            pass
        self.asked.append(time.monotonic_ns())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for number in range(TOKENS + 1):
            await asyncio.sleep(TOKEN_SECONDS if number else 0)
            await say(send, {"content": f"TS{time.monotonic_ns()} "})
        await say(send, {}, finish="stop")
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def say(send: Send, delta: dict[str, Any], finish: str | None = None) -> None:
    """One piece of a streamed answer."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "bench", "object": "chat.completion.chunk", "created": 0, "model": "bench", "choices": [choice]}
    if finish:
        chunk["usage"] = {"prompt_tokens": 100, "completion_tokens": TOKENS + 1, "total_tokens": TOKENS + 101}
    await send({"type": "http.response.body", "body": f"data: {json.dumps(chunk)}\n\n".encode(), "more_body": True})


@dataclass
class Heard:
    """What a client heard of one answer: when each token was said and when it came, in ns."""

    sent: int = field(default_factory=time.monotonic_ns)
    """When the prompt was sent."""
    tokens: dict[int, int] = field(default_factory=dict)

    def hear(self, data: bytes) -> None:
        """Bytes have come. Tokens that came before are not counted again: some send the whole text each time."""
        now = time.monotonic_ns()
        for stamp in _STAMP.findall(data):
            self.tokens.setdefault(int(stamp), now)

    @property
    def first_token_ms(self) -> float:
        """From the prompt to the first token at the client."""
        return (min(self.tokens.values()) - self.sent) / 1e6

    @property
    def asking_ms(self) -> float:
        """From the prompt to the model's first word."""
        return (min(self.tokens) - self.sent) / 1e6

    @property
    def relay_ms(self) -> list[float]:
        """From the model's mouth to the client, each token."""
        return [(came - said) / 1e6 for said, came in self.tokens.items()]
