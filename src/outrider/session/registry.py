"""Every session of this node: made, asked, watched. The one way to sessions for everybody outside."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from outrider.model.commands import (
    Command,
    EditPrompt,
    ForgeChanged,
    Once,
    PromptChild,
    QueuePrompt,
    Report,
    SpawnChild,
    StopTurn,
)
from outrider.model.errors import DamagedLog, NotFound, OutriderError, Refused
from outrider.model.events import Recorded
from outrider.model.feed import PAGE_EVENTS
from outrider.model.ids import SessionId
from outrider.model.limits import QueueRules
from outrider.model.membership import Caller, Member
from outrider.model.person import Person
from outrider.model.repository import PullRequest
from outrider.ports.search import SearchIndex
from outrider.ports.store import SessionIndex, SessionLogs
from outrider.session.changes import ChangedFiles
from outrider.session.feed import AtOnce, events_frame
from outrider.session.fold import begin, fold_all
from outrider.session.found import SESSION_LABEL
from outrider.session.heap import give_back
from outrider.session.indexing import Indexing
from outrider.session.keys import answered
from outrider.session.list_feed import ListHub
from outrider.session.open_logs import OpenLogs
from outrider.session.opening import NewSession as NewSession
from outrider.session.opening import first_events, session_id
from outrider.session.policy import Policy
from outrider.session.presence import Watcher
from outrider.session.projection import AT_REST, Projection
from outrider.session.replay import peek
from outrider.session.roster import Busy, Roster
from outrider.session.state import State
from outrider.session.world import World

logger = logging.getLogger(__name__)

TAKEN_UP_AT_ONCE = 100
"""Sessions that the start may wake before it puts to sleep what rests: each awake one has three files open."""


class Registry:
    """The sessions. Implements `outrider.ports.forge.ForgeListener`."""

    def __init__(
        self, logs: SessionLogs, index: SessionIndex, search: SearchIndex, world: World, policy: Policy
    ) -> None:
        self._index = index
        self._world = world
        self._rules = policy.queue
        self.taken_up = asyncio.Event()
        """Set once the start has taken up every session, and the index lists them."""
        self.listing = ListHub()
        """Who looks at the list of sessions."""
        self._projection = Projection(index, world.clock, self.listing.tell)
        self._logs = OpenLogs(logs)
        self._indexing = Indexing(search, world.clock, self.events, self._logs.ids)
        self._roster = Roster(self._logs, world, policy, self._committed, self._projection.lost)
        self.changed_files = ChangedFiles(self._roster.hub, self.state)
        world.family.sessions = self

    async def run(self) -> None:
        """Own every task of every session until cancelled. At start: mend the index, wake every session with
        unfinished work, reap sandboxes that belong to none. When it ends, all logs are closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._projection.run(), name="session index")
                tasks.create_task(self._indexing.run(), name="search index")
                tasks.create_task(self._roster.run(), name="sessions")
                tasks.create_task(self._take_up(), name="take up sessions")
        finally:
            await self._projection.write()
            self.listing.close()

    @property
    def busy(self) -> Busy:
        """How much of it is in memory."""
        return self._roster.busy

    async def create(self, new: NewSession) -> SessionId:
        """Make a session with its first prompt queued; durable when this returns. The same key again is the same
        session. Raises BadRequest, LimitReached; Refused where the key was another session's."""
        await self._roster.running()
        if new.key is not None:
            new = replace(new, prompt=new.prompt.model_copy(update={"key": new.key}))
        session = session_id(new)
        first = first_events(session, new, self._world.clock.now(), self._rules)
        if not await self.open(session, first, new.prompt.author.person):
            expect_same(await self.state(session), new)
        await self._projection.write_one(session)  # whoever made it finds it in the list
        return session

    async def open(self, session: SessionId, records: list[Recorded], by: Person) -> bool:
        """Make a session of its first events, durable when this returns; it counts for who starts it. False: it exists,
        and stays as it is. Raises QuotaReached."""
        await self._logs.readable(session)
        if self._logs.exists(session):
            return False
        async with self._world.quotas.doing("session", by):
            log = self._logs.create(session)
            if log is None:
                return False
            try:
                log.append(records)
            except OutriderError:
                await self._logs.close(session)
                raise
            actor = self._roster.adopt(log, fold_all(begin(records[0], self._world.house), records[1:]))
            self._committed(actor.state)
        return True

    async def ask(self, session: SessionId, command: Command, caller: Caller | None = None) -> int:
        """Have a command carried out, where its caller may: without one the person whom it names. Returns, after the
        commit, the number of its first event; 0 where it needed none. What it changes in the list is to be found there,
        but for prompts, stops and reports, which nothing may hold up. Raises NotFound, NotAllowed, Refused, BadRequest,
        LimitReached."""
        actor = await self._roster.wake(session)
        seq = await actor.ask(under(self._rules, command), caller)
        if not isinstance(command, QueuePrompt | StopTurn | Report):
            await self._projection.write_one(session)
        return seq

    async def state(self, session: SessionId, *, wake: bool = True) -> State:
        """The state as of the last commit; a session that sleeps is woken, or read and left asleep. Raises NotFound;
        DamagedLog for one that is not to be woken."""
        if wake or self._roster.awake_one(session):
            return (await self._roster.wake(session)).state
        return await peek(session, self._logs, self._world.house)

    async def members(self, session: SessionId) -> Mapping[str, Member]:
        """The members by email as of the last commit, without waking the session. Raises NotFound."""
        await self._roster.running()
        if (actor := self._roster.awake_one(session)) is not None:
            return actor.state.members
        row = self._projection.pending(session) or await self._index.get(session)
        if row is not None and row.members:
            return row.members
        return (await self.state(session)).members

    async def events(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        """Stored events after a number, each an encoded `Recorded`. Raises NotFound."""
        await self._logs.readable(session)
        try:
            return self._logs.read(session, after, limit)
        except DamagedLog:
            await self._roster.wake(session)
            return self._logs.read(session, after, limit)

    @asynccontextmanager
    async def attach(
        self, session: SessionId, after: int, watcher: Watcher | None = None, at_once: AtOnce | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The session's feed from event `after` on, as encoded `ServerFrame`s: pages of stored events, the drafts,
        `live`, then what happens. It ends after a `resync` frame where the client reads too slowly, and when the
        server stops. A session that sleeps is not woken. Others see the `watcher`. Frames that `at_once`
        takes are not among them. Raises NotFound on entering."""
        await self.events(session, after, 1)
        frames = self._frames(session, after, watcher, at_once)
        try:
            yield frames
        finally:
            await frames.aclose()

    async def pull_request_changed(self, session: SessionId, pull_request: PullRequest, by: Person) -> None:
        """A forge tells that a pull request was merged or closed."""
        with suppress(NotFound):
            await self.ask(session, ForgeChanged(pull_request.number, pull_request.state, by))

    def _committed(self, state: State) -> None:
        """A session has new events."""
        self._projection.touch(state)
        self._indexing.touch(state.session)
        self._world.family.touched(state.session)

    async def _frames(
        self, session: SessionId, after: int, watcher: Watcher | None, at_once: AtOnce | None
    ) -> AsyncGenerator[bytes, None]:
        while True:
            page = await self.events(session, after, PAGE_EVENTS)
            if len(page) < PAGE_EVENTS:
                break
            after += len(page)
            yield events_frame(page)
        hub = self._roster.hub(session)  # nothing is awaited since the last read
        mailbox = hub.attach(page, after + len(page), watcher, at_once)
        try:
            async for frame in mailbox.frames():
                yield frame
        finally:
            hub.detach(mailbox)
            self._roster.forget_hub(session)

    async def _take_up(self) -> None:
        """Go on with what was unfinished when the server ended. What cannot be read is said and harms no other."""
        for number, session in enumerate(self._logs.ids(), start=1):
            try:
                await self._take_up_one(session)
            except OutriderError as error:
                logger.error("session %s cannot be taken up: %s", session, error)
            await asyncio.sleep(0)
            if number % TAKEN_UP_AT_ONCE == 0:
                await self._roster.settle()
        await self._projection.write()
        await asyncio.to_thread(give_back)
        self.taken_up.set()
        try:
            lost = self._logs.damaged()
            for session in lost:
                self._projection.lost(session)
            await _reap(self._world, self._index, {*self._logs.ids(), *lost})
        except OutriderError as error:
            logger.error("sandboxes of no session could not be reaped: %s", error)

    async def _take_up_one(self, session: SessionId) -> None:
        row = await self._index.get(session)
        await self._logs.readable(session)
        with suppress(DamagedLog):
            if row and row.status in AT_REST and row.projected_seq == self._logs.last_seq(session):
                return
        self._projection.touch((await self._roster.wake(session)).state)


def under(rules: QueueRules, command: Command) -> Command:
    """The command with the deployment's rules, where it carries a prompt."""
    match command:
        case QueuePrompt() | EditPrompt() | SpawnChild() | PromptChild():
            return replace(command, rules=rules)
        case Once(command=EditPrompt() as edit):
            return replace(command, command=replace(edit, rules=rules))
    return command


async def _reap(world: World, index: SessionIndex, known: set[SessionId]) -> None:
    """Destroy the sandboxes of sessions that do not exist or are archived."""
    for info in await world.provider.list({}):
        session = info.labels.get(SESSION_LABEL)
        if session is not None and (session not in known or await _is_archived(index, SessionId(session))):
            await world.provider.destroy(info.handle)


def expect_same(state: State, new: NewSession) -> None:
    """Raises Refused where a session that exists was asked for in other words. Its branch may have moved meanwhile."""
    created = state.created
    was = (created.repository.name, created.base_branch, created.model)
    if was != (new.repository.name, new.base_branch, new.model):
        raise Refused("This key was used to start another session.", "Use a new key for a new session.")
    answered(state, QueuePrompt(new.prompt))


async def _is_archived(index: SessionIndex, session: SessionId) -> bool:
    row = await index.get(session)
    return row is not None and row.status == "archived"
