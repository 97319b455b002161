"""The whole application over a `SessionWorld`: routes and feed as people reach them, with no socket in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import httpx
from starlette.types import ASGIApp

from outrider.api.attempts import Attempts
from outrider.api.auth import Authenticator
from outrider.api.parts import Parts
from outrider.api.server import build_server
from outrider.api.uploads import Uploads
from outrider.api.views import Me
from outrider.model.ids import SessionId
from outrider.model.limits import PromptLimits
from outrider.model.membership import Account, Role
from outrider.model.person import Person
from outrider.session.registry import Registry
from outrider.session.spawning import Spawning
from outrider.storage.blobs import DirectoryBlobs
from outrider.storage.catalog import open_catalog
from outrider.storage.catalog_copy import CATALOG
from outrider.testing.session_world import SessionWorld, running

TOKEN = "the-owners-token"
ADDRESS = "http://localhost:4100"
OWNER = Person(name="Olga", email="olga@example.org")


@dataclass
class FeedClient:
    """A client on a feed."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    closed: int | None = None
    """The code of the close."""
    up: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Any) -> None:
        """What the server says."""
        if message["type"] == "websocket.send":
            self.frames.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = message["code"]
        self.changed.set()

    def say(self, **frame: Any) -> None:
        """A frame of the client."""
        self.up.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    def leave(self) -> None:
        """The socket dies."""
        self.up.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait for so many frames of a kind; returns the newest."""
        while len(found := [frame for frame in self.frames if frame["kind"] == kind]) < count:
            self.changed.clear()
            await self.changed.wait()
        return found[-1]

    async def until_closed(self) -> int:
        """Wait for the server to close; returns the code."""
        while self.closed is None:
            self.changed.clear()
            await self.changed.wait()
        return self.closed


class ApiWorld:
    """A running application."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self.app = app
        self.parts = parts

    def client(self, token: str = "", cookie: str = "") -> httpx.AsyncClient:
        """A caller: with the owner's token, with a login, or a stranger."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        cookies = {"outrider_login": cookie} if cookie else {}
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers, cookies=cookies)

    async def log_in(self, person: Person, role: Role | None = None) -> str:
        """The cookie of somebody with a login."""
        return await self.parts.authenticator.log_in(Account(person=person, role=role))

    @asynccontextmanager
    async def feed(
        self, session: SessionId, cookie: str, after: int = 0, kind: str = "browser"
    ) -> AsyncIterator[FeedClient]:
        """Attached with a login, for as long as this lives."""
        client = FeedClient()
        scope = {
            "type": "websocket",
            "path": f"/api/sessions/{session}/feed",
            "raw_path": b"",
            "query_string": f"after={after}&client={kind}".encode(),
            "headers": [(b"host", b"localhost:4100"), (b"cookie", f"outrider_login={cookie}".encode())],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 4100),
            "scheme": "ws",
            "subprotocols": [],
            "root_path": "",
            "state": {},
        }
        client.up.put_nowait({"type": "websocket.connect"})
        async with asyncio.TaskGroup() as tasks:
            app = cast("Any", self.app)
            serving = tasks.create_task(app(scope, client.up.get, client.send))
            try:
                yield client
            finally:
                client.leave()
                await asyncio.wait([serving])


@asynccontextmanager
async def api_world(world: SessionWorld, registry: Registry | None = None) -> AsyncIterator[ApiWorld]:
    """The application, its sessions running."""
    registry = registry or world.registry()
    async with open_catalog(world.folder / CATALOG, world.clock) as catalog, running(registry):
        nothing = cast("Any", None)
        parts = Parts(
            clock=world.clock,
            house=world.house,
            quotas=world.quotas,
            registry=registry,
            index=world.index,
            search=world.search,
            forge=world.forge,
            blobs=DirectoryBlobs(world.folder / "blobs"),
            audit=catalog.audit,
            egress=catalog.egress,
            builds=nothing,
            images=nothing,
            renewal=nothing,
            pool=cast("Any", SimpleNamespace(hold=_hold)),
            spawning=Spawning(registry._world, world.policy),
            collector=nothing,
            meters=nothing,
            sandboxes=nothing,
            attachments=world.attachments,
            uploads=Uploads(),
            limits=PromptLimits(),
            limits_of=nothing,
            authenticator=Authenticator(OWNER, TOKEN, catalog.logins, world.clock),
            invites=catalog.invites,
            attempts=Attempts(world.clock),
            hooks=nothing,
            backup=nothing,
            describe=_describe,
            git_app=lambda path: nothing,
            address=lambda: ADDRESS,
        )
        yield ApiWorld(build_server(parts, ["localhost"]), parts)


async def _hold(*_: object) -> None:
    """No sandbox is warm."""


async def _describe(person: Person) -> Me:
    model = "rehearsal/demo"
    return Me(
        person=person,
        version="0",
        rehearsal=True,
        default_model=model,
        models=(model,),
        isolation=None,
        limit_tier=None,
    )
