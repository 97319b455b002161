"""Secrets do not pass, whole or in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from outrider.model.commands import EffectFailed
from outrider.model.effects import WaitUntil
from outrider.model.engine import ToolCallUpdate, ToolKind, ToolText
from outrider.model.ids import ToolCallId
from outrider.session.redaction import Redactor

SECRET = "abcabcabd-abcabcabc"


def test_every_string_of_a_value_is_cleaned():
    redactor = Redactor([SECRET, ""])
    update = ToolCallUpdate(
        tool_call=ToolCallId("call-1"),
        title=f"echo {SECRET}",
        kind=ToolKind.EXECUTE,
        paths=(f"/tmp/{SECRET}",),
        content=(ToolText(text=SECRET * 2),),
    )
    clean = redactor.value(update)
    assert SECRET not in clean.model_dump_json()
    assert clean.content[0].text == "[redacted][redacted]"
    assert clean.kind is ToolKind.EXECUTE
    failed = redactor.value(EffectFailed(WaitUntil("idle", 1.0), f"No: {SECRET}"))
    assert failed == EffectFailed(WaitUntil("idle", 1.0), "No: [redacted]")


def test_the_longer_of_two_secrets_is_taken_whole():
    assert Redactor(["0123456789", "0123456789abc"]).text("0123456789abc!") == "[redacted]!"


def test_short_values_are_no_secrets():
    assert Redactor(["true"]).text("true") == "true"


@given(st.lists(st.sampled_from(["abc", "abcabcabd", "-", SECRET, "d-abcabcabc", "x"]), max_size=12))
def test_a_stream_says_what_the_whole_text_says(pieces: list[str]):
    redactor = Redactor([SECRET])
    stream = redactor.stream()
    said = "".join([*(stream.feed(piece) for piece in pieces), stream.flush()])
    assert SECRET not in said
    assert said == redactor.text("".join(pieces))


def test_ordinary_text_is_not_held_back():
    stream = Redactor([SECRET]).stream()
    assert stream.feed("Looking at the tests.") == "Looking at the tests."
    assert stream.feed("see a") == "see "
    assert stream.feed("nd b") == "and b"
