"""The rehearsal model: an ASGI app that speaks the vendors' wire formats and plays scripts. It is no model.

POST /v1/messages                  Anthropic Messages, streamed or whole
POST /v1/messages/count_tokens     about how many tokens the request is
POST /v1/chat/completions          OpenAI Chat Completions, streamed or whole
GET  /v1/models                    the one model there is
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from outrider.rehearsal import anthropic, openai
from outrider.rehearsal.conversation import Conversation
from outrider.rehearsal.script import Answer, NoScript, Script, answer
from outrider.rehearsal.wire import Event

DEMO_TOKENS_PER_SECOND = 240.0
"""Fast enough to wait for, slow enough to read along. Hosted models say 50 to 150 tokens a second."""

REQUEST_LIMIT_BYTES = 32 << 20
"""Anthropic's own limit on a request."""


@dataclass(frozen=True, slots=True)
class _Wire:
    """One vendor's format."""

    parse: Callable[[bytes], Conversation]
    whole: Callable[[Conversation, Answer], Mapping[str, Any]]
    events: Callable[[Conversation, Answer], Iterator[Event]]
    error: Callable[[int, str, str], Mapping[str, Any]]


_ANTHROPIC = _Wire(anthropic.parse, anthropic.whole, anthropic.events, anthropic.error)
_OPENAI = _Wire(openai.parse, openai.whole, openai.events, openai.error)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Plays scripts at a pace. No pace means as fast as it goes."""

    scripts: Sequence[Script]
    tokens_per_second: float | None

    async def messages(self, request: Request) -> Response:
        return await self._perform(_ANTHROPIC, request)

    async def completions(self, request: Request) -> Response:
        return await self._perform(_OPENAI, request)

    async def count_tokens(self, request: Request) -> Response:
        try:
            conversation = anthropic.parse(await _body(request))
        except ValidationError as error:
            return _malformed(_ANTHROPIC, error)
        return JSONResponse({"input_tokens": conversation.tokens()})

    async def models(self, request: Request) -> Response:
        return JSONResponse({"data": [{"type": "model", "id": "demo", "display_name": "Rehearsal (no model)"}]})

    async def _perform(self, wire: _Wire, request: Request) -> Response:
        try:
            conversation = wire.parse(await _body(request))
            said = answer(self.scripts, conversation)
        except ValidationError as error:
            return _malformed(wire, error)
        except NoScript as error:
            return JSONResponse(wire.error(400, "invalid_request_error", str(error)), status_code=400)
        if not conversation.stream:
            return JSONResponse(wire.whole(conversation, said))
        return StreamingResponse(self._paced(wire.events(conversation, said)), media_type="text/event-stream")

    async def _paced(self, events: Iterator[Event]) -> AsyncIterator[bytes]:
        for event in events:
            # Also without a pace: a long answer to a fast reader would never let anything else run.
            await asyncio.sleep(event.tokens / self.tokens_per_second if self.tokens_per_second else 0)
            yield event.data


def rehearsal_app(scripts: Sequence[Script], *, tokens_per_second: float | None = None) -> Starlette:
    """The rehearsal model that plays these scripts."""
    stage = _Stage(scripts, tokens_per_second)
    return Starlette(
        routes=[
            Route("/v1/messages", stage.messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", stage.count_tokens, methods=["POST"]),
            Route("/v1/chat/completions", stage.completions, methods=["POST"]),
            Route("/v1/models", stage.models, methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes:
    """The body, cut off beyond the limit: a cut body is no JSON, and is refused as such."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk[: REQUEST_LIMIT_BYTES - len(body)]
    return bytes(body)


def _malformed(wire: _Wire, error: ValidationError) -> Response:
    sentence = f"The request is not of this format: {error.errors()[0]['msg']}."
    return JSONResponse(wire.error(400, "invalid_request_error", sentence), status_code=400)
