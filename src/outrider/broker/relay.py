"""One LLM call on its way: to the upstream, and its answer back to the engine, byte by byte."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.types import Message, Send

from outrider.broker.metering import LINE_LIMIT, Meter, StreamTap, Wire, json_object
from outrider.broker.prices import Tokens
from outrider.broker.refusals import explained, meaning
from outrider.model.limits import FIXED, raised_by

ANSWER_LIMIT = 32 << 20
"""Bytes of an answer that is not streamed."""

LONGEST_RETRY_AFTER_SECONDS = 60.0
"""Engines wait as long as a vendor says, some of them for hours without a word. They ask again a few times at most, so
that a person reads the vendor's refusal after minutes."""

_ANSWER_HEADERS = re.compile(
    r"content-type|cache-control|retry-after(-ms)?|x-should-retry|(x-)?request-id|anthropic-.*|openai-.*|x-ratelimit-.*"
)
_KEY_LIKE = re.compile(rb"\b(sk|key|rk)-[A-Za-z0-9_*.-]{8,}")
_BROKE = "The connection to the model broke in the middle of its answer. Nothing more came; try again."


class UpstreamFailed(Exception):
    """The upstream could not be reached or answered nothing usable. Holds the sentence to show."""


@dataclass(slots=True)
class Call:
    """One call. `tokens` is what was seen of its usage so far, `metered` whether the upstream took it on."""

    wire: Wire
    client: httpx.AsyncClient
    request: httpx.Request
    secret: SecretStr | None
    meter: Meter | None
    on_trouble: Callable[[str], None] | None = None
    """Told what a refusal means: the engine may try again for minutes and say nothing."""
    tokens: Tokens | None = None
    accepted: bool = False
    _fresh: bool = field(default=False, init=False)

    async def run(self, send: Send) -> None:
        """Send the request and relay the answer. Raises UpstreamFailed as long as nothing was answered."""
        response = await self._open()
        async with aclosing(response):
            last = await self._relay(response, send)
        # Only now: once the engine has its last byte, its leaving cancels this call, and closing must be over.
        for message in last:
            await send(message)

    async def settle(self) -> None:
        """Tell the usage if the upstream took the call on. Safe to call again."""
        if self.meter is not None and self.accepted:
            await self.meter.settle(self.tokens)

    async def _open(self) -> httpx.Response:
        try:
            return await self._send()
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            if self._fresh:
                raise UpstreamFailed(_unreachable(self.request, error)) from error
        except httpx.HTTPError as error:
            raise UpstreamFailed(_unreachable(self.request, error)) from error
        # A kept connection that the upstream had just closed: nothing was lost, so once more on another.
        try:
            return await self._send()
        except httpx.HTTPError as error:
            raise UpstreamFailed(_unreachable(self.request, error)) from error

    async def _send(self) -> httpx.Response:
        self._fresh = False
        self.request.extensions["trace"] = self._trace
        return await self.client.send(self.request, stream=True)

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.started", "connection.connect_unix_socket.started"):
            self._fresh = True

    async def _relay(self, response: httpx.Response, send: Send) -> list[Message]:
        """Relay all but the end of the answer, which is returned."""
        if response.status_code < 200 or 300 <= response.status_code < 400:
            raise UpstreamFailed(f"The model's endpoint answered {response.status_code}, which is no answer to a call.")
        if response.status_code >= 400:
            return await self._refusal(response)
        self.accepted = True
        if "text/event-stream" in response.headers.get("content-type", ""):
            return await self._relay_stream(response, send)
        body = await _whole(response)
        self.tokens = self.wire.tokens_of(json_object(body) or {})
        await self.settle()
        return _answer(response, body)

    async def _refusal(self, response: httpx.Response) -> list[Message]:
        status = response.status_code
        if self.on_trouble and self.meter and meaning(status):
            self.on_trouble(meaning(status))
        return _answer(response, explained(status, redacted(await _whole(response), self.secret)))

    async def _relay_stream(self, response: httpx.Response, send: Send) -> list[Message]:
        """Only whole lines go on: after half of one, the error that says why nothing more comes could not be read."""
        tap = StreamTap(self.wire)
        rest = bytearray()
        await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})
        try:
            async for chunk in _plain_chunks(response):
                tap.feed(chunk)
                self.tokens = tap.tokens
                if tap.complete:
                    await self.settle()  # before the engine can know that its answer is whole
                rest += chunk
                if whole := _whole_lines(rest):
                    await send({"type": "http.response.body", "body": whole, "more_body": True})
        except httpx.HTTPError:
            rest[:] = self.wire.error_event(_BROKE)
        await self.settle()
        return [{"type": "http.response.body", "body": bytes(rest)}]


def _whole_lines(text: bytearray) -> bytes:
    """Take the whole lines off the front. A line that no vendor writes, as long as that, goes on in pieces."""
    end = text.rfind(b"\n") + 1 or (len(text) if len(text) > LINE_LIMIT else 0)
    whole = bytes(text[:end])
    del text[:end]
    return whole


def redacted(text: bytes, secret: SecretStr | None) -> bytes:
    """Without the key, and without whatever looks like a part of one."""
    key = secret.get_secret_value().encode() if secret else b""
    return _KEY_LIKE.sub(b"[redacted]", text.replace(key, b"[redacted]") if key else text)


def _unreachable(request: httpx.Request, error: httpx.HTTPError) -> str:
    what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
    return (
        f"The model's endpoint {request.url.host} {what} ({type(error).__name__}). Check the network and its base URL."
    )


async def _whole(response: httpx.Response) -> bytes:
    body = bytearray()
    try:
        async for chunk in _plain_chunks(response):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                raise UpstreamFailed(f"The model's answer is larger than {ANSWER_LIMIT >> 20} MB. {raised_by(FIXED)}")
    except httpx.HTTPError as error:
        raise UpstreamFailed(_BROKE) from error
    return bytes(body)


def _plain_chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """As they come. We ask for no compression; an upstream that compresses all the same is unpacked."""
    return response.aiter_bytes() if "content-encoding" in response.headers else response.aiter_raw()


def _headers(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    passed = (
        (name.lower(), value)
        for name, value in response.headers.raw
        if _ANSWER_HEADERS.fullmatch(name.decode().lower())
    )
    return [(name, _bounded_wait(name, value)) for name, value in passed]


def _bounded_wait(name: bytes, value: bytes) -> bytes:
    """How long a vendor wants to be left alone, in seconds, milliseconds or as a date, where it is not too long."""
    longest = {b"retry-after": LONGEST_RETRY_AFTER_SECONDS, b"retry-after-ms": LONGEST_RETRY_AFTER_SECONDS * 1000}
    if name not in longest:
        return value
    try:
        return value if float(value) <= longest[name] else b"%d" % longest[name]
    except ValueError:
        return b"%d" % longest[name]


def _answer(response: httpx.Response, body: bytes) -> list[Message]:
    headers = [*_headers(response), (b"content-length", str(len(body)).encode())]
    return [
        {"type": "http.response.start", "status": response.status_code, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]
