"""The routes behind the gate, over a world without walls: what a client sees of a registry."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx

from outrider.api.auth import Authenticator
from outrider.api.parts import Parts
from outrider.api.server import build_server
from outrider.api.uploads import Uploads
from outrider.api.views import Me
from outrider.app.limits import of_machine, report
from outrider.model.limits import LimitUse, PromptLimits, WorkLimits
from outrider.model.membership import Account
from outrider.model.person import Person
from outrider.session.registry import Registry
from outrider.session.spawning import Spawning
from outrider.session.turn_slots import TurnSlots
from outrider.settings import Settings
from outrider.testing.memory_logins import MemoryLogins
from outrider.testing.memory_store import MemoryBlobs
from outrider.testing.playbook import ADA
from outrider.testing.session_world import SessionWorld, running

TOKEN = "the-owners-token-of-a-test"


@dataclass(frozen=True)
class Server:
    """A running server and its owner's client."""

    registry: Registry
    client: httpx.AsyncClient
    authenticator: Authenticator
    app: Any

    @asynccontextmanager
    async def browser(self, person: Person) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who has followed a login link."""
        login = await self.authenticator.log_in(Account(person=person))
        async with _client(self.app) as client:
            client.cookies.set("outrider_login", str(login))
            yield client


@asynccontextmanager
async def serving(world: SessionWorld, **parts: Any) -> AsyncIterator[Server]:
    """Serve a world to Ada, who owns it. What a test does not name is not there."""
    async with running(world.registry()) as registry:
        authenticator = Authenticator(ADA, TOKEN, MemoryLogins(), world.clock)
        given: dict[str, Any] = dict.fromkeys(Parts.__dataclass_fields__)
        given |= {"clock": world.clock, "house": world.house, "quotas": world.quotas}
        given |= {"registry": registry, "index": world.index, "search": world.search, "forge": world.forge}
        given |= {"blobs": MemoryBlobs(), "authenticator": authenticator, "address": lambda: "http://localhost"}
        given |= {"attachments": world.attachments, "uploads": Uploads(), "limits": PromptLimits()}
        given |= {"spawning": Spawning(registry._world, world.policy)}
        given |= {"describe": _describe, "limits_of": lambda person: _limits(world, person)}
        app = build_server(cast("Parts", Parts(**given | parts)), ["localhost"])
        async with _client(app) as client:
            client.headers["authorization"] = f"Bearer {TOKEN}"
            yield Server(registry, client, authenticator, app)


async def _limits(world: SessionWorld, person: Person) -> tuple[LimitUse, ...]:
    machine = of_machine(Settings(home=world.folder))
    return await report(world.limits, machine, world.quotas, TurnSlots(WorkLimits()), person)


async def _describe(person: Person) -> Me:
    return Me(
        person=person,
        version="0",
        rehearsal=True,
        default_model="rehearsal/demo",
        models=("rehearsal/demo",),
        isolation=None,
        limit_tier=None,
    )


def _client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")
