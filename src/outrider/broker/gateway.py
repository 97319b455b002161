"""The LLM gateway: passes an engine's calls to the upstream of its model, with the key that the guest never sees.

Bytes are not translated: engines use parts of each vendor's format that a translation would lose.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from outrider.broker.asgi import ClientGone, path_below, read_body, say, until_client_leaves
from outrider.broker.llm.anthropic import AnthropicWire
from outrider.broker.llm.openai import OpenAIWire
from outrider.broker.metering import Meter, Wire
from outrider.broker.network import HostNetwork
from outrider.broker.prices import Tokens, price_of
from outrider.broker.relay import Call, UpstreamFailed
from outrider.model.engine import ModelRef, Usage
from outrider.model.errors import LimitReached

REQUEST_LIMIT = 32 << 20
"""Bytes of a request: Anthropic's own limit."""
THREAD_BYTES = 1 << 20
"""A larger request is parsed in a thread: 1 MB of JSON takes about 10 ms."""
TIMEOUTS = httpx.Timeout(connect=10, read=600, write=60, pool=30)
"""Seconds. `read` is between two pieces of an answer: a model may think for minutes before the first."""
CONNECTIONS = httpx.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=15)

_PASSED_HEADERS = frozenset({"accept", "content-type", "user-agent", "idempotency-key"})


class WireFormat(StrEnum):
    """What an upstream speaks."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"


_WIRES: Mapping[WireFormat, Wire] = {WireFormat.ANTHROPIC: AnthropicWire(), WireFormat.OPENAI: OpenAIWire()}


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the models of one provider answer. `base_url` is as the vendors' own variables have it:
    ANTHROPIC_BASE_URL without a version, OPENAI_BASE_URL with it. With `socket` the call goes over a Unix socket."""

    provider: str
    base_url: str
    wire: WireFormat
    api_key: SecretStr | None = None
    socket: Path | None = None

    def url(self, path: str, query: bytes) -> httpx.URL:
        """The address of a call."""
        base = self.base_url.rstrip("/")
        if self.wire is WireFormat.ANTHROPIC:
            base = base.removesuffix("/v1")
        return httpx.URL(base + path, query=query or None)


@dataclass(frozen=True, slots=True)
class LlmAccess:
    """Which model one door may use, and who is told what it used."""

    model: ModelRef | None
    on_usage: Callable[[Usage], Awaitable[None]] | None
    on_trouble: Callable[[str], None] | None = None
    """Told in a sentence whenever an upstream refuses a call or cannot be reached."""
    may_spend: Callable[[], Awaitable[None]] | None = None
    """Asked before each call that costs. Raises LimitReached where nothing more may be spent."""
    primer: bool = False
    """The primer answers in the model's place, in its provider's format."""


