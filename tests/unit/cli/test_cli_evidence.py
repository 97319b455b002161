"""The evidence card: golden, at the widths of a phone's terminal, the usual one, and a wide one.

To write the golden files anew after a change that is meant: `python tests/unit/cli/write_golden.py`, then look at them.
"""

from pathlib import Path

import pytest
from cards import CARDS, draw

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", CARDS)
def test_card(name: str, width: int) -> None:
    assert draw(name, width) == (GOLDEN / f"{name}.{width}.txt").read_text()


@pytest.mark.parametrize("name", CARDS)
def test_nothing_is_wider_than_the_terminal(name: str) -> None:
    assert all(len(line) <= 40 for line in draw(name, 40).splitlines())
