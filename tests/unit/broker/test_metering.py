"""Usage read out of streams that arrive in any pieces."""

import pytest

from outrider.broker.llm.anthropic import AnthropicWire
from outrider.broker.llm.openai import OpenAIWire
from outrider.broker.metering import LINE_LIMIT, Meter, StreamTap, Wire
from outrider.broker.prices import Tokens, price_of
from outrider.model.engine import ModelRef, Usage
from outrider.testing.scripted_upstream import anthropic_stream, openai_stream

ANTHROPIC = (AnthropicWire(), b"".join(anthropic_stream("Hello", '{"usage": 1}')), Tokens(1300, 40, 200, 100))
OPENAI = (OpenAIWire(), b"".join(openai_stream("Hello", "data: [DONE]")), Tokens(1000, 40, 200))


@pytest.mark.parametrize(("wire", "stream", "expected"), [ANTHROPIC, OPENAI], ids=["anthropic", "openai"])
@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
def test_pieces_of_any_size(wire: Wire, stream: bytes, expected: Tokens, size: int) -> None:
    tap = StreamTap(wire)
    for start in range(0, len(stream), size):
        assert not tap.complete or start == len(stream) - 1
        tap.feed(stream[start : start + size])
    assert tap.complete
    assert tap.tokens == expected


def test_carriage_returns_are_line_ends_too() -> None:
    tap = StreamTap(AnthropicWire())
    tap.feed(b"".join(anthropic_stream("x")).replace(b"\n", b"\r\n"))
    assert tap.tokens == Tokens(1300, 40, 200, 100)


@pytest.mark.parametrize(
    "line", [b"data: {", b"data: [1]", b'data: {"usage": 3}', b'data: {"usage": {"input_tokens": "x"}}', b"\xff"]
)
def test_nonsense_is_passed_over(line: bytes) -> None:
    for wire in (AnthropicWire(), OpenAIWire()):
        tap = StreamTap(wire)
        tap.feed(line + b"\n")
        assert (tap.tokens or Tokens()) == Tokens()


def test_an_endless_line_is_not_kept() -> None:
    tap = StreamTap(AnthropicWire())
    for _ in range(3):
        tap.feed(b"x" * LINE_LIMIT)
    tap.feed(b"\n" + b"".join(anthropic_stream("x")))
    assert tap.tokens == Tokens(1300, 40, 200, 100)


def test_counts_in_message_delta_win() -> None:
    usage = b'{"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 9, "cache_creation": null}'
    tap = StreamTap(AnthropicWire())
    tap.feed(anthropic_stream("x")[0])
    tap.feed(b'data: {"type": "message_delta", "usage": ' + usage + b"}\n")
    assert tap.tokens == Tokens(114, 9, 4, 100)


def test_hour_long_cache_costs_more() -> None:
    model = ModelRef.parse("anthropic/claude-sonnet-4-5")
    short, long = (price_of(model, Tokens(1000, 0, 0, 1000, hour)) for hour in (0, 1000))
    assert short == pytest.approx(0.00375)
    assert long == pytest.approx(0.006)


@pytest.mark.parametrize("name", ["anthropic/nobody-knows", "nobody/gpt-5.1"])
def test_unknown_prices(name: str) -> None:
    assert price_of(ModelRef.parse(name), Tokens(10, 10)) is None


async def test_a_meter_tells_once_and_again_after_a_failure() -> None:
    told: list[Usage] = []

    async def on_usage(usage: Usage) -> None:
        told.append(usage)
        if len(told) == 1:
            raise ConnectionError

    meter = Meter(ModelRef.parse("openai/gpt-5.1"), on_usage)
    with pytest.raises(ConnectionError):
        await meter.settle(None)
    await meter.settle(None)
    await meter.settle(Tokens(5))
    assert len(told) == 2
    assert told[0] == told[1]
    assert told[0].cost_usd is None


def test_an_openai_request_is_rewritten_only_where_it_must_be() -> None:
    wire = OpenAIWire()
    assert wire.prepare(b"same", {"stream": False}) == b"same"
    assert wire.prepare(b"same", {"stream": True, "stream_options": {"include_usage": True}}) == b"same"
    assert b'"include_usage": true' in wire.prepare(b"", {"stream": True, "stream_options": {"include_usage": False}})