class CallRefused(Exception):
    """A call that does not go upstream, with the status and the sentence that the engine shows."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class LlmGateway:
    """The upstreams of a deployment, with one pool of connections each. An async context manager.

    `primer` is a Unix socket where something answers in every wire format whatever it is asked."""

    def __init__(
        self, upstreams: Sequence[Upstream], network: HostNetwork | None = None, *, primer: Path | None = None
    ) -> None:
        self._upstreams = {upstream.provider: upstream for upstream in upstreams}
        self._primer = primer
        self._network = network or HostNetwork()
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(price_of, ModelRef(provider="anthropic", name="claude-sonnet-4-5"), Tokens())
        for upstream in (*self._upstreams.values(), *([_primer_at(self._primer)] if self._primer else [])):
            client = await asyncio.to_thread(self._client, upstream)
            self._clients[upstream.provider] = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def app(self, whose: Callable[[], LlmAccess]) -> ASGIApp:
        """The gateway as one door sees it: `/PROVIDER/` and the vendor's own path. `whose` is asked for each call."""

        async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
            provider, _, path = path_below(scope).removeprefix("/").partition("/")
            upstream = self._upstreams.get(provider)
            if upstream is None:
                await say(f"No provider named {provider[:40]} is set up.", 404, scope, receive, send)
                return
            try:
                call = await self._prepare(upstream, "/" + path, whose(), scope, receive)
                await _carry(call, receive, send)
            except CallRefused as refusal:
                body = _WIRES[upstream.wire].error(refusal.status, refusal.sentence)
                await JSONResponse(body, refusal.status)(scope, receive, send)
            except ClientGone:
                return

        return gateway

    async def _prepare(self, upstream: Upstream, path: str, access: LlmAccess, scope: Scope, receive: Receive) -> Call:
        """Everything that is checked before a byte goes upstream. Raises CallRefused."""
        wire = _WIRES[upstream.wire]
        route = wire.routes.get(path)
        if route is None or scope["method"] != "POST":
            raise CallRefused(404, f"The gateway does not pass {scope['method']} {path[:200]}.")
        model = _allowed(upstream.provider, access)
        if route.metered and access.may_spend is not None:
            await _expect_budget(access.may_spend)
        body = await _body(scope, receive)
        request = await _parse(body)
        if request.get("model") != model.name:
            raise CallRefused(403, f"This session may use {model} and no other model.")
        if access.primer:
            upstream = self._primer_for(upstream.wire)
        url = upstream.url(route.path, scope["query_string"])
        return Call(
            wire=wire,
            client=self._clients[upstream.provider],
            request=self._request(upstream, url, scope, wire.prepare(body, request)),
            secret=upstream.api_key,
            meter=Meter(model, access.on_usage) if route.metered else None,
            on_trouble=access.on_trouble,
        )

    def _request(self, upstream: Upstream, url: httpx.URL, scope: Scope, body: bytes) -> httpx.Request:
        wire = _WIRES[upstream.wire]
        passed = _PASSED_HEADERS | wire.request_headers
        ours = {"accept-encoding": "identity", **(wire.credentials(upstream.api_key) if upstream.api_key else {})}
        headers = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") in passed]
        headers += [(name.encode(), value.encode()) for name, value in ours.items()]
        return self._clients[upstream.provider].build_request("POST", url, headers=headers, content=body)

    def _primer_for(self, wire: WireFormat) -> Upstream:
        if self._primer is None:
            raise CallRefused(403, "This sandbox belongs to no session yet, so no model answers in it.")
        return _primer_at(self._primer, wire)

    def _client(self, upstream: Upstream) -> httpx.AsyncClient:
        if upstream.socket is not None:
            transport = httpx.AsyncHTTPTransport(uds=str(upstream.socket), limits=CONNECTIONS)
            return httpx.AsyncClient(transport=transport, timeout=TIMEOUTS, trust_env=False)
        url = httpx.URL(upstream.base_url)
        through = self._network.proxy_for(url.scheme, url.host)
        authorization = {"proxy-authorization": through.authorization} if through and through.authorization else None
        return httpx.AsyncClient(
            proxy=httpx.Proxy(through.url, headers=authorization) if through else None,
            verify=self._network.tls(),
            limits=CONNECTIONS,
            timeout=TIMEOUTS,
            trust_env=False,
        )


async def _carry(call: Call, receive: Receive, send: Send) -> None:
    """Run the call until its end or the client's, and settle what was seen either way."""
    failure: list[str] = []

    async def run() -> None:
        try:
            await call.run(send)
        except UpstreamFailed as error:
            failure.append(str(error))

    try:
        await until_client_leaves(receive, run())
    finally:
        await call.settle()
    if failure:
        if call.on_trouble:
            call.on_trouble(failure[0])
        raise CallRefused(502, failure[0])


def _primer_at(socket: Path, wire: WireFormat = WireFormat.ANTHROPIC) -> Upstream:
    base_url = "http://primer" if wire is WireFormat.ANTHROPIC else "http://primer/v1"
    return Upstream("primer", base_url, wire, socket=socket)


def _allowed(provider: str, access: LlmAccess) -> ModelRef:
    if access.model is None or access.model.provider != provider:
        raise CallRefused(403, f"This session may use {access.model or 'no model'}; {provider} is not its provider.")
    return access.model


async def _expect_budget(may_spend: Callable[[], Awaitable[None]]) -> None:
    try:
        await may_spend()
    except LimitReached as error:
        raise CallRefused(402, str(error)) from error


async def _body(scope: Scope, receive: Receive) -> bytes:
    if any(name == b"content-encoding" for name, _ in scope["headers"]):
        raise CallRefused(415, "Send the request without content-encoding.")
    try:
        return await read_body(receive, REQUEST_LIMIT)
    except LimitReached as error:
        raise CallRefused(413, str(error)) from error


async def _parse(body: bytes) -> dict[str, Any]:
    """The request as JSON. A name twice in one object is refused: two readers may take different ones for the model."""
    try:
        request = await asyncio.to_thread(_strict, body) if len(body) > THREAD_BYTES else _strict(body)
    except (ValueError, RecursionError) as error:
        raise CallRefused(400, "The request is not JSON with each name once.") from error
    if not isinstance(request, dict):
        raise CallRefused(400, "The request is not a JSON object.")
    return request


def _strict(body: bytes) -> Any:
    return json.loads(body, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a name is there twice")
    return unique
