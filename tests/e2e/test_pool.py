"""A session from the pool: the real sandbox, the real engine, primed while it was nobody's."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from outrider.ports.clock import SystemClock
from tests.e2e.conftest import SCRIPTS
from tests.e2e.deployment import TURN_SECONDS, Deployment, make_repository

GRACE = {"name": "Grace Hopper", "email": "grace@example.com"}
MODEL = "rehearsal/demo"
FIGURES = (
    "outrider_pool_hits_total 1.0",
    'outrider_start_seconds_count{how="warm"} 1.0',
    f'outrider_model_calls_total{{model="{MODEL}"}} 3.0',
    'outrider_sandboxes{purpose="session",running="true"} 1.0',
)


async def until(client: httpx.AsyncClient, path: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(TURN_SECONDS):
        while not reached(answer := (await client.get(path)).json()):
            await SystemClock().sleep(0.1)
    return dict(answer)


async def expect_figures(client: httpx.AsyncClient) -> None:
    assert set(FIGURES) <= set((await client.get("/metrics")).text.splitlines())
    assert (await client.get("/metrics", headers={"authorization": "Bearer nobody"})).status_code == 401


def _of(told: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in told if event["type"] == kind]


async def test_a_session_from_the_pool_is_all_its_own(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    repository = await asyncio.to_thread(make_repository, tmp_path / "shop")
    deployment = make_deployment(OUTRIDER_REHEARSAL_SCRIPTS=str(SCRIPTS), OUTRIDER_IMAGE_BUILDS="1")
    await deployment.start()
    wanted = {"repository": "shop", "model": MODEL, "author": GRACE}
    async with deployment.client() as client:
        asked = (await client.post("/api/images/builds", json={"repository": str(repository)})).json()
        build = f"/api/images/builds/{asked['build']['id']}"
        assert (await until(client, build, lambda told: told["build"]["state"] == "done")) is not None
        held = (await client.post("/api/warm", json=wanted)).json()
        assert (held["held"], held["ready"]) == (True, False)
        report = await until(client, "/api/pool", lambda pool: bool(pool["counts"]["started"]))
        assert report["sandboxes"][0]["held_for"] == GRACE["email"]
        prompt = {"prompt": "Commit it and open a pull request."}
        session = (await client.post("/api/sessions", json={**wanted, **prompt})).json()["session"]
        async with deployment.feed(session) as feed:
            await feed.until("turn_ended")
            told = [recorded["event"] for recorded in feed.events]
        pull = (await client.get("/api/pull-requests")).json()["pull_requests"][0]
        page = (await client.get(f"/api/pull-requests/shop/{pull['number']}")).json()
        assert (await client.get("/api/pool")).json()["counts"]["hits"] == 1
        await expect_figures(client)

    of = partial(_of, told)
    assert [(event["how"], event["handle"]["id"]) for event in of("sandbox_ready")] == [
        ("warm", report["sandboxes"][0]["id"])
    ]
    assert [event["how"] for event in of("engine_attached")] == ["new"]
    assert pull["title"] == "Add a file"
    assert pull["session"] == session
    assert [commit["author"] for commit in page["commits"]] == [GRACE]
    assert "Say that you are ready" not in str(told)
    assert "Ready." not in str(told)
    assert len(of("usage_recorded")) == 3, "one call for each step of the script, none of the primer's"
