"""The pool's book: which warm sandboxes there are, whom they are held for, and what is to be done next. No I/O.

A sandbox is in the book from before it is made until it is taken or dropped; who takes it out owns it, so that none
is ever given to two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from outrider.model.engine import ModelRef
from outrider.model.ids import SandboxId
from outrider.model.pool import Miss, PoolKey

LEASE_SECONDS = 45.0
"""How long a warm sandbox is held after the last sign of typing."""

MAX_AGE_SECONDS = 2 * 3600.0
"""An engine that idles leaks, and its sandbox's wall time runs: an older one is replaced."""


@dataclass(frozen=True, slots=True)
class Want:
    """How many sandboxes of which make a repository is to have. Another make, such as an older image, is stale."""

    make: str
    target: int


@dataclass(slots=True)
class Entry:
    """One warm sandbox, starting or ready."""

    id: SandboxId
    key: PoolKey
    model: ModelRef
    make: str
    since: float
    """When it was begun; once it is ready, since when it is."""
    ready: bool = False
    person: str = ""
    """Whom it is held for, by email; empty where it is free."""
    until: float = 0.0
    claimed: bool = False
    """Whether a session waits for it: nobody else may have it."""

    @property
    def free(self) -> bool:
        """Whether any session may have it."""
        return not self.person and not self.claimed


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do now: sandboxes to drop, each with the reason, and for which repository to begin one."""

    drop: tuple[tuple[Entry, str], ...] = ()
    make: PoolKey | None = None


class Book:
    """The entries, by id."""

    def __init__(self) -> None:
        self._entries: dict[SandboxId, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, sandbox: SandboxId) -> bool:
        return sandbox in self._entries

    def entries(self) -> list[Entry]:
        """All of them, oldest first."""
        return list(self._entries.values())

    def of(self, key: PoolKey) -> list[Entry]:
        """Those of one repository."""
        return [entry for entry in self._entries.values() if entry.key == key]

    def begin(self, entry: Entry) -> None:
        """One is being started."""
        self._entries[entry.id] = entry

    def ready(self, sandbox: SandboxId, now: float) -> None:
        """It has started. Whoever it was started for has from now on as long as for any other."""
        entry = self._entries[sandbox]
        entry.ready, entry.since = True, now
        entry.until = max(entry.until, now + LEASE_SECONDS)

    def remove(self, sandbox: SandboxId) -> Entry | None:
        """It is the pool's no more."""
        return self._entries.pop(sandbox, None)

    def hold(self, key: PoolKey, model: ModelRef, person: str, now: float) -> Entry | None:
        """Hold one for a person, who holds one at a time: what they held of another repository is free again. None
        where all are held for others."""
        for entry in self._entries.values():
            if entry.person == person and entry.key != key:
                entry.person = ""
        held = [entry for entry in self.of(key) if entry.person == person and not entry.claimed]
        chosen = held or sorted((e for e in self.of(key) if e.free), key=lambda e: (not e.ready, e.model != model))
        if not chosen:
            return None
        chosen[0].person, chosen[0].until = person, now + LEASE_SECONDS
        return chosen[0]

    def choose(self, key: PoolKey, model: ModelRef, person: str) -> Entry | Miss:
        """The one that a session of this person may have: what they hold, else any that is free, of the same model
        first and the longest ready first; last one that is still starting, which has begun earlier than one of the
        session's own could."""
        entries = [entry for entry in self.of(key) if not entry.claimed]
        own = [entry for entry in entries if entry.person == person or entry.free]
        if own:
            return min(own, key=lambda e: (e.person != person, not e.ready, e.model != model, e.since))
        return Miss.HELD if any(entry.ready for entry in entries) else Miss.NONE_READY

    def end_leases(self, now: float) -> None:
        """What nobody types for any more is free again."""
        for entry in self._entries.values():
            if entry.person and entry.ready and entry.until <= now:
                entry.person = ""

    def steps(self, wants: Mapping[PoolKey, Want], now: float, *, room: int, refilling: bool) -> Steps:
        """What to do, with room for so many more, or a need for so many fewer. At most one is begun, and none while one
        is being started. A stale one goes when a newer one is there in its place, or to make room for it."""
        drops = {entry.id: (entry, "too little room") for entry in self._least_needed(wants, now, -room)}
        for entry in self._surplus(wants, now):
            drops.setdefault(entry.id, (entry, "not wanted any more"))
        left = [entry for entry in self._entries.values() if entry.id not in drops]
        key = None if refilling else _neediest(left, wants, now)
        if key and room + len(drops) <= 0:
            stale = next((e for e in left if e.ready and e.free and is_stale(e, wants, now)), None)
            if stale:
                drops[stale.id] = (stale, "a newer one takes its place")
        return Steps(tuple(drops.values()), key if room + len(drops) > 0 else None)

    def _surplus(self, wants: Mapping[PoolKey, Want], now: float) -> Iterable[Entry]:
        """What is ready, free, and more than its repository is to have: stale ones first, then old ones."""
        for key in {entry.key for entry in self._entries.values()}:
            free = [entry for entry in self.of(key) if entry.free and entry.ready]
            free.sort(key=lambda entry: (not is_stale(entry, wants, now), entry.since))
            yield from free[: max(len(free) - (wants[key].target if key in wants else 0), 0)]

    def _least_needed(self, wants: Mapping[PoolKey, Want], now: float, count: int) -> list[Entry]:
        """So many of those that would be missed least: stale ones, then free ones, held ones last."""
        order = sorted(self._entries.values(), key=lambda e: (not e.free, not is_stale(e, wants, now), e.since))
        return order[: max(count, 0)]


def is_stale(entry: Entry, wants: Mapping[PoolKey, Want], now: float) -> bool:
    """Whether it is of another make than is wanted now, or too old."""
    want = wants.get(entry.key)
    aged = entry.ready and now - entry.since > MAX_AGE_SECONDS
    return aged or want is None or want.make != entry.make


def _neediest(entries: list[Entry], wants: Mapping[PoolKey, Want], now: float) -> PoolKey | None:
    """Whose target is missed by most, the ones that are free and not stale counted."""
    missing = {key: want.target for key, want in wants.items()}
    for entry in entries:
        if entry.key in missing and entry.free and not is_stale(entry, wants, now):
            missing[entry.key] -= 1
    key = max(missing, key=lambda key: missing[key], default=None)
    return key if key is not None and missing[key] > 0 else None
