"""Child sessions: start one, send it more, wait for what comes of them, and the tree that they stand in."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query

from outrider.api.access import expect_may_start, role_with
from outrider.api.child_views import ChildList, ChildView, NewChild, NewChildPrompt, SessionTree, TreeNode
from outrider.api.parts import UseLogin, UseParts, author_of
from outrider.api.views import PromptAccepted, SessionStarted, SessionSummary
from outrider.model.ids import SessionId
from outrider.ports.tools import ChildWanted
from outrider.session.family import root_of
from outrider.session.family_state import open_children
from outrider.session.projection import row
from outrider.session.spawning import Asker
from outrider.session.state import State

router = APIRouter(prefix="/api/sessions", tags=["child sessions"])


@router.get("/{session}/tree")
async def tree(parts: UseParts, login: UseLogin, session: SessionId) -> SessionTree:
    """The session with all that belong with it: from the one that nobody's session started, parents first."""
    state = await parts.registry.state(session)
    members = await parts.spawning.family.members(root_of(state))
    return SessionTree(
        sessions=tuple(_node(member) for member in members if role_with(parts, login, member.session, member.members))
    )


@router.get("/{session}/children")
async def children(
    parts: UseParts,
    session: SessionId,
    wait: Annotated[float, Query(ge=0, le=600, description="Seconds to wait for all of them to rest")] = 0,
) -> ChildList:
    """The sessions that it started, and what came of each. `working` says that some are still at work."""
    state = await parts.registry.state(session)
    if wait and open_children(state.children):
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await parts.spawning.family.until(session, lambda state: not open_children(state.children))
        state = await parts.registry.state(session)
    views = tuple(ChildView.of(child) for child in state.children.values())
    return ChildList(working=bool(open_children(state.children)), children=views)


@router.post("/{session}/children", status_code=201)
async def spawn(parts: UseParts, login: UseLogin, session: SessionId, wanted: NewChild) -> SessionStarted:
    """Start a child of the session, within the limits of its tree. The same key again is the same child."""
    expect_may_start(login)
    by = Asker(author_of(login, wanted.author), caller=login.caller)
    asked = ChildWanted(wanted.prompt, wanted.repository, wanted.branch, wanted.model, wanted.title, wanted.key)
    return SessionStarted(session=await parts.spawning.spawn(session, asked, by))


@router.post("/{session}/children/{child}/prompts", status_code=202)
async def send(
    parts: UseParts, login: UseLogin, session: SessionId, child: SessionId, wanted: NewChildPrompt
) -> PromptAccepted:
    """Send a child another prompt in its parent's name, so that the parent hears what comes of it."""
    by = Asker(author_of(login, wanted.author), caller=login.caller)
    prompt = await parts.spawning.send(session, child, wanted.text, wanted.key, by)
    return PromptAccepted(prompt=prompt, seq=(await parts.registry.state(session)).seq)


def _node(state: State) -> TreeNode:
    """A session in its place."""
    parent = state.created.parent
    depth = parent.depth if parent else 0
    return TreeNode(**SessionSummary.model_validate(row(state)).model_dump(), depth=depth)
