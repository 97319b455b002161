"""What the routes work with, put together by the composition root."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Header, Request
from starlette.types import ASGIApp

from outrider.api.attempts import Attempts
from outrider.api.auth import Authenticator, Login
from outrider.api.push_hooks import PushHooks
from outrider.api.uploads import Uploads
from outrider.api.views import Me
from outrider.fleet.images.builds import Builds
from outrider.fleet.images.collection import Collector
from outrider.fleet.images.renewal import Renewal
from outrider.fleet.images.repository import RepositoryImages
from outrider.fleet.pool.pool import Pool
from outrider.model.attachment import MOST_ATTACHMENTS, Attachment, AttachmentRef, expect_few
from outrider.model.commands import Once, PersonCommand
from outrider.model.errors import BadRequest
from outrider.model.ids import PromptId, new_id
from outrider.model.limits import LimitUse, PromptLimits
from outrider.model.membership import House
from outrider.model.person import VIA_GUEST, Author, Person
from outrider.model.prompt import Prompt, check_prompt_text
from outrider.model.sandbox import SandboxInfo
from outrider.ports.attachments import Attachments
from outrider.ports.audit import Audit
from outrider.ports.clock import Clock
from outrider.ports.egress import EgressLists
from outrider.ports.forge import Forge
from outrider.ports.invites import Invites
from outrider.ports.search import SearchIndex
from outrider.ports.store import Blobs, SessionIndex
from outrider.session.meters import Meters
from outrider.session.quotas import Quotas
from outrider.session.registry import Registry
from outrider.session.spawning import Spawning


@dataclass(frozen=True)
class Parts:
    """The live parts of one deployment, as far as the API touches them."""

    clock: Clock
    house: House
    quotas: Quotas
    registry: Registry
    index: SessionIndex
    search: SearchIndex
    forge: Forge
    blobs: Blobs
    attachments: Attachments
    uploads: Uploads
    limits: PromptLimits
    limits_of: Callable[[Person], Awaitable[tuple[LimitUse, ...]]]
    """Every limit, and how much of it a person and all use."""
    audit: Audit
    egress: EgressLists
    builds: Builds
    images: RepositoryImages
    renewal: Renewal
    collector: Collector
    pool: Pool
    spawning: Spawning
    meters: Meters
    sandboxes: Callable[[], Awaitable[Sequence[SandboxInfo]]]
    """Those that really exist, whoever has them."""
    authenticator: Authenticator
    invites: Invites
    attempts: Attempts
    hooks: PushHooks
    backup: Callable[[bool, bool], AsyncIterator[bytes]]
    """The deployment as a tar: with snapshots, with secrets."""
    describe: Callable[[Person], Awaitable[Me]]
    """Who is logged in and what the deployment can do."""
    git_app: Callable[[Path], ASGIApp]
    """Serves one bare repository for reading."""
    address: Callable[[], str]
    """`http://HOST:PORT` as people reach this server."""


def _parts(request: Request) -> Parts:
    found = request.app.state.parts
    assert isinstance(found, Parts)
    return found


def _login(request: Request) -> Login:
    found = request.state.login
    assert isinstance(found, Login)
    return found


UseParts = Annotated[Parts, Depends(_parts)]
UseLogin = Annotated[Login, Depends(_login)]


UseKey = Annotated[
    str | None, Header(alias="idempotency-key", max_length=100, description="The same key again is the same request")
]


def once(key: str | None, command: PersonCommand) -> PersonCommand | Once:
    """The command, carried out once however often it is sent under this key."""
    return command if key is None else Once(key, command)


async def new_prompt(
    parts: Parts, author: Author, text: str, key: str | None, files: Sequence[AttachmentRef] = ()
) -> Prompt:
    """A prompt with an id of its own, its files looked up. Raises BadRequest, LimitReached, NotFound."""
    return Prompt(
        id=PromptId(new_id("p")),
        author=author,
        text=check_prompt_text(text, parts.limits.prompt_bytes),
        key=key,
        attachments=await find_files(parts, files),
    )


async def find_files(parts: Parts, files: Sequence[AttachmentRef]) -> tuple[Attachment, ...]:
    """What was uploaded before, each once. Raises LimitReached, NotFound."""
    found = {file.place: file for file in [await parts.attachments.find(ref) for ref in files[: MOST_ATTACHMENTS + 1]]}
    expect_few(len(found), parts.limits.attachments)
    return tuple(found.values())


def author_of(login: Login, named: Person | None) -> Person:
    """Who the author is: the caller, or who the owner's token names. Raises BadRequest where it may not name one."""
    if named is None:
        return login.person
    if not login.may_name_author:
        raise BadRequest("A login of a browser cannot name another author.", "Leave `author` out.")
    return named


def authored(login: Login, named: Person | None = None) -> Author:
    """The author of a prompt. Raises BadRequest as `author_of`."""
    person = author_of(login, named)
    return Author(person=person, via=VIA_GUEST) if login.account.guest else Author(person=person)
