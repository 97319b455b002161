"""Bounded output."""

from hypothesis import given
from hypothesis import strategies as st

from outrider.proof.printed import TAIL_CHARACTERS, Printed, plain_tail


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 30))
def test_beginning_and_end_are_kept_and_all_is_counted(chunks: list[bytes], kept: int) -> None:
    printed, everything = Printed(kept), b"".join(chunks)
    for chunk in chunks:
        printed.add(chunk)
    assert printed.total == len(everything)
    if len(everything) <= 2 * kept:
        assert (printed.log(), printed.truncated) == (everything, False)
    else:
        assert printed.truncated
        assert printed.log().startswith(everything[:kept])
        assert printed.log().endswith(everything[-kept:])
        assert f"{len(everything) - 2 * kept:,} bytes are not kept".encode() in printed.log()


def test_the_tail_is_plain_and_begins_with_a_line() -> None:
    printed = Printed()
    printed.add(b"x" * 100 + b"\n")
    for number in range(2000):
        printed.add(f"\x1b[31mline {number}\x1b[0m\r\n".encode())
    printed.add(b"\x1b]0;title\x07end\x00\n")
    tail = printed.tail()
    assert len(tail) <= TAIL_CHARACTERS
    assert tail.startswith("line ")
    assert tail.endswith("line 1999\nend")


@given(st.text(max_size=300))
def test_no_control_character_but_newline_and_tab_is_left(text: str) -> None:
    assert not [c for c in plain_tail(text) if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]
