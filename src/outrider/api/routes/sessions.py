"""Sessions: start, list, look at, prompt, stop."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from outrider.api.access import expect_may_start
from outrider.api.choosing import UseWanted
from outrider.api.parts import UseKey, UseLogin, UseParts, authored, new_prompt, once
from outrider.api.views import (
    Accepted,
    Me,
    NewSession,
    SessionList,
    SessionStarted,
    SessionSummary,
    SessionView,
    SnapshotView,
    ToStop,
    TurnView,
)
from outrider.model.commands import StopTurn, Typing
from outrider.model.engine import ModelRef
from outrider.model.errors import BadRequest, NotFound, Refused
from outrider.model.feed import PAGE_EVENTS
from outrider.model.ids import ArtifactId, SessionId
from outrider.ports.forge import unheard
from outrider.session import registry
from outrider.session.result import Result, result

router = APIRouter(prefix="/api/sessions", tags=["sessions"])

TITLE_LENGTH = 80


@router.get("")
async def sessions(
    parts: UseParts,
    wanted: UseWanted,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[datetime | None, Query(description="Those that changed before: the next page")] = None,
) -> SessionList:
    """The sessions that you may see: pinned ones first, then the newest change first. Archived ones only where they are
    asked for."""
    rows = await parts.index.choose(wanted, limit=limit, before=before)
    return SessionList(sessions=tuple(SessionSummary.model_validate(row) for row in rows))


@router.post("", status_code=201)
async def start_session(parts: UseParts, login: UseLogin, wanted: NewSession) -> SessionStarted:
    """Start a session with its first prompt. The repository is imported where it is not known yet."""
    expect_may_start(login)
    author = authored(login, wanted.author)
    prompt = await new_prompt(parts, author, wanted.prompt, wanted.key, wanted.attachments)
    model = chosen_model(wanted.model, await parts.describe(login.person))
    repository = await parts.forge.find(wanted.repository, unheard)
    branch, commit = await parts.forge.head(repository, wanted.branch)
    new = registry.NewSession(
        title=wanted.title or _title(wanted.prompt),
        repository=repository,
        base_branch=branch,
        base_commit=commit,
        model=model,
        prompt=prompt,
        key=wanted.key,
    )
    return SessionStarted(session=await parts.registry.create(new))


@router.get("/{session}")
async def session(parts: UseParts, session: SessionId) -> SessionView:
    """One session as it is now."""
    state = await parts.registry.state(session)
    row = await parts.index.get(session)
    if row is None:
        raise NotFound(f"There is no session {session}.")
    turn = state.turn
    return SessionView(
        **SessionSummary.model_validate(row).model_dump(),
        queue=state.queue,
        turn=None if turn is None else TurnView(id=turn.id, prompt=turn.prompt.id, phase=turn.phase),
        commits=state.work.commits if state.work else (),
        branch_name=state.branch,
        services=tuple(state.services.values()),
        previews=state.previews,
        snapshots=tuple(
            SnapshotView(
                turn=kept.turn,
                number=kept.number,
                commit=kept.work.head if kept.work else state.created.base_commit,
                stored=kept.stored,
            )
            for kept in state.snapshots
        ),
    )


@router.get("/{session}/result")
async def session_result(parts: UseParts, session: SessionId) -> Result:
    """What came of it, once nothing runs and nothing waits."""
    state = await parts.registry.state(session)
    if state.turn is not None or state.queue:
        raise Refused("The session is still at work.", "Ask again when its turn has ended.")
    return result(state)


@router.get("/{session}/events")
async def events(
    parts: UseParts,
    session: SessionId,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_EVENTS)] = PAGE_EVENTS,
) -> Response:
    """A page of stored events."""
    page = await parts.registry.events(session, after, limit)
    return Response(b'{"events":[' + b",".join(page) + b"]}", media_type="application/json")


@router.post("/{session}/stop", status_code=202)
async def stop(
    parts: UseParts, login: UseLogin, session: SessionId, how: ToStop | None = None, key: UseKey = None
) -> Accepted:
    """Stop the running turn; with `children`, also those of the sessions that it started, and of theirs."""
    command = StopTurn(login.person, children=how is not None and how.children)
    return Accepted(seq=await parts.registry.ask(session, once(key, command), login.caller))


@router.post("/{session}/typing", status_code=202)
async def typing(parts: UseParts, login: UseLogin, session: SessionId) -> Accepted:
    """Say that a prompt is being typed: a sandbox that sleeps wakes. Once in 20 seconds of typing is enough."""
    return Accepted(seq=await parts.registry.ask(session, Typing(login.person, parts.clock.now()), login.caller))


@router.get("/{session}/artifacts/{artifact}")
async def artifact(parts: UseParts, session: SessionId, artifact: ArtifactId) -> Response:
    """A file that the session kept. It may come from a guest: the browser may save it and nothing else."""
    data, media_type = await parts.blobs.get(session, artifact)
    headers = {
        "content-disposition": f'attachment; filename="{artifact}.txt"',
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return Response(data, media_type=media_type, headers=headers)


def chosen_model(name: str | None, me: Me) -> ModelRef:
    """The model that is named, else the default one. Raises BadRequest where its provider is not set up."""
    try:
        model = ModelRef.parse(name or me.default_model)
    except ValueError as error:
        raise BadRequest(f"{name!r} names no model.", "Write it as PROVIDER/NAME.") from error
    if model.provider not in {ModelRef.parse(known).provider for known in me.models}:
        setting = f"{model.provider.upper().replace('-', '_')}_API_KEY"
        known = ", ".join(me.models)
        raise BadRequest(
            f"No provider named {model.provider} is set up here.",
            f"Models that can be used: {known}. For another vendor's set its key, such as {setting}, "
            "and start the server again.",
        )
    return model


def _title(prompt: str) -> str:
    first = next((line.strip() for line in prompt.splitlines() if line.strip()), "Untitled")
    return first if len(first) <= TITLE_LENGTH else first[: TITLE_LENGTH - 1].rstrip() + "…"
