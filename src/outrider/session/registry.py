"""Every session of this node: made, woken, asked, watched, put to sleep."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from outrider.model.commands import Command
from outrider.model.engine import ModelRef
from outrider.model.ids import CommitId, SessionId
from outrider.model.person import Person
from outrider.model.prompt import Prompt
from outrider.model.repository import PullRequest, Repository
from outrider.ports.store import SessionIndex, SessionLogs
from outrider.session.state import State
from outrider.session.world import Policy, World


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be made, its repository already found on the forge."""

    title: str
    repository: Repository
    base_branch: str
    base_commit: CommitId
    model: ModelRef
    prompt: Prompt
    """Its author is who created the session."""
    key: str | None = None
    """The same key of the same author again is the same session."""


class Registry:
    """The one way to sessions. Implements `outrider.ports.forge.ForgeListener`."""

    def __init__(self, logs: SessionLogs, index: SessionIndex, world: World, policy: Policy) -> None: ...

    async def run(self) -> None:
        """Own every task of every session until cancelled. At start: mend the index, wake every session with
        unfinished work, reap sandboxes that belong to none. Leaving it puts all sessions to sleep."""
        raise NotImplementedError

    async def create(self, new: NewSession) -> SessionId:
        """Make a session with its first prompt queued; durable when this returns."""
        raise NotImplementedError

    async def ask(self, session: SessionId, command: Command) -> int:
        """Have a command carried out. Returns, after the commit, the number of its first event; 0 where it needed
        none. Raises NotFound, Refused, BadRequest, LimitReached."""
        raise NotImplementedError

    async def state(self, session: SessionId) -> State:
        """The state as of the last commit. Raises NotFound."""
        raise NotImplementedError

    def attach(self, session: SessionId, after: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The session's feed from event `after` on, as encoded `ServerFrame`s: pages of stored events, the drafts,
        `live`, then what happens. Ends after a `resync` frame where the client reads too slowly. Never raises for
        a session that sleeps; NotFound on entering."""
        raise NotImplementedError

    async def events(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        """Stored events after a number, each an encoded `Recorded`. Raises NotFound."""
        raise NotImplementedError

    async def pull_request_changed(self, session: SessionId, pull_request: PullRequest, by: Person) -> None:
        """A forge tells that a pull request was merged or closed."""
        raise NotImplementedError
