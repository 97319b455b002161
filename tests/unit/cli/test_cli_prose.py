"""Text that comes piece by piece."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from outrider.cli.prose import Prose


def lines_of(text: str, width: int, *cuts: int) -> list[str]:
    prose = Prose(width)
    places = [0, *sorted(cuts), len(text)]
    written = [line for a, b in itertools.pairwise(places) for line in prose.write(a, text[a:b])]
    return [*written, *prose.close()]


def test_a_line_is_given_when_it_is_whole() -> None:
    prose = Prose(20)
    assert prose.write(0, "I will look at ") == []
    assert prose.open_line == "I will look at "
    assert prose.write(15, "the basket first") == ["I will look at the"]
    assert prose.open_line == "basket first"
    assert prose.close() == ["basket first"]


def test_what_came_twice_is_drawn_once() -> None:
    prose = Prose(40)
    prose.write(0, "One two")
    assert prose.write(0, "One") == []
    prose.write(3, " two three")
    assert prose.close() == ["One two three"]


def test_a_gap_is_marked() -> None:
    prose = Prose(40)
    prose.write(0, "One")
    prose.write(10, " four")
    assert prose.close() == ["One… four"]


def test_empty_lines_before_the_first_word_are_left_out() -> None:
    assert lines_of("\n\nHello\n\nthere", 40) == ["Hello", "", "there"]


def test_a_word_that_is_too_long_is_broken() -> None:
    assert lines_of("see " + "x" * 12, 8) == ["see", "xxxxxxxx", "xxxx"]


def test_wide_characters_count_twice() -> None:
    assert lines_of("日本語日本語", 6) == ["日本語", "日本語"]


def test_indentation_of_code_is_kept() -> None:
    assert lines_of("```\n    return 1\n```", 40) == ["```", "    return 1", "```"]


@pytest.mark.parametrize("width", [8, 40])
@given(
    text=st.text(alphabet=st.sampled_from("abc xyz 日\n"), max_size=80),
    cuts=st.lists(st.integers(0, 80), max_size=5),
)
def test_the_pieces_do_not_matter(text: str, cuts: list[int], width: int) -> None:
    cut = lines_of(text, width, *(min(at, len(text)) for at in cuts))
    assert cut == lines_of(text, width)
    assert all(cell_len(line) <= width for line in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())
