"""Building repositories' images: what is made, what a failure keeps, what a cancelled or killed build leaves."""

from pathlib import Path

import pytest

from outrider.fleet.images.builds import INTERRUPTED, Builds
from outrider.fleet.images.making import SQUASH_AT
from outrider.model.errors import NotFound, Refused
from outrider.model.ids import BuildId, LayerId, SandboxId
from outrider.model.image import Build, BuildState
from outrider.model.sandbox import SandboxSpec
from outrider.testing.image_world import RECIPE, ImageWorld, over, working

HANGS = 'setup = ["echo begun; sleep 957"]\n'


@pytest.fixture
async def world(tmp_path: Path) -> ImageWorld:
    return ImageWorld(tmp_path)


async def built(world: ImageWorld, builds: Builds, *, full: bool = False) -> tuple[Build, list[str]]:
    """One build of main, from the newest state of its source."""
    await world.sessions.forge.find("demo", lambda _line: None)
    build = await builds.request("demo", "main", "by hand", full=full)
    return await over(builds, build.id)


async def files(world: ImageWorld) -> dict[str, str]:
    """What is in the workspace of the newest image."""
    image = await world.newest()
    handle = await world.provider.create(SandboxSpec(id=SandboxId("sb-aaaa"), layers=image.layers))
    root = world.provider.root(handle.id) / "workspace"
    found = {path.name: path.read_text() for path in root.iterdir() if path.is_file()}
    await world.provider.destroy(handle)
    return found


async def test_a_build_makes_an_image_with_checkout_and_setup_and_runs_the_checks_once(world: ImageWorld) -> None:
    await world.begin()
    async with working(world.builds()) as builds:
        build, lines = await built(world, builds)
    image = await world.newest()
    assert build.state is BuildState.DONE, build
    assert (image.build, image.commit, image.branch) == (build.id, build.commit, "main")
    assert (await files(world)) == {"made.txt": "made\n", "outrider.toml": RECIPE, "sum.txt": "1\n"}
    assert "made" in lines
    assert "==> Setting up: cat made.txt" in lines
    assert image.diagnosis is not None
    assert (image.diagnosis.red, image.diagnosis.checks[0].name) == ((), "sum")
    assert "1 of 1 checks are green" in build.detail
    assert await world.provider.list({}) == []


async def test_the_next_build_stands_on_the_last_image(world: ImageWorld) -> None:
    world.source.commit("What is made is no work.", {".gitignore": "made.txt\n"})
    await world.begin(RECIPE.replace("echo made >", "echo made >>"))
    async with working(world.builds()) as builds:
        await built(world, builds)
        first = await world.newest()
        world.source.commit("Another sum.", {"sum.txt": "2\n"})
        build, lines = await built(world, builds)
        second = await world.newest()
        assert second.layers[:-1] == first.layers
        assert (await files(world))["made.txt"] == "made\nmade\n"
        assert (await files(world))["sum.txt"] == "2\n"
        assert "red before anybody touched it: sum" in build.detail.lower()
        again, lines = await built(world, builds)
        assert (again.state, (await world.newest()).build) == (BuildState.DONE, second.build)
        assert any("nothing to do" in line for line in lines)
        full, _ = await built(world, builds, full=True)
        assert (await world.newest()).build == full.id
        assert len((await world.newest()).layers) == len(first.layers)


async def test_another_recipe_is_built_from_the_machine_image(world: ImageWorld) -> None:
    await world.begin()
    async with working(world.builds()) as builds:
        await built(world, builds)
        world.source.commit("Another setup.", {"outrider.toml": 'setup = ["echo else >made.txt"]\n'})
        build, lines = await built(world, builds)
    assert "==> From the machine image." in lines
    assert (await files(world))["made.txt"] == "else\n"
    assert "names no checks" in build.detail


async def test_a_failing_setup_keeps_the_last_good_image_and_says_so(world: ImageWorld) -> None:
    await world.begin()
    async with working(world.builds()) as builds:
        await built(world, builds)
        good = await world.newest()
        recipe = 'setup = ["echo the password is hunter2; exit 3"]\n'
        world.source.commit("A setup that fails.", {"outrider.toml": recipe})
        build, lines = await built(world, builds)
    assert build.state is BuildState.FAILED
    assert "ended with exit code 3" in build.detail
    assert f"The last good image, of {good.commit[:12]}, is kept." in build.detail
    assert "the password is [redacted]" in lines
    assert "hunter2" not in build.log_tail
    assert (await world.newest()) == good
    assert await world.provider.list({}) == []


