"""A guest's text can colour itself and do nothing else to a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.cli.clean import clean, clean_line, coloured

HOSTILE = {
    "clear screen": ("\x1b[2Jhello", "hello"),
    "cursor up and overwrite": ("ok\x1b[1A\x1b[2Kfine", "okfine"),
    "window title": ("\x1b]0;owned\x07hello", "hello"),
    "clipboard": ("\x1b]52;c;ZXZpbA==\x1b\\hello", "hello"),
    "hyperlink": ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
    "unfinished title": ("hello\x1b]0;owned", "hello"),
    "device control": ("\x1bP+q544e\x1b\\hello", "hello"),
    "one byte CSI": ("\x9b2Jhello", "hello"),
    "one byte OSC": ("\x9d0;owned\x9chello", "hello"),
    "reset": ("\x1bchello", "hello"),
    "charset": ("\x1b(0hello", "hello"),
    "alternate screen": ("\x1b[?1049hhello", "hello"),
    "lone escape": ("hello\x1b", "hello"),
    "bell and backspace": ("a\x07b\x08c", "abc"),
    "right to left": ("a\u202eb\u2066c", "abc"),
    "carriage return": ("10 %\r50 %\r100 %\ndone\r\n", "100 %\ndone\n"),
    "tab": ("a\tb", "a    b"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE.keys())
def test_control_sequences_go(text: str, shown: str) -> None:
    assert clean(text) == shown
    assert coloured(text).plain.rstrip("\n") == shown.rstrip("\n")


def test_a_line_stays_one_line() -> None:
    assert clean_line("  a\n\n b\tc \x1b[2J") == "a b c"


def test_colour_and_weight_are_kept() -> None:
    text = coloured("\x1b[1;31mred\x1b[0m plain \x1b[38;5;40mgreen\x1b[m")
    assert text.plain == "red plain green"
    assert [str(span.style) for span in text.spans] == ["bold color(1)", "color(40)"]


@pytest.mark.parametrize("parameters", ["8", "5", "7", "0;8", "38;5", "1;5;31", "38;2;1;2", "?1", ">4;2"])
def test_hiding_and_blinking_are_not(parameters: str) -> None:
    text = coloured(f"\x1b[{parameters}mhello")
    assert text.plain == "hello"
    assert not text.spans


@given(st.text(alphabet=st.sampled_from("\x1b[]0;m\\\x07\x9b\x9c\x9d\x90P8?2J\r\n\tab c\u202e"), max_size=60))
def test_nothing_but_newlines_and_printable_text_is_left(text: str) -> None:
    for shown in (clean(text), coloured(text).plain):
        assert all(character == "\n" or character.isprintable() for character in shown)
