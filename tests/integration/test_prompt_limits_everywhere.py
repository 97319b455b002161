"""A prompt that is too long is refused by every way in: routes, frames, tools, the registry."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from outrider.api.server import build_api
from outrider.model.errors import LimitReached
from outrider.model.feed import CLIENT_FRAME
from outrider.model.ids import SessionId
from outrider.model.limits import PromptLimits, QueueRules
from outrider.model.person import Person
from outrider.ports.tools import ChildWanted
from outrider.session.registry import Registry
from outrider.testing.api_world import OWNER, api_world
from outrider.testing.fake_engine import FakeEngine, hang, say
from outrider.testing.playbook import ADA
from outrider.testing.session_world import SessionWorld, new_prompt, new_session, until
from outrider.tools.offers import OFFERS
from tests.integration.api_world import serving

MOST = 40
LONG = "x" * (MOST + 1)
TOLD = f"The prompt is {MOST + 1} bytes long; {MOST} is the most."
WHO = "can raise OUTRIDER_LIMIT_PROMPT_BYTES."

ROUTES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/api/sessions"): {"repository": "demo", "prompt": LONG},
    ("post", "/api/sessions/{session}/prompts"): {"text": LONG},
    ("patch", "/api/sessions/{session}/prompts/{prompt}"): {"text": LONG, "revision": 1},
    ("post", "/api/sessions/{session}/children"): {"prompt": LONG},
    ("post", "/api/sessions/{session}/children/{child}/prompts"): {"text": LONG},
}
FRAMES: dict[str, dict[str, Any]] = {"prompt": {"text": LONG}, "edit": {"text": LONG, "revision": 1}}
TOOLS = {"spawn_session", "send_to_session"}


@pytest.fixture
async def world(tmp_path: Path) -> SessionWorld:
    """Its registry knows the limit, and the doors of its API do not."""
    world = SessionWorld(tmp_path, FakeEngine({"lead": [hang()], "": [say("Done.")]}))
    world.policy = replace(world.policy, queue=QueueRules(prompt=PromptLimits(prompt_bytes=MOST)))
    await world.begin()
    return world


def test_every_way_in_is_in_the_tables() -> None:
    api = build_api(cast("Any", None)).openapi()
    carrying = set()
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            schema = api["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
            if {"prompt", "text"} & set(schema.get("properties", ())):
                carrying.add((method, path))
    assert carrying == set(ROUTES)
    frames = CLIENT_FRAME.json_schema()["$defs"].values()
    texts = {frame["properties"]["kind"]["const"] for frame in frames if "text" in frame.get("properties", ())}
    assert texts == set(FRAMES)
    assert {name for name, offer in OFFERS.items() if "prompt" in offer.tool.inputSchema["properties"]} == TOOLS


async def leading(world: SessionWorld, registry: Registry, by: Person = ADA) -> SessionId:
    """A session whose engine is at work."""
    repository = await world.forge.find(str(world.source.folder), lambda line: None)
    new = replace(new_session(repository, world.source.head(), "lead"), prompt=new_prompt("lead", by))
    session = await registry.create(new)
    await until(registry, session, lambda state: state.turn is not None and state.turn.handed)
    return session


async def test_every_route(world: SessionWorld) -> None:
    async with serving(world) as server:
        session = await leading(world, server.registry)
        path = f"/api/sessions/{session}"
        prompt = (await server.client.post(f"{path}/prompts", json={"text": "short"})).json()["prompt"]
        child = (await server.client.post(f"{path}/children", json={"prompt": "short"})).json()["session"]
        for (method, route), body in ROUTES.items():
            url = route.format(session=session, prompt=prompt, child=child)
            answer = await server.client.request(method, url, json=body)
            assert (answer.status_code, answer.json()["sentence"]) == (413, TOLD), route
            assert WHO in answer.json()["remedy"], route


async def test_every_frame(world: SessionWorld) -> None:
    async with api_world(world) as api:
        session = await leading(world, api.parts.registry, OWNER)
        async with api.feed(session, await api.log_in(OWNER)) as client:
            client.say(kind="prompt", ref="1", text="short")
            prompt = (await client.until("accepted"))["prompt"]
            for number, (kind, frame) in enumerate(FRAMES.items(), start=1):
                client.say(kind=kind, ref=kind, **frame, **({"prompt": prompt} if kind == "edit" else {}))
                refused = await client.until("refused", number)
                assert (refused["ref"], refused["sentence"], WHO in refused["remedy"]) == (kind, TOLD, True)


async def test_every_tool(world: SessionWorld) -> None:
    async with serving(world) as server:
        session = await leading(world, server.registry)
        tools = next(spec.tools for spec in reversed(world.broker.doors) if spec.owner == session)
        assert tools is not None
        child = (await tools.spawn_session(ChildWanted("short"))).split()[2]
        calls = {"spawn_session": {"prompt": LONG}, "send_to_session": {"session": child, "prompt": LONG}}
        assert set(calls) == TOOLS
        for name, arguments in calls.items():
            with pytest.raises(LimitReached, match=TOLD) as refused:
                await OFFERS[name].call(tools, arguments)
            assert WHO in refused.value.remedy


async def test_the_registry_itself(world: SessionWorld) -> None:
    async with serving(world) as server:
        repository = await world.forge.find(str(world.source.folder), lambda line: None)
        with pytest.raises(LimitReached, match=TOLD):
            await server.registry.create(new_session(repository, world.source.head(), LONG))
        assert await world.index.list(limit=9) == []
