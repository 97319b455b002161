"""The gateway through a door's real Unix socket, in front of a real HTTP upstream on the loopback."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from outrider.broker.door import UnixBroker
from outrider.broker.egress.dial import Dialer
from outrider.broker.egress.proxy import EgressProxy
from outrider.broker.egress.rules import EgressRules, OperatorRules
from outrider.broker.gateway import LlmGateway, Upstream, WireFormat
from outrider.broker.http_server import serve_http
from outrider.broker.network import HostNetwork
from outrider.broker.package_clients import PackageClients
from outrider.model.engine import ModelRef, Usage
from outrider.model.errors import LimitReached
from outrider.ports.broker import DoorSpec
from outrider.rehearsal.primer import primer_app
from outrider.testing.rehearsal_server import serving
from outrider.testing.scripted_upstream import Reply, ScriptedUpstream, anthropic_stream, openai_stream
from outrider.tools.mcp import build_tools_app

CANARY = "sk-canary-7f3a9b2c4d5e6f708192a3b4c5d6e7f8"
CLAUDE = ModelRef.parse("anthropic/claude-sonnet-4-5")
GPT = ModelRef.parse("openai/gpt-5.1")


@dataclass
class Bench:
    """One door with a client at it, and what was told about it."""

    upstream: ScriptedUpstream
    hand_over: Callable[[DoorSpec], None] = field(init=False)
    client: httpx.AsyncClient = field(init=False)
    socket: Path = field(init=False)
    used: list[Usage] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    troubles: list[str] = field(default_factory=list)

    async def on_usage(self, usage: Usage) -> None:
        self.used.append(usage)
        self.told.set()

    async def ask(self, path: str = "/llm/anthropic/v1/messages", **body: Any) -> httpx.Response:
        request = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [], **body}
        headers = {"x-api-key": "outrider", "authorization": "Bearer outrider", "anthropic-version": "2023-06-01"}
        return await self.client.post(path, json=request, headers=headers)

    async def ask_gpt(self, **body: Any) -> httpx.Response:
        return await self.ask("/llm/openai/v1/chat/completions", model="gpt-5.1", **body)


@asynccontextmanager
async def bench(
    short: Path,
    replies: Sequence[Reply],
    model: ModelRef = CLAUDE,
    upstreams: Sequence[Upstream] | None = None,
    primer: Path | None = None,
) -> AsyncIterator[Bench]:
    upstream = ScriptedUpstream(list(replies))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(upstream))
        given = upstreams or [
            Upstream("anthropic", url, WireFormat.ANTHROPIC, SecretStr(CANARY)),
            Upstream("openai", f"{url}/v1", WireFormat.OPENAI, SecretStr(CANARY)),
        ]
        gateway = await stack.enter_async_context(LlmGateway(given, primer=primer))
        proxy = EgressProxy(EgressRules(OperatorRules()), Dialer(HostNetwork()))
        clients = PackageClients(HostNetwork())
        broker = await stack.enter_async_context(UnixBroker(short, gateway, proxy, build_tools_app, clients))
        made = Bench(upstream)
        spec = DoorSpec("s-test", model=model, on_usage=made.on_usage, on_trouble=made.troubles.append)
        door = await stack.enter_async_context(broker.open(spec))
        transport = httpx.AsyncHTTPTransport(uds=str(door.http))
        client = httpx.AsyncClient(transport=transport, base_url="http://broker", trust_env=False, timeout=20)
        made.socket = door.http
        made.hand_over = partial(broker.hand_over, door)
        made.client = await stack.enter_async_context(client)
        yield made


async def test_an_anthropic_stream_passes_untouched_and_is_counted_once(short_path: Path) -> None:
    pieces = anthropic_stream("Hello", " world")
    async with bench(short_path, [Reply(pieces)]) as door:
        answer = await door.ask(stream=True)
        assert answer.status_code == 200
        assert answer.content == b"".join(pieces)
        assert len(door.used) == 1
        (usage,) = door.used
        assert (usage.input_tokens, usage.output_tokens) == (1300, 40)
        assert (usage.cache_read_tokens, usage.cache_write_tokens) == (200, 100)
        # 1000 at $3, 200 read at $0.30, 100 written at $3.75, 40 out at $15, each for a million
        assert usage.cost_usd == pytest.approx(0.003 + 0.00006 + 0.000375 + 0.0006)


async def test_a_budget_that_is_used_up_refuses_calls_that_cost(short_path: Path) -> None:
    async def nothing_left() -> None:
        raise LimitReached("The budget of $1.00 is used.", "Raise it.")

    async with bench(short_path, [Reply([b'{"input_tokens": 3}'])]) as door:
        door.hand_over(DoorSpec("s-test", model=CLAUDE, on_usage=door.on_usage, may_spend=nothing_left))
        answer = await door.ask()
        assert answer.status_code == 402
        assert answer.json()["error"]["message"] == "The budget of $1.00 is used. Raise it."
        assert door.upstream.asked == []
        assert (await door.ask("/llm/anthropic/v1/messages/count_tokens")).status_code == 200, "counting is free"


async def test_usage_is_told_before_the_engine_sees_the_end(short_path: Path) -> None:
    async with bench(short_path, [Reply(anthropic_stream("Hello"))]) as door:
        request = door.client.build_request(
            "POST", "/llm/anthropic/v1/messages", json={"model": CLAUDE.name, "stream": True}
        )
        response = await door.client.send(request, stream=True)
        async for chunk in response.aiter_raw():
            if b"message_stop" in chunk:
                assert len(door.used) == 1
        await response.aclose()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_primer_answers_where_nobody_owns_the_door_and_is_free(short_path: Path, streamed: bool) -> None:
    async with serve_http(primer_app(), short_path / "primer"):
        primer = short_path / "primer"
        async with bench(short_path / "b", [Reply(anthropic_stream("Mine"))], primer=primer) as door:
            for model in (CLAUDE, GPT):
                door.hand_over(DoorSpec("pool", model=model, unowned=True))
                ask = door.ask if model is CLAUDE else door.ask_gpt
                answer = await ask(messages=[{"role": "user", "content": "Say that you are ready."}], stream=streamed)
                assert (answer.status_code, "Ready" in answer.text) == (200, True), answer.text
            door.hand_over(DoorSpec("s-test", model=CLAUDE, on_usage=door.on_usage))
            assert door.upstream.asked == []
            assert "Mine" in (await door.ask(stream=True)).text
            assert len(door.used) == 1


async def test_without_a_primer_an_unowned_door_has_no_model(short_path: Path) -> None:
    async with bench(short_path, []) as door:
        door.hand_over(DoorSpec("pool", model=CLAUDE, unowned=True))
        assert (await door.ask(stream=True)).status_code == 403


async def test_the_guests_key_is_dropped_and_ours_is_put_in(short_path: Path) -> None:
    async with bench(short_path, [Reply(anthropic_stream("x"))]) as door:
        await door.ask(path="/llm/anthropic/v1/messages?beta=true")
        (asked,) = door.upstream.asked
        assert asked.headers["x-api-key"] == CANARY
        assert "authorization" not in asked.headers
        assert asked.headers["anthropic-version"] == "2023-06-01"
        assert (asked.path, asked.query) == ("/v1/messages", "beta=true")


async def test_an_openai_stream_is_made_to_tell_its_usage(short_path: Path) -> None:
    pieces = openai_stream("Hello")
    async with bench(short_path, [Reply(pieces)], GPT) as door:
        answer = await door.ask_gpt(stream=True)
        assert answer.content == b"".join(pieces)
        (asked,) = door.upstream.asked
        assert asked.json["stream_options"] == {"include_usage": True}
        assert asked.headers["authorization"] == f"Bearer {CANARY}"
        assert "x-api-key" not in asked.headers
        assert asked.path == "/v1/chat/completions"
        (usage,) = door.used
        assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (1000, 40, 200)
        assert usage.cost_usd is not None


async def test_a_whole_answer_is_counted_too(short_path: Path) -> None:
    body = {"content": [], "usage": {"input_tokens": 10, "output_tokens": 5}}
    async with bench(short_path, [Reply.of_json(body)]) as door:
        assert (await door.ask()).json() == body
        assert [(u.input_tokens, u.output_tokens) for u in door.used] == [(10, 5)]


async def test_counting_tokens_is_no_call(short_path: Path) -> None:
    async with bench(short_path, [Reply.of_json({"input_tokens": 7})]) as door:
        answer = await door.ask("/llm/anthropic/v1/messages/count_tokens")
        assert answer.json() == {"input_tokens": 7}
        assert door.used == []


async def test_an_unknown_price_is_not_zero(short_path: Path) -> None:
    model = ModelRef.parse("anthropic/claude-of-tomorrow")
    async with bench(short_path, [Reply(anthropic_stream("x"))], model) as door:
        await door.ask(model=model.name)
        assert [usage.cost_usd for usage in door.used] == [None]


async def test_a_broken_stream_says_so_and_settles_what_was_seen(short_path: Path) -> None:
    pieces = anthropic_stream("Hel", "lo")[:3]
    async with bench(short_path, [Reply(pieces, breaks=True)]) as door:
        answer = await door.ask(stream=True)
        assert answer.content.startswith(b"".join(pieces))
        assert b"event: error" in answer.content
        assert b"broke in the middle" in answer.content
        assert [(u.input_tokens, u.output_tokens) for u in door.used] == [(1300, 1)]


async def test_half_a_line_of_a_broken_stream_goes_nowhere(short_path: Path) -> None:
    whole, half = anthropic_stream("Hel", "lo")[2:4]
    async with bench(short_path, [Reply([whole[:9], whole[9:] + half[:-9]], breaks=True)]) as door:
        lines = (await door.ask(stream=True)).text.splitlines()
        events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        assert [event["type"] for event in events] == ["content_block_delta", "error"]


async def test_a_refusal_is_told_to_whoever_waits(short_path: Path) -> None:
    async with bench(short_path, [Reply.of_json({"error": {"message": "Slow down"}}, 429)]) as door:
        await door.ask(stream=True)
        assert [sentence for sentence in door.troubles if "(429)" in sentence]


@pytest.mark.parametrize(("name", "told", "heard"), [
    ("retry-after", "7200", "60"), ("retry-after", "Wed, 21 Oct 2065 07:28:00 GMT", "60"),
    ("retry-after-ms", "7200000", "60000"), ("retry-after", "0.5", "0.5"),
])  # fmt: skip
async def test_no_engine_is_sent_to_wait_for_hours(short_path: Path, name: str, told: str, heard: str) -> None:
    async with bench(short_path, [Reply.of_json({}, 429, **{name: told})]) as door:
        assert (await door.ask()).headers[name] == heard


async def test_an_engine_that_leaves_ends_the_call_and_is_settled(short_path: Path) -> None:
    async with bench(short_path, [Reply(anthropic_stream("Hello")[:3], holds=True)]) as door:
        request = door.client.build_request("POST", "/llm/anthropic/v1/messages", json={"model": CLAUDE.name})
        response = await door.client.send(request, stream=True)
        assert b"message_start" in await anext(response.aiter_raw())
        await response.aclose()
        async with asyncio.timeout(10):
            await door.upstream.left.wait()
            await door.told.wait()
        assert [u.input_tokens for u in door.used] == [1300]


@pytest.mark.parametrize("status", [400, 402, 429, 500, 529])
async def test_the_vendors_errors_pass_with_what_engines_need(short_path: Path, status: int) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reply = Reply.of_json(body, status, **{"retry-after": "7", "set-cookie": "a=b", "x-ratelimit-limit": "1"})
    async with bench(short_path, [reply]) as door:
        answer = await door.ask(stream=True)
        assert answer.status_code == status
        assert answer.json()["error"]["type"] == "overloaded_error"
        assert answer.json()["error"]["message"].endswith("Overloaded")
        assert (f"({status})" in answer.text) == (status != 400)
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["x-ratelimit-limit"] == "1"
        assert "set-cookie" not in answer.headers
        assert door.used == []


async def test_a_wrong_key_is_not_repeated_to_the_guest(short_path: Path) -> None:
    parts = {"error": {"message": f"Incorrect API key provided: {CANARY}. Or sk-can***************e7f8."}}
    async with bench(short_path, [Reply.of_json(parts, 401)], GPT) as door:
        answer = await door.ask_gpt()
        assert answer.status_code == 401
        assert "Incorrect API key provided: [redacted]" in answer.text
        assert CANARY not in answer.text
        assert "e7f8" not in answer.text
        assert CANARY not in str(answer.headers)


async def test_a_dead_upstream_is_a_readable_502_in_each_vendors_shape(short_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    upstreams = [Upstream("anthropic", url, WireFormat.ANTHROPIC), Upstream("openai", url, WireFormat.OPENAI)]
    async with bench(short_path, [], CLAUDE, upstreams) as door:
        answer = await door.ask()
        assert answer.status_code == 502
        assert "cannot be reached" in answer.json()["error"]["message"]
        assert answer.json()["type"] == "error"
    async with bench(short_path, [], GPT, upstreams) as door:
        answer = await door.ask_gpt()
        assert answer.status_code == 502
        assert "cannot be reached" in answer.json()["error"]["message"]


async def test_a_kept_connection_that_just_closed_is_tried_once_more(short_path: Path) -> None:
    """The upstream answers once, then closes on the next request without a byte, then answers again."""
    answers = iter([True, False, True])
    body = json.dumps({"usage": {"input_tokens": 1, "output_tokens": 1}}).encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                if not next(answers):
                    return
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, bench(short_path, [], CLAUDE, [Upstream("anthropic", url, WireFormat.ANTHROPIC)]) as door:
        assert (await door.ask()).status_code == 200
        assert (await door.ask()).status_code == 200
        assert next(answers, None) is None
        assert len({usage.call for usage in door.used}) == len(door.used) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/llm/anthropic/v1/messages", {"model": "claude-opus-4-1"}, 403),
        ("/llm/openai/v1/chat/completions", {"model": "gpt-5.1"}, 403),
        ("/llm/anthropic/v1/files", {}, 404),
        ("/llm/anthropic/v1/messages/../files", {}, 404),
        ("/llm/nobody/v1/messages", {}, 404),
        ("/other", {}, 404),
        ("/mcp", {}, 404),
        ("/git/repository.git/info/refs", {}, 404),
    ],
)
async def test_what_a_door_does_not_offer_is_refused(short_path: Path, path: str, body: Any, status: int) -> None:
    async with bench(short_path, [Reply(anthropic_stream("x"))]) as door:
        answer = await door.ask(path, **body)
        assert answer.status_code == status
        assert answer.text.strip()
        assert door.upstream.asked == []


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b'{"model":"claude-opus-4-1","model":"claude-sonnet-4-5"}', {}, 400),
        (b"[1]", {}, 400),
        (b"{", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"model":"claude-sonnet-4-5"}', {"content-encoding": "gzip"}, 415),
        (b'"' + b"x" * (33 << 20) + b'"', {}, 413),
    ],
)
async def test_requests_that_cannot_be_judged_are_refused(
    short_path: Path, content: bytes, headers: dict[str, str], status: int
) -> None:
    async with bench(short_path, [Reply(anthropic_stream("x"))]) as door:
        answer = await door.client.post("/llm/anthropic/v1/messages", content=content, headers=headers)
        assert answer.status_code == status
        assert answer.json()["error"]["message"]
        assert door.upstream.asked == []


async def test_an_upstream_behind_a_unix_socket(short_path: Path, tmp_path: Path) -> None:
    """As the rehearsal model is reached."""
    from_socket = Upstream("rehearsal", "http://rehearsal", WireFormat.ANTHROPIC, socket=short_path / "up")
    model = ModelRef.parse("rehearsal/demo")
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        writer.write(b"".join(anthropic_stream("hi")))
        await writer.drain()
        writer.close()

    async with bench(short_path / "b", [], model, [from_socket]) as door:
        async with await asyncio.start_unix_server(talk, short_path / "up"):
            answer = await door.ask("/llm/rehearsal/v1/messages", model="demo")
        assert answer.content == b"".join(anthropic_stream("hi"))
        assert b"api-key" not in asked[0]
        assert [(usage.model, usage.cost_usd) for usage in door.used] == [("rehearsal/demo", 0.0)]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /llm/anthropic/v1/messages?%s HTTP/1.1\r\n" % bytes(range(128, 256)),
        b'POST /llm/anthropic/v1/messages?a="<>{}|^` HTTP/1.1\r\n',
        b"POST /llm/anthropic/v1/messages HTTP/1.1\r\nuser-agent: \xff\xfe\r\nx-stainless: y\r\n",
        b"POST /llm/anthropic/v1/messages HTTP/1.1\r\naccept: \xc3\xa9\r\naccept: b\r\n",
    ],
)
async def test_strange_bytes_in_a_head_are_no_failure_of_ours(short_path: Path, head: bytes) -> None:
    body = b'{"model":"claude-sonnet-4-5"}'
    async with bench(short_path, [Reply(anthropic_stream("x"))]) as door, asyncio.timeout(10):
        reader, writer = await asyncio.open_unix_connection(door.socket)
        writer.write(head + b"host: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert (await reader.readline()).split()[1] in (b"200", b"400")
        writer.close()
