"""Push webhooks on the whole application: a code host's request comes in, and a build waits."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from outrider.api.attempts import MOST, Attempts
from outrider.api.push_hooks import PushHooks
from outrider.api.signed import LONGEST_BODY_BYTES
from outrider.fleet.images.builds import Builds
from outrider.fleet.images.pushes import WAITING_LIMIT, Pushes
from outrider.fleet.images.schedule import NO_IMAGE, PUSHED
from outrider.integrations.github.pushes import GithubPushes
from outrider.integrations.gitlab.pushes import GitlabPushes
from outrider.model.image import BuildState
from outrider.ports.forge import unheard
from outrider.testing.image_world import ImageWorld, over, working
from outrider.testing.manual_clock import ManualClock
from tests.code_host import code_host
from tests.integration.api_world import Server, serving

SECRET = "a-secret-of-sixteen-characters"
HOOK = "/api/hooks/push"


class Host:
    """A code host with one repository, as its owner pushes to it and as it tells of that."""

    def __init__(self, world: ImageWorld, folder: Path, address: str) -> None:
        self.world = world
        self.url = f"{address}/acme/shop.git"
        world.source.git("clone", "--quiet", "--bare", ".", str(folder / "acme" / "shop.git"))
        world.source.git("remote", "add", "host", str(folder / "acme" / "shop.git"))
        self.bare = folder / "acme" / "shop.git"
        self.push()

    def push(self) -> None:
        self.world.source.git("push", "--quiet", "host", "main")
        self.world.source.git("-C", str(self.bare), "update-server-info")

    def payload(self, **fields: Any) -> bytes:
        repository = {
            "id": 35129377,
            "name": "shop",
            "full_name": "acme/shop",
            "html_url": self.url.removesuffix(".git"),
            "clone_url": self.url,
            "ssh_url": "git@code.example:acme/shop.git",
            "default_branch": "main",
        }
        whole = {
            "ref": "refs/heads/main",
            "before": "0" * 40,
            "after": self.world.source.head(),
            "created": False,
            "deleted": False,
            "forced": False,
            "commits": [],
            "pusher": {"name": "grace", "email": "grace@example.org"},
            "repository": repository,
        }
        return json.dumps({**whole, **fields}).encode()


def signed(body: bytes, event: str = "push") -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "x-github-event": event,
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": f"sha256={digest}",
        "content-type": "application/json",
    }


@asynccontextmanager
async def listening(
    world: ImageWorld, builds: Builds, secret: str = SECRET
) -> AsyncIterator[tuple[Server, httpx.AsyncClient, Pushes]]:
    """The application, and a stranger who calls it."""
    pushes = Pushes(world.sessions.forge, world.schedule(builds))
    attempts = Attempts(ManualClock(), "signatures that do not fit")
    hooks = PushHooks(secret, (GithubPushes(), GitlabPushes()), attempts, pushes.take)
    async with serving(world.sessions, hooks=hooks) as server:
        transport = httpx.ASGITransport(server.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as stranger:
            yield server, stranger, pushes


@pytest.fixture
async def world(tmp_path: Path) -> ImageWorld:
    world = ImageWorld(tmp_path)
    await world.begin()
    return world


async def test_a_push_to_a_code_host_builds_the_image_once(world: ImageWorld, tmp_path: Path) -> None:
    builds = world.builds()
    with code_host(tmp_path / "host") as address:
        host = Host(world, tmp_path / "host", address)
        await world.sessions.forge.find(host.url, unheard)
        world.worked_on = {("shop", "main")}
        async with listening(world, builds) as (_, stranger, pushes), working(builds):
            first = await _pushed(host, stranger, pushes, builds)
            assert first.why == NO_IMAGE
            host.world.source.commit("Another sum.", {"sum.txt": "1\n", "more.txt": "more\n"})
            host.push()
            await world.sessions.forge.find("demo", unheard)  # the mirror that fake sandboxes' git fetches from
            second = await _pushed(host, stranger, pushes, builds)
            assert (second.why, second.commit) == (PUSHED, world.source.head())
            again = await stranger.post(HOOK, content=host.payload(), headers=signed(host.payload()))
            assert again.status_code == 202
            await pushes.work_off()
            assert len(await world.catalog.builds(limit=10)) == 2


async def _pushed(host: Host, stranger: httpx.AsyncClient, pushes: Pushes, builds: Builds) -> Any:
    body = host.payload()
    answer = await stranger.post(HOOK, content=body, headers=signed(body))
    assert answer.status_code == 202
    assert answer.json() == {"sentence": "main of shop is looked at.", "repositories": ["shop"]}
    await pushes.work_off()
    newest = (await host.world.catalog.builds(limit=1))[0]
    built, _ = await over(builds, newest.id)
    assert built.state is BuildState.DONE
    return built


async def test_what_is_not_set_up_or_not_signed_is_refused(world: ImageWorld, tmp_path: Path) -> None:
    body = b'{"zen": "Keep it logically awesome.", "hook_id": 1}'
    async with listening(world, world.builds(), secret="") as (_, stranger, _pushes):
        answer = await stranger.post(HOOK, content=body, headers=signed(body, "ping"))
        assert (answer.status_code, answer.json()["sentence"]) == (409, "Push webhooks are not set up here.")
    async with listening(world, world.builds()) as (server, stranger, _pushes):
        for headers in ({}, {"x-github-event": "ping"}, {**signed(b"other", "ping")}):
            answer = await stranger.post(HOOK, content=body, headers=headers)
            assert answer.status_code == (403 if headers else 422)
        # The owner's own login is no signature.
        assert (await server.client.post(HOOK, content=body, headers={"x-github-event": "ping"})).status_code == 403
        wrong = [await stranger.post(HOOK, content=body, headers=signed(b"other")) for _ in range(MOST)]
        assert wrong[-1].status_code == 429
        assert "signatures that do not fit" in wrong[-1].text
        right = await stranger.post(HOOK, content=body, headers=signed(body, "ping"))
        assert (right.status_code, right.json()["repositories"]) == (202, [])
        # Nothing else of a webhook's opens another door.
        assert (await stranger.get("/api/images", headers=signed(b""))).status_code == 401
        assert (await stranger.post(f"{HOOK}/x", content=body, headers=signed(body))).status_code == 401


async def test_what_leads_to_no_build_says_so(world: ImageWorld, tmp_path: Path) -> None:
    with code_host(tmp_path / "host") as address:
        host = Host(world, tmp_path / "host", address)
        async with listening(world, world.builds()) as (_, stranger, pushes):

            async def told(body: bytes) -> dict[str, Any]:
                answer = await stranger.post(HOOK, content=body, headers=signed(body))
                assert answer.status_code == 202
                found: dict[str, Any] = answer.json()
                return found

            assert "No repository here" in (await told(host.payload()))["sentence"]
            await world.sessions.forge.find(host.url, unheard)
            assert "Nothing to build" in (await told(host.payload(ref="refs/tags/v1")))["sentence"]
            assert "Nothing to build" in (await told(host.payload(deleted=True, after="0" * 40)))["sentence"]
            await told(host.payload())
            await pushes.work_off()  # nobody has worked on it
            assert await world.catalog.builds(limit=10) == []


async def test_too_much_is_refused_before_it_is_read(world: ImageWorld, tmp_path: Path) -> None:
    async with listening(world, world.builds()) as (_, stranger, pushes):
        long = b" " * (LONGEST_BODY_BYTES + 1)
        assert (await stranger.post(HOOK, content=long, headers=signed(long))).status_code == 413
        with code_host(tmp_path / "host") as address:
            host = Host(world, tmp_path / "host", address)
            await world.sessions.forge.find(host.url, unheard)
            bodies = [host.payload(ref=f"refs/heads/b{number}") for number in range(WAITING_LIMIT + 1)]
            statuses = [(await stranger.post(HOOK, content=body, headers=signed(body))).status_code for body in bodies]
        assert set(statuses[:-1]) == {202}
        assert statuses[-1] == 429
        body = bodies[0]  # one that waits already is no more work
        assert (await stranger.post(HOOK, content=body, headers=signed(body))).status_code == 202
        await pushes.work_off()
