"""Images of repositories in a whole deployment: built in real sandboxes, followed, cancelled, killed."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outrider.fleet.clean import PURPOSE_LABEL
from outrider.rehearsal.demo import write_demo_repository
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from tests.e2e.deployment import Deployment, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

RECIPE = """
setup = ["echo set up >>done.txt", "true"]
[[checks]]
name = "tests"
command = "grep -q plain README.md"
[[checks]]
name = "lint"
command = "no-such-linter README.md"
"""
HANGS = 'setup = ["echo begun; sleep 956"]\n'


@pytest.fixture(scope="module")
def shared_variables(shared_variables: dict[str, str]) -> dict[str, str]:
    """Images are built."""
    return {**shared_variables, "OUTRIDER_IMAGE_BUILDS": "1"}


def commit(repository: Path, **files: str) -> None:
    for name, text in files.items():
        (repository / name.replace("_", ".")).write_text(text)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for command in (("add", "."), (*identity, "commit", "-qm", "Go on")):
        subprocess.run(["git", "-C", str(repository), *command], check=True)


async def image_of(deployment: Deployment, repository: str) -> dict[str, Any]:
    """What is known of a repository's image and its last build."""
    rows = (await deployment.run_cli("images", "--json")).lines
    (row,) = [row for row in rows if (row["image"] or row["build"])["repository"] == repository]
    return dict(row)


async def test_an_image_is_built_and_rebuilt_and_a_failed_build_keeps_it(
    shared_deployment: Deployment, tmp_path: Path
) -> None:
    deployment = shared_deployment
    shop = make_repository(tmp_path / "shop", **{"outrider.toml": RECIPE, ".gitignore": "done.txt\n"})
    assert (await deployment.run_cli("doctor", "--repo", str(shop))).code == 1
    done = await deployment.run_cli("images", "build", str(shop))
    assert done.code == 0, done.out + done.err + deployment.log()
    assert "==> Setting up: echo set up >>done.txt" in done.out.splitlines()
    assert "Red before anybody touched it: lint. Not found: no-such-linter." in done.said
    first = await image_of(deployment, "shop")
    assert first["image"]["branch"] == "main"
    assert first["image"]["bytes"] > 1000
    await what_was_red_before_is_told(deployment, shop)

    commit(shop, README_md="Still plain.\n")
    assert (await deployment.run_cli("images", "build", str(shop))).code == 0
    second = await image_of(deployment, "shop")
    assert second["image"]["layers"][:-1] == first["image"]["layers"]
    assert second["image"]["commit"] != first["image"]["commit"]

    commit(shop, outrider_toml='setup = ["exit 7"]\n')
    failed = await deployment.run_cli("images", "build", str(shop))
    assert failed.code == 1
    assert "ended with exit code 7" in failed.said
    third = await image_of(deployment, "shop")
    assert (third["image"], third["build"]["state"]) == (second["image"], "failed")
    assert "shop" in (await deployment.run_cli("images")).out


async def what_was_red_before_is_told(deployment: Deployment, shop: Path) -> None:
    """By the doctor, and to a session on the image."""
    doctor = await deployment.run_cli("doctor", "--repo", str(shop))
    assert doctor.code == 1
    assert "lint was red before anybody touched it." in doctor.said
    assert "no-such-linter was not found" in doctor.said
    session = await deployment.begin(shop, "Anything")
    async with deployment.feed(session) as feed:
        problem = await feed.until("problem_reported")
        assert (await feed.until("sandbox_ready"))["how"] == "image"
    assert "Red before anybody touched it: lint. Not found: no-such-linter." in problem["sentence"]
    assert problem["remedy"] == "See: outrider doctor --repo shop"


