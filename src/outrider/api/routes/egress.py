"""What sandboxes were let out to and refused, and which hosts people allow them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from outrider.api.access import expect_all, expect_to_work_anywhere, seen_of
from outrider.api.parts import Parts, UseLogin, UseParts
from outrider.api.views import Accepted
from outrider.model.base import Model
from outrider.model.commands import AllowHost, ForbidHost
from outrider.model.egress import DEFAULT_PRESETS, PRESET_HOSTS, EgressPreset, host_for_people
from outrider.model.errors import NotFound
from outrider.model.ids import SessionId
from outrider.model.person import Person
from outrider.session.decide.rights import expect_right

router = APIRouter(prefix="/api", tags=["egress"])

ALLOWING = "egress-allow"
"""The action in the audit log of a person who allows or forbids a host."""

HostText = Annotated[str, Field(min_length=1, max_length=260, description="example.com, .example.com or HOST:PORT")]


class Decision(Model):
    """One line of the audit log."""

    at: AwareDatetime
    owner: str
    action: str
    target: str
    allowed: bool
    why: str


class EgressLog(Model):
    """Decisions, newest first."""

    decisions: tuple[Decision, ...]


class NewHost(Model):
    """Allow a host to a session, or to every sandbox of its repository."""

    host: HostText
    scope: Literal["session", "repository"] = "session"


class NewRepositoryHost(Model):
    """Allow a host to every sandbox of a repository."""

    host: HostText


class ListedHost(Model):
    """A host on a repository's list."""

    host: str
    by: Person
    at: AwareDatetime


class RepositoryEgress(Model):
    """What sandboxes of a repository may reach. Its `outrider.toml` may name other presets."""

    presets: dict[EgressPreset, tuple[str, ...]]
    usual_presets: tuple[EgressPreset, ...]
    hosts: tuple[ListedHost, ...]


class SessionEgress(Model):
    """What people have allowed to the sandbox of a session, beside what every sandbox reaches."""

    hosts: tuple[str, ...] = Field(description="To this session alone")
    repository: str
    repository_hosts: tuple[str, ...] = Field(description="To every sandbox of its repository")


@router.get("/egress")
async def egress_log(
    parts: UseParts,
    login: UseLogin,
    owner: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> EgressLog:
    """What sandboxes asked to reach and what was decided, of one session, proof or image or of all."""
    if owner is None or not await seen_of(parts, login, [owner]):
        expect_all(parts, login)
    found = await parts.audit.recent(owner, limit)
    return EgressLog(decisions=tuple(Decision.model_validate(entry, from_attributes=True) for entry in found))


@router.post("/sessions/{session}/egress", status_code=202)
async def allow_host(parts: UseParts, login: UseLogin, session: SessionId, wanted: NewHost) -> Accepted:
    """Allow the session's sandbox a host, from its next connection on."""
    host = host_for_people(wanted.host)
    allow = AllowHost(host, login.person, wanted.scope)
    if wanted.scope == "repository":
        state = await parts.registry.state(session)
        expect_right(state, allow, login.caller)
        repository = state.created.repository.name
        await parts.egress.allow(repository, host, login.person)
        await _record(parts, repository, host, login.person, allowed=True)
    seq = await parts.registry.ask(session, allow, login.caller)
    if wanted.scope == "session":
        await _record(parts, session, host, login.person, allowed=True)
    return Accepted(seq=seq)


@router.get("/sessions/{session}/egress")
async def session_egress(parts: UseParts, session: SessionId) -> SessionEgress:
    """What people have allowed to the session's sandbox, and to all of its repository."""
    state = await parts.registry.state(session)
    listed = await parts.egress.list(state.created.repository.name)
    return SessionEgress(
        hosts=state.allowed_hosts,
        repository=state.created.repository.name,
        repository_hosts=tuple(entry.host for entry in listed),
    )


@router.delete("/sessions/{session}/egress/{host}", status_code=202)
async def forbid_host(
    parts: UseParts,
    login: UseLogin,
    session: SessionId,
    host: str,
    scope: Literal["session", "repository"] = "session",
) -> Accepted:
    """Take a host back from the session, or from its repository, from the next connection on."""
    host = host_for_people(host)
    forbid = ForbidHost(host, login.person, scope)
    if scope == "repository":
        state = await parts.registry.state(session)
        expect_right(state, forbid, login.caller)
        await _take_off(parts, state.created.repository.name, host, login.person)
    seq = await parts.registry.ask(session, forbid, login.caller)
    if scope == "session":
        await _record(parts, session, host, login.person, allowed=False)
    return Accepted(seq=seq)


@router.get("/repositories/{repository}/egress")
async def repository_egress(parts: UseParts, repository: str) -> RepositoryEgress:
    """What people have allowed to the sandboxes of a repository."""
    await _expect(parts, repository)
    hosts = tuple(
        ListedHost.model_validate(entry, from_attributes=True) for entry in await parts.egress.list(repository)
    )
    return RepositoryEgress(presets=dict(PRESET_HOSTS), usual_presets=DEFAULT_PRESETS, hosts=hosts)


@router.post("/repositories/{repository}/egress", status_code=204)
async def allow_repository_host(parts: UseParts, login: UseLogin, repository: str, wanted: NewRepositoryHost) -> None:
    """Allow every sandbox of a repository a host, from the next connection on."""
    expect_to_work_anywhere(parts, login)
    await _expect(parts, repository)
    host = host_for_people(wanted.host)
    await parts.egress.allow(repository, host, login.person)
    await _record(parts, repository, host, login.person, allowed=True)


@router.delete("/repositories/{repository}/egress/{host}", status_code=204)
async def forbid_repository_host(parts: UseParts, login: UseLogin, repository: str, host: str) -> None:
    """Take a host off a repository's list, from the next connection on."""
    expect_to_work_anywhere(parts, login)
    await _expect(parts, repository)
    await _take_off(parts, repository, host_for_people(host), login.person)


async def _take_off(parts: Parts, repository: str, host: str, by: Person) -> None:
    if not await parts.egress.forbid(repository, host):
        raise NotFound(f"{host} is not on the list of {repository}.", f"See: outrider egress list --repo {repository}")
    await _record(parts, repository, host, by, allowed=False)


async def _expect(parts: Parts, repository: str) -> None:
    if all(known.name != repository for known in await parts.forge.repositories()):
        raise NotFound(f"There is no repository {repository[:100]}.", "Its name is in `outrider sessions`.")


async def _record(parts: Parts, owner: str, host: str, by: Person, *, allowed: bool) -> None:
    await parts.audit.record(owner, ALLOWING, host, allowed=allowed, why=f"by {by.name} <{by.email}>")
