"""What people ask of the queue: prompts, their texts and their order."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.attachment import expect_few
from outrider.model.errors import NotFound, Refused
from outrider.model.ids import PromptId
from outrider.model.limits import limit_reached, quota_reached
from outrider.model.membership import person_key
from outrider.model.prompt import Prompt, check_prompt, check_prompt_text
from outrider.session import keys
from outrider.session.decide.people import expect_open, stop_turn
from outrider.session.decide.rights import role_of
from outrider.session.state import State

NEARLY = 0.9
"""A transcript that has this share of the events that it may have is nearly full."""


def queue(state: State, command: c.QueuePrompt) -> tuple[e.Event, ...]:
    """A prompt joins the queue; one whose key is known is there already."""
    if keys.answered(state, command):
        return ()
    expect_open(state)
    check_prompt(command.prompt, command.rules.prompt)
    _expect_room(state, command)
    most = command.rules.transcript_events
    full = (e.TranscriptNearlyFull(events=state.seq, limit=most),)
    says = full if state.seq >= most * NEARLY and not state.nearly_full else ()
    return (*says, e.PromptQueued(prompt=command.prompt, position=_place(state, command)))


def withdraw(state: State, command: c.WithdrawPrompt) -> tuple[e.Event, ...]:
    """A prompt leaves the queue."""
    _expect_queued(state, command.prompt)
    return (e.PromptWithdrawn(prompt=command.prompt, by=command.by),)


def move(state: State, command: c.MovePrompt) -> tuple[e.Event, ...]:
    """A prompt changes its place; a place behind the end is the end."""
    old = _expect_queued(state, command.prompt)
    new = min(max(command.position, 0), len(state.queue) - 1)
    return () if new == old else (e.PromptMoved(prompt=command.prompt, position=new, by=command.by),)


def edit(state: State, command: c.EditPrompt) -> tuple[e.Event, ...]:
    """A prompt says something else. Whoever has not seen its newest text does not write over it; who may is
    said by `rights`."""
    prompt = state.queue[_expect_queued(state, command.prompt)]
    limits = command.rules.prompt
    text = check_prompt_text(command.text, limits.prompt_bytes)
    expect_few(len(command.attachments or ()), limits.attachments)
    files = prompt.attachments if command.attachments is None else command.attachments
    if (text, files) == (prompt.text, prompt.attachments):
        return ()
    if command.revision != prompt.revision:
        by = prompt.edited_by.name if prompt.edited_by else prompt.author.person.name
        raise Refused(f"{by} has changed this prompt meanwhile.", "Read its text as it is now, and edit that.")
    edited = e.PromptEdited(
        prompt=prompt.id,
        revision=prompt.revision + 1,
        text=text,
        attachments=files,
        author=prompt.author.person,
        by=command.by,
    )
    return (edited,)


def steer(state: State, command: c.SteerNow) -> tuple[e.Event, ...]:
    """The prompt goes to the front, and the turn before it is stopped."""
    old = _expect_queued(state, command.prompt)
    front = (e.PromptMoved(prompt=command.prompt, position=0, by=command.by),) if old else ()
    return (*front, *(stop_turn(state.turn, command.by) if state.turn else ()))


def _place(state: State, command: c.QueuePrompt) -> int | None:
    """Behind what waits; where owners go first, an owner's goes before the first prompt of anybody else."""
    if not command.rules.owners_first or not _is_owner(state, command.prompt):
        return None
    return next((i for i, waiting in enumerate(state.queue) if not _is_owner(state, waiting)), None)


def _is_owner(state: State, prompt: Prompt) -> bool:
    return role_of(state, prompt.author.person) == "owner"


def _expect_room(state: State, command: c.QueuePrompt) -> None:
    rules, author = command.rules, command.prompt.author.person
    if state.seq >= rules.transcript_events:
        raise limit_reached(
            f"The transcript of this session is full: it has {state.seq:,} events, {rules.transcript_events:,} are the "
            "most.",
            f"Fork the session and go on there: outrider fork {state.session}.",
            "OUTRIDER_LIMIT_TRANSCRIPT_EVENTS",
        )
    wait = "Wait for some turns to end, or withdraw some."
    if len(state.queue) >= rules.queue:
        sentence = f"{len(state.queue)} prompts wait already; {rules.queue} is the most of one session."
        raise quota_reached(sentence, wait, "OUTRIDER_LIMIT_QUEUE")
    mine = sum(person_key(one.author.person.email) == person_key(author.email) for one in state.queue)
    if rules.person_queue is not None and mine >= rules.person_queue:
        sentence = f"{mine} prompts of {author.name} wait already; {rules.person_queue} is the most of one person."
        raise quota_reached(sentence, wait, "OUTRIDER_LIMIT_PERSON_QUEUE")


def _expect_queued(state: State, prompt: PromptId) -> int:
    """The place of a waiting prompt."""
    for place, waiting in enumerate(state.queue):
        if waiting.id == prompt:
            return place
    if state.turn and state.turn.prompt.id == prompt:
        raise Refused("The prompt is being answered already.", "Stop the turn, or queue another prompt.")
    raise NotFound("There is no such prompt in the queue.", "Its turn is over, or somebody has withdrawn it.")