async def test_a_cancelled_build_leaves_nothing(
    shared_deployment: Deployment, tmp_path: Path, namespaces_provider: NamespaceProvider
) -> None:
    build = await begun(shared_deployment, make_repository(tmp_path / "mill", **{"outrider.toml": HANGS}))
    assert (await shared_deployment.run_cli("images", "cancel", build)).out == "Cancelled.\n"
    ended = (await shared_deployment.run_cli("images", "log", build, "--json")).lines[-1]
    assert ended["build"]["state"] == "cancelled"
    assert [info.labels for info in await namespaces_provider.list({}) if PURPOSE_LABEL in info.labels] == []
    again = await shared_deployment.run_cli("images", "cancel", build)
    assert (again.code, again.err) == (1, f"The build {build} is cancelled already.\n")


async def test_a_build_that_a_killed_server_left_is_told_and_made_again(
    make_deployment: Callable[..., Deployment], tmp_path: Path, namespaces_provider: NamespaceProvider
) -> None:
    deployment = make_deployment(OUTRIDER_IMAGE_BUILDS="1")
    await deployment.start()
    assert (await deployment.run_cli("images")).out.startswith("No images yet.")
    build = await begun(deployment, make_repository(tmp_path / "forge", **{"outrider.toml": HANGS}))
    hung = {info.handle.id for info in await namespaces_provider.list({}) if PURPOSE_LABEL in info.labels}
    await deployment.stop(signal.SIGKILL)
    await deployment.start()
    assert "interrupted" in (await deployment.run_cli("images", "log", build, "--json")).lines[-1]["build"]["detail"]
    row = await image_of(deployment, "forge")
    assert (row["build"]["id"] == build, row["build"]["why"]) == (False, "the build before it was interrupted")
    assert (await deployment.run_cli("images", "cancel", row["build"]["id"])).code == 0
    left = [info for info in await namespaces_provider.list({}) if PURPOSE_LABEL in info.labels]
    assert (len(hung), left) == (1, [])


async def begun(deployment: Deployment, repository: Path) -> str:
    """Ask for a build, and wait until its setup hangs."""
    asked = await deployment.run_cli("images", "build", str(repository), "--detach", "--json")
    build = str(asked.lines[0]["id"])
    async with deployment.client() as client, client.stream("GET", f"/api/images/builds/{build}/log") as log:
        async for line in log.aiter_lines():
            if json.loads(line).get("line") == "begun":
                return build
    raise AssertionError(deployment.log())


async def test_the_first_session_asks_for_an_image_and_the_next_clones_and_sets_up_nothing(
    shared_deployment: Deployment, tmp_path: Path
) -> None:
    bakery = tmp_path / "bakery"
    write_demo_repository(bakery)
    events: list[dict[str, Any]] = []
    async with shared_deployment.client() as client, client.stream("GET", "/api/images/events", timeout=240) as news:
        await shared_deployment.begin(bakery, "Only talk.")
        async for line in news.aiter_lines():
            events.append(json.loads(line))
            if events[-1]["build"]["state"] == "done":
                break
    assert events[0]["build"]["why"] == "there is no image yet"
    assert events[-1]["image"]["diagnosis"]["checks"][0]["verdict"] == "passed"
    assert (await shared_deployment.run_cli("doctor", "--repo", str(bakery))).code == 0

    session = await shared_deployment.begin(bakery, "Commit a file.")
    async with shared_deployment.feed(session) as feed:
        ready = await feed.until("sandbox_ready")
        synced = await feed.until("sync_finished")
        await feed.until("turn_ended", reason="completed")
    assert ready["how"] == "image"
    assert (synced["moved"], synced["setup_ran"]) == (False, False)
    stages = {recorded["event"].get("stage") for recorded in feed.events}
    assert "clone" not in stages


async def test_programs_that_are_wrong_are_told(shared_deployment: Deployment) -> None:
    for arguments, said in (
        (("log", "build-aaaaaaaaaa"), "There is no build build-aaaaaaaaaa."),
        (("cancel", "build-aaaaaaaaaa"), "There is no build build-aaaaaaaaaa."),
        (("build", "nowhere"), "There is no repository named nowhere."),
    ):
        done = await shared_deployment.run_cli("images", *arguments)
        assert (done.code == 0, said in done.said) == (False, True), done
