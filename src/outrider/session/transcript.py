"""A session's story as plain text, for an engine that lost its own memory of it.

The newest turns are told as they went, older ones in a line or two each, the oldest are only counted. What tools gave
back is left out: an engine reads again what it needs, and nothing in here asks it to do anything.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from outrider.model import events as e
from outrider.model.engine import TRANSCRIPT_OPENING, Speaker, ToolCallUpdate, ToolStatus
from outrider.model.errors import OutriderError
from outrider.model.ids import PromptId, SessionId, ToolCallId, TurnId
from outrider.model.prompt import Prompt
from outrider.ports.store import SessionLog

TRANSCRIPT_CHARACTERS = 40_000
"""The most that is told: some 10,000 tokens, a twentieth of a model's context."""

SHORT_CHARACTERS = 10_000
"""Of these, what the turns have that are told in short."""

MOST_TURNS = 500
"""Turns that are held while the log is read. Older ones are only counted."""

READ_AT_ONCE = 200

MOST_FORKS = 20
"""How many sessions back the story is followed where one was forked from another."""

ReadOther = Callable[[SessionId, int, int], Awaitable[Sequence[bytes]]]
"""Stored events of another session after a number, at most so many. Raises OutriderError."""

_Pages = Callable[[int], Awaitable[Sequence[e.Recorded]]]
"""The events of one session after a number; none at the end."""

PROMPT_CHARACTERS = 4000
TITLES = 12

_HEAD = (
    f"{TRANSCRIPT_OPENING}\nYou have lost your own memory of this session. This is what was asked, said and done in it "
    "so far, written down by Outrider. All of it has happened: do not do any of it again. The files of the workspace "
    "are as it left them; look at them (git status, git log) before you rely on a detail. What you are to do now is "
    "said after the end of this transcript.\n"
)
_END = "\n</session-transcript>"


@dataclass(slots=True)
class _Turn:
    """One turn as far as it was read."""

    number: int
    asked: str
    parts: deque[str] = field(default_factory=deque)
    length: int = 0
    """Characters in `parts`."""
    left_out: bool = False
    titles: dict[ToolCallId, str] = field(default_factory=dict)
    end: str = ""

    def add(self, part: str) -> None:
        """More of it; where it is longer than all that may be told, its own beginning goes."""
        self.parts.append(part)
        self.length += len(part)
        while self.length > TRANSCRIPT_CHARACTERS and len(self.parts) > 1:
            self.length -= len(self.parts.popleft())
            self.left_out = True

    def whole(self) -> str:
        """As it went."""
        gap = "\n… (the beginning of this turn is left out)" if self.left_out else ""
        end = f"\nThe turn ended: {self.end}\n" if self.end else "\nThis turn was cut off here.\n"
        return f"\n\n## Turn {self.number}\n{self.asked}\n{gap}{''.join(self.parts)}{end}"

    def short(self) -> str:
        """In a line or two."""
        titles = list(self.titles.values())
        more = f" and {len(titles) - TITLES} more" if len(titles) > TITLES else ""
        used = f" Tools: {'; '.join(titles[:TITLES])}{more}." if titles else ""
        return f"\nTurn {self.number}. {_cut(self.asked, 300)}{used} End: {_cut(self.end or 'cut off.', 300)}"


class Story:
    """Reads events in order and keeps what is worth telling."""

    def __init__(self) -> None:
        self._turns: deque[_Turn] = deque(maxlen=MOST_TURNS)
        self._prompts: dict[PromptId, Prompt] = {}
        self._count = 0
        self._inherited = 0
        """How many of the turns were another session's."""
        self._forked = ""
        self._undone = ""

    def take(self, event: e.Event) -> None:
        """One more event."""
        match event:
            case e.PromptQueued(prompt=prompt):
                self._prompts[prompt.id] = prompt
            case e.PromptEdited(prompt=prompt_id, text=text, attachments=files) if prompt_id in self._prompts:
                edited = {"text": text, "attachments": files}
                self._prompts[prompt_id] = self._prompts[prompt_id].model_copy(update=edited)
            case e.TurnStarted(prompt=prompt_id):
                self._count += 1
                asked = _asked(self._prompts.pop(prompt_id)) if prompt_id in self._prompts else ""
                self._turns.append(_Turn(self._count, asked))
            case e.SessionRewound(number=number):
                self._rewind(self._inherited + number)
            case e.SessionForked():
                self._fork()
            case _ if self._turns:
                _tell(self._turns[-1], event)

    def told(self) -> str:
        """The transcript, the newest last; empty where nothing has happened. A turn of which nothing is there yet is
        what the engine is asked next, and no history."""
        turns = [turn for turn in self._turns if turn.parts or turn.end]
        if not turns:
            return ""
        whole: deque[str] = deque()
        room = TRANSCRIPT_CHARACTERS - SHORT_CHARACTERS
        while turns and (not whole or len(turns[-1].whole()) <= room):
            told = turns.pop().whole()
            room -= len(told)
            whole.appendleft(told)
        return f"{_HEAD}{self._forked}{self._undone}{_in_short(turns, self._count)}{_fit(whole)}{_END}"

    def _fork(self) -> None:
        """What was told so far was another session's; the numbers of turns begin anew."""
        self._inherited = self._count
        if self._count:
            upto = "Turn 1 was" if self._count == 1 else f"The turns up to {self._count} were"
            self._forked = f"\n{upto} in another session, of which this one is a fork.\n"

    def _rewind(self, number: int) -> None:
        """What came after that turn was undone."""
        while self._turns and self._turns[-1].number > number:
            self._turns.pop()
        self._undone = f"\nWhat was done after turn {number} was undone by going back to the end of it.\n"


