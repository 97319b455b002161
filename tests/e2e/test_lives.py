"""What outlives what: the server is killed, the engine is killed, a person says stop."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from outrider.ports.clock import SystemClock
from outrider.rehearsal.demo import DEMO_PROMPT, write_demo_repository
from outrider.sandboxes.docker.provider import DockerProvider
from tests.conftest import DOCKER
from tests.e2e.deaths import KINDS, Deaths, children, kinds
from tests.e2e.deployment import TURN_SECONDS, Deployment, Feed, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

SCRIPTS = Path(__file__).parent / "scripts"
MARK = "4242"
"""Stands in the command line of everything that the stopped turn started."""
CHECK_MARK = "4243"
"""The same for a check."""
LEAVE = (
    f"nohup sleep {CHECK_MARK} >/dev/null 2>&1 & setsid sleep {CHECK_MARK} & "
    f"(trap '' TERM HUP INT; sleep {CHECK_MARK}) & "
    f"python3 -c 'import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); "
    f"time.sleep({CHECK_MARK})'; sleep {CHECK_MARK}"
)
STOP_SECONDS = 3
"""From when the stop is stored until the kernel says that the last process is dead."""


@pytest.fixture
def bakery(tmp_path: Path) -> Path:
    """The demo repository."""
    repository = tmp_path / "bakery"
    write_demo_repository(repository)
    return repository


async def until(condition: Callable[[], bool]) -> None:
    """Nobody tells us when a process of a sandbox begins: look again and again."""
    async with asyncio.timeout(TURN_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def processes() -> list[str]:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


async def stop_within_bounds(feed: Feed, mark: str) -> dict[str, Any]:
    """Stop the turn when everything is there that may outlive it. The end of the turn."""
    await until(lambda: kinds(children(mark)) >= KINDS)
    deaths = Deaths(children(mark))
    await feed.send("stop", ref="s")
    ended = await feed.until("turn_ended")
    assert await asyncio.to_thread(deaths.join, STOP_SECONDS) == []
    assert children(mark) == []
    [asked] = [recorded["at"] for recorded in feed.events if recorded["event"]["type"] == "stop_requested"]
    assert deaths.last - datetime.fromisoformat(asked).timestamp() <= STOP_SECONDS
    assert ended["reason"] == "stopped"
    return ended


def of_type(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [recorded["event"] for recorded in events if recorded["event"]["type"] == kind]


async def test_a_killed_server_goes_on_where_it_was(deployment: Deployment, bakery: Path) -> None:
    session = await deployment.begin(bakery, DEMO_PROMPT)
    async with deployment.feed(session) as feed:
        await feed.until("prompt_handed")
        await feed.until("tool_call_changed")
        before = feed.events
    runtime = (deployment.home.path / "runtime").readlink()
    await deployment.stop(signal.SIGKILL)

    await deployment.start()
    assert not runtime.exists()
    async with deployment.feed(session) as feed:
        interrupted = await feed.until("turn_interrupted")
        assert interrupted["attempt"] == 1
        assert "server" in interrupted["reason"].lower()
        await feed.until("prompt_handed", attempt=2)
        assert (await feed.until("turn_ended"))["reason"] == "completed"
        assert feed.events[: len(before)] == before
        assert feed.numbers == list(range(1, len(feed.numbers) + 1))
        assert of_type(feed.events, "proof_finished")[-1]["proof"]["verdict"] == "fix_proved"
        assert {event["pull_request"]["number"] for event in of_type(feed.events, "pull_request_opened")} == {1}
        assert len(of_type(feed.events, "prompt_queued")) == 1


@pytest.fixture(params=["namespaces", "docker"])
def docker_socket(request: pytest.FixtureRequest) -> Path | None:
    """Of a daemon that has what sandboxes are made of; None where they are no containers."""
    if request.param == "namespaces":
        return None
    for layer in ("docker_base", "docker_toolbox"):
        request.getfixturevalue(layer)
    daemon: Path = request.getfixturevalue("daemon")
    return daemon


@pytest_asyncio.fixture
async def leaving(docker_socket: Path | None, make_deployment: Callable[..., Deployment]) -> AsyncIterator[Deployment]:
    """A deployment on each provider, whose model leaves processes behind."""
    variables = {"OUTRIDER_REHEARSAL_SCRIPTS": str(SCRIPTS)}
    if docker_socket is None:
        yield make_deployment(**variables, OUTRIDER_SANDBOX="namespaces")
        return
    made = make_deployment(**variables, OUTRIDER_SANDBOX="docker", DOCKER_HOST=f"unix://{docker_socket}")
    (made.home.path / "docker").symlink_to(DOCKER / "state")
    yield made
    await made.stop()
    provider = DockerProvider(DOCKER / "state", SystemClock(), socket=docker_socket)
    for info in await provider.list({}):
        await provider.destroy(info.handle)


async def test_stop_leaves_no_process_of_the_turn(leaving: Deployment, bakery: Path) -> None:
    await leaving.start()
    session = await leaving.begin(bakery, "Leave processes behind.")
    async with leaving.feed(session) as feed:
        ended = await stop_within_bounds(feed, MARK)
        assert (ended["kept"]["commits"], ended["kept"]["files"]) == (1, ["rest.txt"])
        assert "pushed to" in ended["message"]

        await feed.send("prompt", ref="p", text="Only talk.")
        assert (await feed.until("turn_ended"))["reason"] == "completed"
        assert len(of_type(feed.events, "engine_attached")) == 1, "an engine that obeys is not started again"


async def test_stop_in_a_check_leaves_no_process_of_it(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = make_deployment(OUTRIDER_REHEARSAL_SCRIPTS=str(SCRIPTS))
    await deployment.start()
    recipe = f'[[checks]]\nname = "long"\ncommand = """{LEAVE}"""\n'
    session = await deployment.begin(make_repository(tmp_path / "long", **{"outrider.toml": recipe}), "Commit a file.")
    async with deployment.feed(session) as feed:
        await feed.until("check_started")
        ended = await stop_within_bounds(feed, CHECK_MARK)
    assert ended["kept"]["commits"] == 1


async def test_a_server_that_is_told_to_end_leaves_nothing_running(deployment: Deployment, bakery: Path) -> None:
    session = await deployment.begin(bakery, DEMO_PROMPT)
    async with deployment.feed(session) as feed:
        await feed.until("tool_call_changed")
    done = await deployment.run_cli("down")
    assert done.code == 0, done.err
    assert deployment.home.running() is None
    assert [line for line in processes() if str(deployment.home.path) in line] == []
