"""What both wire formats share: how an answer is cut into pieces, and how long a model takes to say one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from outrider.rehearsal.script import Answer, Call

PIECE_CHARACTERS = 12
"""Three tokens by the rule of thumb of four characters each: models send one to a few tokens an event."""


@dataclass(frozen=True, slots=True)
class Event:
    """Bytes to send, and about how many tokens were said in them."""

    data: bytes
    tokens: float = 0.0


def text_pieces(answer: Answer) -> Iterator[str]:
    """The prose in small pieces."""
    return chain.from_iterable(_cut(text) for text in repeat(answer.text, answer.repeat))


def json_pieces(call: Call) -> Iterator[str]:
    """What a tool is given, as JSON in small pieces."""
    return _cut(json.dumps(dict(call.input), ensure_ascii=False))


def tokens(answer: Answer) -> int:
    """About how many tokens the whole answer is."""
    said = len(answer.text) * answer.repeat + sum(len(json.dumps(dict(call.input))) for call in answer.calls)
    return said // 4 + 1


def _cut(text: str) -> Iterator[str]:
    return (text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS))