async def test_what_a_check_prints_is_kept_without_secrets_and_long_names_are_cut(world: ImageWorld) -> None:
    check = '[[checks]]\nname = "{}"\ncommand = "echo hunter2 {}; no-such-program-{}; exit 127"\n'
    await world.begin("".join(check.format(f"{n}" + "c" * 70, "x" * 60, "p" * 80) for n in range(20)))
    async with working(world.builds()) as builds:
        build, _ = await built(world, builds)
    image = await world.newest()
    assert image.diagnosis is not None
    assert all("hunter2" not in found.tail and "[redacted]" in found.tail for found in image.diagnosis.checks)
    assert image.diagnosis.missing_tools == ("no-such-program-" + "p" * 80,)
    assert Build.model_validate_json(build.model_dump_json()) == build


async def test_a_recipe_that_is_wrong_fails_the_build_with_its_sentence(world: ImageWorld) -> None:
    await world.begin("checks = 5\n")
    async with working(world.builds()) as builds:
        build, _ = await built(world, builds)
    assert (build.state, build.detail.startswith("outrider.toml, line 1")) == (BuildState.FAILED, True)
    assert build.detail.endswith("There is no image yet.")


async def test_a_service_that_does_not_get_ready_is_in_the_diagnosis(world: ImageWorld) -> None:
    await world.begin(RECIPE + '[[services]]\nname = "cache"\ncommand = "exit 3"\nready = "false"\n')
    async with working(world.builds()) as builds:
        build, _ = await built(world, builds)
    diagnosis = (await world.newest()).diagnosis
    assert diagnosis is not None
    assert (diagnosis.skipped_services, diagnosis.ails) == (("cache",), True)
    assert build.detail.endswith("Not ready: cache.")


async def until_it_says(builds: Builds, build: BuildId, line: str) -> None:
    async for said in builds.ledger.follow(build):
        if said == line:
            return


async def test_a_cancelled_build_leaves_nothing(world: ImageWorld) -> None:
    await world.begin(HANGS)
    async with working(world.builds()) as builds:
        build = await builds.request("demo", "main", "by hand")
        waiting = await builds.request("demo", "next", "by hand")
        await until_it_says(builds, build.id, "begun")
        assert (await builds.cancel(waiting.id)).state is BuildState.CANCELLED
        assert (await builds.cancel(build.id)).state is BuildState.CANCELLED
        with pytest.raises(Refused, match="cancelled already"):
            await builds.cancel(build.id)
        assert await world.provider.list({}) == []
        assert [info.id for info in await world.provider.list_layers() if info.id.startswith("repo")] == []
    with pytest.raises(NotFound):
        await builds.cancel(BuildId("build-none"))


async def test_what_a_stopped_server_was_building_is_queued_again(world: ImageWorld) -> None:
    await world.begin(HANGS)
    async with working(world.builds()) as builds:
        build = await builds.request("demo", "main", "by hand")
        await until_it_says(builds, build.id, "begun")
    assert (await builds.ledger.get(build.id)).state is BuildState.QUEUED
    assert await world.provider.list({}) == []


async def test_what_a_killed_server_was_building_has_failed_and_is_queued_anew_once(world: ImageWorld) -> None:
    await world.begin()
    builds = world.builds()
    build = await builds.request("demo", "main", "by hand")
    await builds.ledger.put(build.model_copy(update={"state": BuildState.RUNNING}))
    async with working(world.builds()) as again:
        async for news in again.ledger.watch():
            if news.build.state is BuildState.DONE:
                break
    first, second = reversed(await world.catalog.builds(limit=5))
    assert (first.state, "interrupted" in first.detail) == (BuildState.FAILED, True)
    assert (second.state, second.why) == (BuildState.DONE, INTERRUPTED)
    await again.ledger.put(second.model_copy(update={"state": BuildState.RUNNING}))
    async with working(world.builds(at_once=0)) as third:
        assert (await over(third, second.id))[0].state is BuildState.FAILED
    assert await world.catalog.builds(limit=5, states=[BuildState.QUEUED]) == []


async def test_one_build_of_a_branch_waits(world: ImageWorld) -> None:
    await world.begin()
    builds = world.builds()
    one, two = await builds.request("demo", "main", "a"), await builds.request("demo", "main", "b", full=True)
    other = await builds.request("demo", "next", "c")
    assert (one.id, two.full, other.id == one.id) == (two.id, True, False)
    with pytest.raises(Refused, match="not built here"):
        await world.builds(at_once=0).request("demo", "main", "a")


async def test_a_long_chain_is_squashed(world: ImageWorld) -> None:
    await world.begin()
    async with working(world.builds()) as builds:
        await built(world, builds)
        image = await world.newest()
        chain = [await world.provider.squash([image.layers[-1]], LayerId(f"repo-x{n}")) for n in range(SQUASH_AT)]
        long = image.model_copy(update={"layers": (*image.layers, *chain)[:SQUASH_AT]})
        await world.catalog.put_image(long)
        world.source.commit("Another sum.", {"sum.txt": "2\n"})
        _, lines = await built(world, builds)
    assert len((await world.newest()).layers) == len(image.machine) + 2
    assert any(line.startswith("==> Making one layer of") for line in lines)
    assert (await files(world))["sum.txt"] == "2\n"
