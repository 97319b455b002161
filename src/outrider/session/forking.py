"""A session that begins where another one was; and which layers sessions need."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from outrider.fleet.snapshots import Snapshots, snapshot_layer
from outrider.model import effects as x
from outrider.model import events as e
from outrider.model.errors import OutriderError, Refused
from outrider.model.ids import LayerId, SessionId, derived_id, new_id
from outrider.model.person import Author
from outrider.ports.clock import Clock
from outrider.session.decide.snapshots import expect_kept
from outrider.session.kept import Kept
from outrider.session.registry import Registry
from outrider.session.state import State

TITLE_LENGTH = 200


async def fork(
    registry: Registry, session: SessionId, turn: str | None, by: Author, clock: Clock, *, key: str | None = None
) -> SessionId:
    """A new session that goes on from what another one was after a turn, named by id or number; after its newest where
    none is named. The same key of the same person again is the same session. Raises NotFound, Refused."""
    parent = await registry.state(session)
    kept = expect_kept(parent, turn)
    child = SessionId(new_id("s") if key is None else derived_id("s", by.person.email, "fork", key))
    first = forked_from(parent, kept, child, by, clock.now())
    if not await registry.open(child, first, by.person):
        await _expect_same(registry, child, first)
    return child


async def _expect_same(registry: Registry, child: SessionId, first: list[e.Recorded]) -> None:
    """Raises Refused where the key was another fork's. Which turn is the newest may have changed meanwhile."""
    stored = [e.RECORDED.validate_json(body).event for body in await registry.events(child, 0, len(first) + 1)]
    parents = {event.parent for event in stored if isinstance(event, e.SessionForked)}
    if {record.event.parent for record in first if isinstance(record.event, e.SessionForked)} != parents:
        raise Refused("This key was used for another fork.", "Use a new key for a new fork.")


class NamedLayers:
    """The layers that sessions can still be made from. Made before the sessions are: `registry` is set then."""

    registry: Registry | None = None

    def __init__(
        self, ids: Callable[[], Iterable[SessionId]], damaged: Callable[[], Sequence[SessionId]] = tuple
    ) -> None:
        self._ids = ids
        self._damaged = damaged

    async def __call__(self) -> set[LayerId]:
        """Look at every session, without waking it. Raises OutriderError where one cannot be read: it may name
        anything."""
        if self.registry is None:
            raise OutriderError("The sessions are not up yet.")
        if lost := self._damaged():
            raise OutriderError(f"The logs of {', '.join(lost)} are damaged: they may name anything.")
        named: set[LayerId] = set()
        for session in self._ids():
            named |= named_layers(await self.registry.state(session, wake=False))
        return named


async def collect_snapshots(named: NamedLayers, snapshots: Snapshots) -> int:
    """Delete the snapshots that no session names any more, and say how many there were. Raises OutriderError, and
    deletes nothing, where a session cannot be read."""
    before = await snapshots.all()
    return await snapshots.collect(before, await named()) if before else 0


def forked_from(parent: State, kept: Kept, child: SessionId, by: Author, now: datetime) -> list[e.Recorded]:
    """The first events of the new session. It has a branch of its own, people of its own, and no parent: a person made
    it."""
    title = f"Fork of {parent.title}"[:TITLE_LENGTH]
    created = parent.created.model_copy(update={"session": child, "title": title, "created_by": by, "parent": None})
    forked = e.SessionForked(
        parent=parent.session,
        turn=kept.turn,
        number=kept.number,
        by=by.person,
        layer=kept.layer,
        layers=kept.layers,
        toolbox=kept.toolbox,
        commit=kept.work.head if kept.work else parent.created.base_commit,
        engine_session=kept.engine_session,
    )
    events: list[e.Event] = [created, *((kept.work,) if kept.work else ()), forked]
    return [e.Recorded(seq=seq, at=now, event=event) for seq, event in enumerate(events, start=1)]


def named_layers(state: State) -> set[LayerId]:
    """The layers, toolboxes too, that the session can still be made from, and those that are being made for it."""
    kept = (*state.snapshots, *((state.restore,) if state.restore else ()))
    named = {layer for snapshot in kept for layer in (*snapshot.stack, snapshot.toolbox) if layer}
    sandbox, end = state.sandbox, state.last_end
    if state.archived or sandbox is None or end is None:
        return named
    coming: list[x.Effect] = [x.TakeSnapshot(end.turn, sandbox.id, sandbox.start)]
    coming += [x.SleepSandbox(end.turn, sandbox.id, start) for start in (sandbox.start - 1, sandbox.start)]
    return named | {snapshot_layer(state.session, effect.id) for effect in coming}
