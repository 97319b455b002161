"""Trees of sessions: finding relatives, hearing a child to its rest, and what came of it."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from outrider.model import events as e
from outrider.model.children import ANSWER_LIMIT, VIA_PARENT, ChildResult
from outrider.model.commands import Archive, Command, QueuePrompt, StopTurn, WithdrawPrompt
from outrider.model.engine import Speaker
from outrider.model.errors import NotFound, OutriderError, Refused
from outrider.model.events import RECORDED
from outrider.model.ids import SessionId
from outrider.model.limits import limit_reached
from outrider.model.membership import Caller
from outrider.model.person import Person
from outrider.session.family_state import Child, made_children
from outrider.session.opening import NewSession
from outrider.session.policy import Budget
from outrider.session.result import result
from outrider.session.state import Spending, State
from outrider.session.wording import count

LAST_EVENTS = 500
"""A child's last words are looked for in so many of its newest events."""


class Sessions(Protocol):
    """The sessions of this node."""

    async def create(self, new: NewSession) -> SessionId:
        """Make a session; one that exists stays as it is. Raises LimitReached."""

    async def ask(self, session: SessionId, command: Command, caller: Caller | None = None) -> int:
        """Have a command carried out. Raises NotFound, NotAllowed, Refused."""

    async def state(self, session: SessionId) -> State:
        """The state as of the last commit. Raises NotFound."""

    async def events(self, session: SessionId, after: int, limit: int) -> list[bytes]:
        """Stored events after a number."""


class Family:
    """The trees of a deployment. Made before the sessions are: `sessions` is set then."""

    sessions: Sessions
    spawning: asyncio.Lock
    """Held from counting a tree to the commit of one more in it."""

    def __init__(self) -> None:
        self.spawning = asyncio.Lock()
        self._changed = dict[SessionId, asyncio.Event]()

    def touched(self, session: SessionId) -> None:
        """A session has new events."""
        if changed := self._changed.pop(session, None):
            changed.set()

    async def until(self, session: SessionId, reached: Callable[[State], bool]) -> State:
        """Wait for a state of any session. Raises NotFound."""
        while True:
            changed = self._changed.setdefault(session, asyncio.Event())
            state = await self.sessions.state(session)
            if reached(state):
                return state
            await changed.wait()

    async def deliver(self, child: Child) -> None:
        """See to it that a child exists and has all its prompts. Doing it twice is doing it once."""
        await self.sessions.create(NewSession.of_child(child.spec))
        if not (await self.sessions.state(child.id)).archived:
            for prompt in child.prompts[1:]:
                await self.sessions.ask(child.id, QueuePrompt(prompt))

    async def rested(self, child: SessionId) -> ChildResult:
        """Hear a child to its rest, and say what came of it."""
        state = await self.until(child, rests)
        return child_result(state, await self._last_words(state))

    async def stop(self, child: SessionId, by: Person) -> None:
        """Stop a child and its children, and take back what its parent has sent and no turn has begun to answer. Who
        may stop the parent may do this."""
        caller = Caller(by, keeper=True)
        for prompt in (await self.sessions.state(child)).queue:
            if prompt.author.via == VIA_PARENT:
                with suppress(NotFound, Refused):
                    await self.sessions.ask(child, WithdrawPrompt(prompt.id, by), caller)
        with suppress(Refused):
            await self.sessions.ask(child, StopTurn(by, children=True), caller)

    async def members(self, root: SessionId) -> list[State]:
        """A session and all below it, each before those that it started. What cannot be read is left out."""
        found: list[State] = []
        coming = [root]
        while coming:
            with suppress(OutriderError):
                found.append(await self.sessions.state(coming.pop(0)))
                coming = [*(child.id for child in made_children(found[-1].children)), *coming]
        return found

    async def archive_below(self, session: SessionId, by: Person, *, stop: bool) -> None:
        """Put away all that a session has started. Who may put it away may do this."""
        for member in (await self.members(session))[1:]:
            await self.sessions.ask(member.session, Archive(by, stop=stop), Caller(by, keeper=True))

    async def _last_words(self, state: State) -> str:
        after = max(0, state.seq - LAST_EVENTS)
        page = await self.sessions.events(state.session, after, LAST_EVENTS)
        return last_words([RECORDED.validate_json(body).event for body in page])


def root_of(state: State) -> SessionId:
    """The session at the top of its tree."""
    return state.created.parent.root if state.created.parent else state.session


def spent(members: Iterable[State]) -> Spending:
    """What sessions have used together."""
    total = Spending()
    for member in members:
        total = total.and_also(member.spending)
    return total


def expect_budget(used: Spending, budget: Budget) -> None:
    """Raises LimitReached where a tree has used what it may. Calls whose price is not known count by their tokens
    alone."""
    if budget.usd is not None and used.cost_usd >= budget.usd:
        raise limit_reached(
            f"This session and those that it belongs with have used their budget of ${budget.usd:.2f}.",
            "",
            "OUTRIDER_BUDGET_USD",
        )
    tokens = used.input_tokens + used.output_tokens + used.cache_read_tokens + used.cache_write_tokens
    if budget.tokens is not None and tokens >= budget.tokens:
        raise limit_reached(
            f"This session and those that it belongs with have used their budget of {budget.tokens:,} tokens.",
            "",
            "OUTRIDER_BUDGET_TOKENS",
        )


def expect_rest(members: Iterable[State]) -> None:
    """Raises Refused where any is at work."""
    busy = [member.session for member in members if not rests(member)]
    if busy:
        raise Refused(
            f"{count(len(busy), 'session')} below it at work: {', '.join(busy[:5])}.",
            "Archive it with `stop`: they are stopped, and what waits in them is taken back.",
        )


def rests(state: State) -> bool:
    """Whether nothing runs and nothing waits to run."""
    return state.archived or (state.turn is None and not state.queue)


def last_words(happened: list[e.Event]) -> str:
    """The agent's last message, bounded."""
    said = [event for event in happened if isinstance(event, e.TextSealed) and event.speaker is Speaker.AGENT]
    text = "".join(event.text for event in said if event.message == said[-1].message)
    return text if len(text) <= ANSWER_LIMIT else text[:ANSWER_LIMIT] + "…"


def child_result(state: State, answer: str) -> ChildResult:
    """What a parent keeps of a child that rests."""
    outcome = result(state)
    opened, proof = state.pull_request, state.head_proof
    return ChildResult(
        ok=outcome.ok,
        reason="archived" if state.archived else outcome.reason.value,
        summary=state.last_end.message if state.last_end else "No turn of it has ended.",
        answer=answer,
        branch=outcome.branch,
        commits=len(outcome.commits),
        head=state.head if state.has_commits else None,
        pull_request=opened.url if opened else None,
        checks=proof.verdict.value if proof else None,
        cost_usd=outcome.usage.cost_usd,
    )
