"""OpenAI's Chat Completions format. A streamed request is made to ask for usage, all else passes as it is."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import SecretStr

from outrider.broker.metering import Observed, Route, count
from outrider.broker.prices import Tokens


class OpenAIWire:
    """`POST /v1/chat/completions`. The upstream's base URL ends with its version, as OPENAI_BASE_URL does."""

    routes: ClassVar[Mapping[str, Route]] = {"/v1/chat/completions": Route("/chat/completions")}
    request_headers: ClassVar[frozenset[str]] = frozenset({"openai-beta"})
    event_marks: ClassVar[tuple[bytes, ...]] = (b'"usage"',)

    def credentials(self, key: SecretStr) -> dict[str, str]:
        """The header that carries the key."""
        return {"authorization": f"Bearer {key.get_secret_value()}"}

    def prepare(self, body: bytes, request: dict[str, Any]) -> bytes:
        """The engine's bytes, or a copy that asks for usage where a stream would come without it."""
        options = request.get("stream_options")
        asked = isinstance(options, dict) and options.get("include_usage") is True
        if request.get("stream") is not True or asked:
            return body
        wanted = {**(options if isinstance(options, dict) else {}), "include_usage": True}
        return json.dumps({**request, "stream_options": wanted}, ensure_ascii=False).encode()

    def error(self, status: int, sentence: str) -> dict[str, Any]:
        """An error in the vendor's shape."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        return {"error": {"message": sentence, "type": kind, "param": None, "code": None}}

    def error_event(self, sentence: str) -> bytes:
        """The same in the middle of a stream."""
        return b"\n\ndata: " + json.dumps(self.error(502, sentence)).encode() + b"\n\n"

    def observe(self, event: dict[str, Any], seen: Tokens | None) -> Observed:
        """The last chunk before `[DONE]` brings the usage; some endpoints repeat a running count on every chunk."""
        return Observed(self.tokens_of(event) or seen)

    def tokens_of(self, answer: dict[str, Any]) -> Tokens | None:
        """Usage of a whole completion."""
        usage = answer.get("usage")
        if not isinstance(usage, dict):
            return None
        details = usage.get("prompt_tokens_details")
        cached = count(details.get("cached_tokens")) if isinstance(details, dict) else 0
        prompt = count(usage.get("prompt_tokens"))
        return Tokens(input=prompt, output=count(usage.get("completion_tokens")), cache_read=min(cached, prompt))