async def transcript(log: SessionLog, others: ReadOther) -> str:
    """What people asked, what the agent said and did, bounded, newest last. Where the session is a fork, what came
    before it in the sessions that it goes on from is part of it, as far as they can be read."""

    async def own(after: int) -> Sequence[e.Recorded]:
        return log.read(after, READ_AT_ONCE)

    story = Story()
    for pages, until in await _before(own, others):
        with suppress(OutriderError):
            await _read(story, pages, until)
    await _read(story, own)
    return story.told()


async def _before(pages: _Pages, others: ReadOther) -> Iterable[tuple[_Pages, TurnId]]:
    """The sessions that a fork goes on from, the oldest first, each with the turn after which the next one began."""
    found = deque[tuple[_Pages, TurnId]]()
    with suppress(OutriderError):
        while len(found) < MOST_FORKS:
            first = (recorded.event for recorded in await pages(0))
            fork = next((event for event in first if isinstance(event, e.SessionForked)), None)
            if fork is None:
                break
            pages = partial(_page, others, fork.parent)
            found.appendleft((pages, fork.turn))
    return found


async def _page(others: ReadOther, session: SessionId, after: int) -> Sequence[e.Recorded]:
    return [e.RECORDED.validate_json(body) for body in await others(session, after, READ_AT_ONCE)]


async def _read(story: Story, pages: _Pages, until: TurnId | None = None) -> None:
    """To the end of a turn, where one is named. A fork of a fork may begin where that one began: the turn is then none
    of its own."""
    after = 0
    while page := await pages(after):
        after = page[-1].seq
        for recorded in page:
            story.take(recorded.event)
            event = recorded.event
            if until and isinstance(event, e.TurnEnded | e.SessionForked) and event.turn == until:
                return
        await asyncio.sleep(0)


def _in_short(turns: list[_Turn], count: int) -> str:
    """Older turns, newest first in the choice of what is told, oldest first in the telling."""
    lines: deque[str] = deque()
    room = SHORT_CHARACTERS
    for turn in reversed(turns):
        line = turn.short()
        room -= len(line)
        if room < 0:
            break
        lines.appendleft(line)
    if not lines:
        return ""
    first = turns[-len(lines)].number
    before = f"\n… {first - 1} earlier {'turn' if first == 2 else 'turns'}" if first > 1 else ""
    return f"\n## Earlier turns, in short{before}{''.join(lines)}"


def _fit(whole: Iterable[str]) -> str:
    """Never longer than all that may be told, even where one turn is."""
    text = "".join(whole)
    most = TRANSCRIPT_CHARACTERS - SHORT_CHARACTERS
    if len(text) <= most:
        return text
    return f"{text[:PROMPT_CHARACTERS]}\n… (a part is left out)\n{text[PROMPT_CHARACTERS - most :]}"


def _asked(prompt: Prompt) -> str:
    files = "".join(f"\n(with the file {file.name})" for file in prompt.attachments)
    return f"{prompt.author.person.name} asked: {prompt.text[:PROMPT_CHARACTERS]}{files}"


def _tell(turn: _Turn, event: e.Event) -> None:
    match event:
        case e.TextSealed(speaker=Speaker.AGENT, offset=offset, text=text):
            turn.add(text if offset else f"\nYou said: {text}")
        case e.ToolCallChanged(update=update):
            _tell_tool(turn, update)
        case e.WorkCollected(commits=commits):
            for commit in commits[-20:]:
                turn.titles.setdefault(ToolCallId(f"commit {commit.sha}"), f"commit {_cut(commit.subject, 100)}")
        case e.ProofFinished(proof=proof):
            turn.add(f"\nThe checks: {_cut(proof.summary, 500)}\n")
        case e.TurnInterrupted(reason=reason):
            turn.add(f"\nYou were interrupted: {_cut(reason, 300)}\n")
        case e.TurnEnded(message=message):
            turn.end = _cut(message, 1000)


def _tell_tool(turn: _Turn, update: ToolCallUpdate) -> None:
    """A line for each title that it had, such as `bash` and then the command; one more where it failed."""
    title = _cut(update.title or "", 200)
    known = turn.titles.get(update.tool_call)
    if title and known != title:
        turn.titles[update.tool_call] = title
        turn.add(f"\nYou used a tool: {title}\n")
    if update.status is ToolStatus.FAILED:
        turn.add("It failed.\n")


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
