"""Layers that are made anew from time to time: each generation has the id of the first, and when it was made.

Which one is in force is no record of its own: the newest that the provider has.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from outrider.model.ids import LayerId
from outrider.model.sandbox import LayerInfo

STAMP = "%Y%m%d%H%M%S"
STAMP_LENGTH = 14


@dataclass(frozen=True, slots=True)
class Generation:
    """One of them. `made_at` is None where the provider does not know."""

    layer: LayerId
    made_at: datetime | None


def generation_id(first: LayerId, now: datetime, mark: str = "") -> LayerId:
    """The id of one that is made now. `mark` tells what it was made of."""
    return LayerId("-".join(filter(None, (first, now.astimezone(UTC).strftime(STAMP), mark))))


def is_renewed(layer: LayerId) -> bool:
    """Whether it is a later generation: no other machine makes the same."""
    return stamp_of(layer) is not None


def stamp_of(layer: LayerId) -> datetime | None:
    """When a later generation was made; None for a first one."""
    for part in layer.split("-")[2:]:
        if len(part) == STAMP_LENGTH and part.isdigit():
            return datetime.strptime(part, STAMP).replace(tzinfo=UTC)
    return None


def mark_of(layer: LayerId) -> str:
    """What a later generation was made of; empty where nothing was said."""
    parts = layer.split("-")
    return parts[-1] if is_renewed(layer) and len(parts[-1]) != STAMP_LENGTH else ""


def generations(first: LayerId, layers: Iterable[LayerInfo]) -> list[Generation]:
    """Those that there are, the newest first."""
    found = [info for info in layers if info.id == first or info.id.startswith(f"{first}-")]
    rows = [Generation(info.id, stamp_of(info.id) or info.made_at) for info in found]
    return sorted(rows, key=lambda row: row.layer, reverse=True)
