"""The search index as a file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from outrider.model.ids import SessionId
from outrider.ports.search import Passage, SnippetPart
from outrider.storage.search import SqliteSearch, fts_expression

SESSION = SessionId("s-abcdefgh22")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "expression"),
    [
        ("discount", '"discount"*'),
        ("two words", '"two" "words"*'),
        ('say "no" OR else', '"say" "no" "OR" "else"*'),
        ("* - ^", ""),
        ("", ""),
        ("a " * 40, '"a" ' * 15 + '"a"*'),
    ],
)
def test_words_become_an_expression_without_operators(typed: str, expression: str) -> None:
    assert fts_expression(typed) == expression


async def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    path.write_bytes(b"not a database at all" * 300)
    search = SqliteSearch(path)
    assert await search.reached() == {}
    search.close()


async def test_what_was_found_is_marked_and_accents_do_not_matter(tmp_path: Path) -> None:
    search = SqliteSearch(tmp_path / "search.sqlite")
    text = "\x02Bücher\x1b[31m kosten mehr"
    await search.put(SESSION, [Passage("p-1", "prompt", 1, NOON, text)], 1)
    (hit,) = await search.find("bucher", 5)
    assert hit.snippet == (
        SnippetPart(" ", hit=False),
        SnippetPart("Bücher", hit=True),
        SnippetPart(" [31m kosten mehr", hit=False),
    )
    search.close()
