"""Writes the golden files of test_cli_evidence.py anew. Look at the difference before it is committed."""

from pathlib import Path

from cards import CARDS, draw

for name in CARDS:
    for width in (40, 80, 120):
        (Path(__file__).parent / "golden" / f"{name}.{width}.txt").write_text(draw(name, width))
