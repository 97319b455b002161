"""Anthropic's Messages format. The bytes of the request are passed on as they are."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import SecretStr

from outrider.broker.metering import Observed, Route, count
from outrider.broker.prices import Tokens

_ERROR_TYPES = {400: "invalid_request_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large"}


class AnthropicWire:
    """`POST /v1/messages` and its token counter."""

    routes: ClassVar[Mapping[str, Route]] = {
        "/v1/messages": Route("/v1/messages"),
        "/v1/messages/count_tokens": Route("/v1/messages/count_tokens", metered=False),
    }
    request_headers: ClassVar[frozenset[str]] = frozenset({"anthropic-version", "anthropic-beta"})
    event_marks: ClassVar[tuple[bytes, ...]] = (b'"usage"', b"message_stop")

    def credentials(self, key: SecretStr) -> dict[str, str]:
        """The headers that carry the key."""
        return {"x-api-key": key.get_secret_value()}

    def prepare(self, body: bytes, request: dict[str, Any]) -> bytes:
        """The engine's bytes: usage is always told in this format."""
        return body

    def error(self, status: int, sentence: str) -> dict[str, Any]:
        """An error in the vendor's shape."""
        return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, "api_error"), "message": sentence}}

    def error_event(self, sentence: str) -> bytes:
        """The same in the middle of a stream."""
        return b"\n\nevent: error\ndata: " + json.dumps(self.error(502, sentence)).encode() + b"\n\n"

    def observe(self, event: dict[str, Any], seen: Tokens | None) -> Observed:
        """`message_start` brings the input and a first count of the output, `message_delta` the totals so far."""
        kind = event.get("type")
        if kind == "message_start" and isinstance(message := event.get("message"), dict):
            return Observed(self.tokens_of(message))
        if kind == "message_delta" and isinstance(usage := event.get("usage"), dict):
            return Observed(_merge(seen or Tokens(), usage))
        return Observed(seen, done=kind == "message_stop")

    def tokens_of(self, answer: dict[str, Any]) -> Tokens | None:
        """Usage of a whole message."""
        usage = answer.get("usage")
        return _merge(Tokens(), usage) if isinstance(usage, dict) else None


def _merge(seen: Tokens, usage: dict[str, Any]) -> Tokens:
    """The counts of `usage`, and those of before where it is silent. Anthropic counts cached input apart."""
    read = _newer(usage, "cache_read_input_tokens", seen.cache_read)
    write = _newer(usage, "cache_creation_input_tokens", seen.cache_write)
    plain = _newer(usage, "input_tokens", seen.input - seen.cache_read - seen.cache_write)
    lifetimes = usage.get("cache_creation")
    hour = count(lifetimes.get("ephemeral_1h_input_tokens")) if isinstance(lifetimes, dict) else seen.cache_write_hour
    output = _newer(usage, "output_tokens", seen.output)
    return Tokens(plain + read + write, output, read, write, min(hour, write))


def _newer(usage: dict[str, Any], key: str, seen: int) -> int:
    return seen if usage.get(key) is None else count(usage[key])
