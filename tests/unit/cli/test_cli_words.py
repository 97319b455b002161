"""The terminal and the page use the same words."""

import re
from pathlib import Path

import pytest

from outrider.cli import words

PAGE = (Path(__file__).parents[3] / "clients/web/src/ui/words.ts").read_text()


def on_the_page(table: str) -> dict[str, str]:
    body = re.search(rf"export const {table}\b[^{{]*\{{(.*?)\}}", PAGE, re.DOTALL)
    assert body, f"{table} is not on the page"
    return dict(re.findall(r'"?([\w+-]+)"?: "([^"]*)"', body[1]))


@pytest.mark.parametrize("table", ["VERB", "VERDICT", "CHECK", "TURN_END", "ISOLATION", "LIMITS"])
def test_states_have_the_same_words(table: str) -> None:
    assert {str(key): word for key, word in getattr(words, table).items()} == on_the_page(table)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.04, "0.0 s"), (12.34, "12.3 s"), (59.94, "59.9 s"), (61, "1 min 1 s"), (3600, "60 min 0 s")]
)
def test_durations_are_short(value: float, shown: str) -> None:
    assert words.seconds(value) == shown


def test_one_is_not_many() -> None:
    assert (words.count(1, "test"), words.count(2000, "test")) == ("1 test", "2,000 tests")
