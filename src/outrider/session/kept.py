"""What a session has kept of its sandboxes. Pure: part of the state."""

from collections.abc import Iterable
from dataclasses import dataclass

from outrider.model import events as e
from outrider.model.engine import EngineSessionId
from outrider.model.ids import CommitId, LayerId, TurnId

FIRST_RETRY_SECONDS = 60.0
MOST_RETRY_SECONDS = 3600.0


def retry_seconds(failures: int) -> float:
    """How long after so many failures in a row the blob store is left alone."""
    return min(FIRST_RETRY_SECONDS * 5.0 ** min(failures - 1, 10), MOST_RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot, and what of the session belongs to its files."""

    turn: TurnId
    number: int
    layer: LayerId
    layers: tuple[LayerId, ...]
    toolbox: LayerId | None
    engine_session: EngineSessionId | None
    work: e.WorkCollected | None
    asleep: bool
    """Whether nothing was written after it."""
    stored: bool = False
    """Whether the blob store has it; or it was said that it never will."""

    @property
    def stack(self) -> tuple[LayerId, ...]:
        """All layers to make a sandbox from, bottom first."""
        return (*self.layers, self.layer)


def pushed_alike(kept: Kept, pushed: CommitId | None) -> bool:
    """Whether the branch ends where the snapshot's commits do: going on from it needs no other branch."""
    return pushed is None or (kept.work is not None and kept.work.head == pushed)


def with_newest(snapshots: Iterable[Kept], new: Kept, keep: int) -> tuple[Kept, ...]:
    """With one more, the newest `keep` of them. A turn has one snapshot: the last that was taken of it."""
    others = tuple(kept for kept in snapshots if kept.turn != new.turn)
    return (*others, new)[-keep:]


def of_turn(snapshots: Iterable[Kept], turn: str) -> Kept | None:
    """The snapshot of a turn by its id or its number."""
    return next((kept for kept in snapshots if turn in (kept.turn, str(kept.number))), None)
