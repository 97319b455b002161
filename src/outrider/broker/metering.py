"""Counting what an LLM call used while its answer streams by, and telling it once."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import SecretStr

from outrider.broker.prices import Tokens, price_of
from outrider.model.engine import ModelRef, Usage
from outrider.model.ids import new_id

LINE_LIMIT = 1 << 20
"""A longer line of a stream is passed on but not looked into."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What one event of a stream says: the tokens so far, and whether the answer is whole."""

    tokens: Tokens | None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One path that an engine may call: where it goes below the upstream's base URL, and whether it costs anything."""

    path: str
    metered: bool = True


class Wire(Protocol):
    """A vendor's wire format, as far as the gateway must know it."""

    routes: ClassVar[Mapping[str, Route]]
    """What may be called, by the path in the guest. POST only."""
    request_headers: ClassVar[frozenset[str]]
    """Request headers that pass, beside those of HTTP itself."""
    event_marks: ClassVar[tuple[bytes, ...]]
    """Only a line of the stream that holds one of these is parsed."""

    def credentials(self, key: SecretStr) -> dict[str, str]:
        """The headers that carry the key."""

    def prepare(self, body: bytes, request: dict[str, Any]) -> bytes:
        """The body to send: the engine's bytes, unless usage has to be asked for."""

    def error(self, status: int, sentence: str) -> dict[str, Any]:
        """An error in the vendor's shape, so that the engine shows the sentence."""

    def error_event(self, sentence: str) -> bytes:
        """The same as an event in the middle of a stream."""

    def observe(self, event: dict[str, Any], seen: Tokens | None) -> Observed:
        """Read one event of a stream."""

    def tokens_of(self, answer: dict[str, Any]) -> Tokens | None:
        """Read a whole answer that was not streamed."""


class StreamTap:
    """Reads usage out of a server-sent event stream that passes by. Memory is bounded by one line."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._rest = b""
        self._skipping = False
        self.tokens: Tokens | None = None
        self.complete = False

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if not self._skipping:
                self._line(line)
            self._skipping = False
        self._skipping = self._skipping or len(rest) > LINE_LIMIT
        self._rest = b"" if self._skipping else rest

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"data:"):
            return
        data = line[5:].strip()
        if data == b"[DONE]":
            self.complete = True
        elif any(mark in data for mark in self._wire.event_marks):
            self._event(data)

    def _event(self, data: bytes) -> None:
        event = json_object(data)
        if event is None:
            return
        observed = self._wire.observe(event, self.tokens)
        self.tokens = observed.tokens
        self.complete = self.complete or observed.done


@dataclass(slots=True)
class Meter:
    """Tells the usage of one call. A call that is told again after an interruption carries the same id."""

    model: ModelRef
    on_usage: Callable[[Usage], Awaitable[None]] | None
    call: str = field(default_factory=lambda: new_id("call", 20))
    settled: bool = False

    async def settle(self, tokens: Tokens | None) -> None:
        """Tell what was seen, once. Nothing seen is told as an unknown cost, never as a free call."""
        if self.settled or self.on_usage is None:
            return
        await self.on_usage(self._usage(tokens))
        self.settled = True

    def _usage(self, tokens: Tokens | None) -> Usage:
        seen = tokens or Tokens()
        return Usage(
            call=self.call,
            model=str(self.model),
            input_tokens=seen.input,
            output_tokens=seen.output,
            cache_read_tokens=seen.cache_read,
            cache_write_tokens=seen.cache_write,
            cost_usd=None if tokens is None else price_of(self.model, tokens),
        )


def json_object(data: bytes) -> dict[str, Any] | None:
    """A JSON object, or None where the bytes are anything else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def count(value: Any) -> int:
    """A token count as a vendor writes it; whatever is not a count is 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
