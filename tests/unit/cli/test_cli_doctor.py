"""What the doctor says of programs, which it runs, and of the model, which it does not."""

import io
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.cli.examination import look_at_model
from outrider.cli.finding import State
from outrider.cli.programs import NEEDED, NEWUIDMAP, OPTIONAL, Program, look_at, programs
from outrider.cli.trial import try_toolbox
from outrider.model.ids import LayerId
from outrider.settings import Settings
from outrider.testing.fake_sandbox import FakeProvider

Install = Callable[..., Path]
BY_NAME = {program.name: program for program in (*NEEDED, NEWUIDMAP, *OPTIONAL)}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program on a PATH that holds nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(name: str, script: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return install


def test_these_programs_are_looked_at() -> None:
    assert [program.name for program in NEEDED] == ["git", "bwrap", "mmdebstrap"]
    plain = () if os.geteuid() == 0 else ("newuidmap",)
    assert [program.name for program in programs()] == ["git", "bwrap", "mmdebstrap", *plain, "skopeo"]


@pytest.mark.parametrize("name", ["git", "bwrap", "mmdebstrap", "skopeo"])
def test_a_program_is_run_for_its_version(install: Install, name: str) -> None:
    path = install(name, f'[ "$*" = --version ] && printf "{name} version 7.1\\nand more\\n"')
    found = look_at(BY_NAME[name])
    assert (found.part, found.state, found.detail) == (name, State.WORKS, f"{name} version 7.1 ({path})")


def test_newuidmap_has_no_version_but_its_package_has(install: Install) -> None:
    path = install("newuidmap", 'echo "usage: newuidmap <pid> …" >&2; exit 1')
    assert look_at(NEWUIDMAP).detail == f"uidmap ({path})"
    install("dpkg-query", '[ "$3" = uidmap ] && printf 1:4.13')
    found = look_at(NEWUIDMAP)
    assert (found.state, found.detail) == (State.WORKS, f"uidmap 1:4.13 ({path})")


@pytest.mark.parametrize("name", ["git", "bwrap", "mmdebstrap", "newuidmap", "skopeo"])
def test_a_program_that_is_there_and_does_not_run_is_broken(install: Install, name: str) -> None:
    path = install(name, 'echo "libmissing.so: no such file" >&2; exit 127')
    found = look_at(BY_NAME[name])
    assert (found.state, found.remedy) == (State.BROKEN, "Install it again.")
    assert found.detail == f"{path} does not run: libmissing.so: no such file"


@pytest.mark.parametrize(
    ("name", "state", "package"),
    [
        ("git", State.BROKEN, "git"),
        ("bwrap", State.BROKEN, "bubblewrap"),
        ("mmdebstrap", State.BROKEN, "mmdebstrap"),
        ("newuidmap", State.BROKEN, "uidmap"),
        ("skopeo", State.ABSENT, "skopeo"),
    ],
)
def test_a_program_that_is_not_there_is_said_with_the_line_that_installs_it(
    install: Install, name: str, state: State, package: str
) -> None:
    found = look_at(BY_NAME[name])
    assert (found.state, found.remedy) == (state, f"Run: sudo apt-get install -y {package}")
    assert found.detail.startswith("is not installed")


def test_a_file_that_is_no_program_is_broken(install: Install) -> None:
    install("odd", "").write_bytes(b"\x7fELF no program")
    assert look_at(Program("odd", "odd")).state is State.BROKEN


@pytest.mark.parametrize(
    ("environment", "state", "detail"),
    [
        ({}, State.WEAKER, "rehearsal/demo: a script answers, for the demo only"),
        (
            {"ANTHROPIC_API_KEY": "canary"},
            State.UNTRIED,
            "anthropic/claude-sonnet-4-5: ANTHROPIC_API_KEY is set, not tried; no key leaves the server",
        ),
        (
            {"OPENAI_API_KEY": "canary", "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1"},
            State.UNTRIED,
            "openai/gpt-5.1: OPENAI_API_KEY and OPENAI_BASE_URL are set, not tried; no key leaves the server",
        ),
        ({"OUTRIDER_MODEL": "openai/small"}, State.BROKEN, "openai/small: no key of openai is set"),
    ],
)
def test_a_model_is_not_said_to_work(environment: dict[str, str], state: State, detail: str) -> None:
    found = look_at_model(Settings.read({"OUTRIDER_HOME": "/home/of/outrider", **environment}))
    assert (found.state, found.detail) == (state, detail)


async def add_layer(provider: FakeProvider, folder: Path, name: str, **programs: str) -> LayerId:
    """A layer of scripts, by their paths with `_` for `/`."""
    tar = folder / f"{name}.tar"
    with tarfile.open(tar, "w") as file:
        for path, script in programs.items():
            text = f"#!/bin/sh\n{script}\n".encode()
            info = tarfile.TarInfo(path.replace("_", "/"))
            info.size, info.mode = len(text), 0o755
            file.addfile(info, io.BytesIO(text))
    await provider.add_layer(LayerId(name), tar)
    return LayerId(name)


@pytest.mark.parametrize(
    ("node", "engine", "expected"),
    [
        (
            "[ $1 = --version ] && echo v24.1.0",
            "[ $1 = --version ] && echo 1.18.33",
            {
                "node": (State.WORKS, "node 24.1.0, run in a sandbox"),
                "engine": (State.WORKS, "OpenCode 1.18.33, run in a sandbox"),
            },
        ),
        (
            "echo wrong processor >&2; exit 126",
            "exit 3",
            {
                "node": (State.BROKEN, "/opt/outrider/bin/node does not run: wrong processor"),
                "engine": (State.BROKEN, "/opt/outrider/engine/opencode/bin/opencode does not run: exit code 3"),
            },
        ),
    ],
)
async def test_node_and_the_engine_are_run_in_a_sandbox_that_is_gone_afterwards(
    tmp_path: Path, node: str, engine: str, expected: dict[str, tuple[State, str]]
) -> None:
    provider = FakeProvider(tmp_path / "state")
    base = await add_layer(provider, tmp_path, "base", etc_motd="true")
    toolbox = await add_layer(provider, tmp_path, "toolbox", bin_node=node, engine_opencode_bin_opencode=engine)
    found = await try_toolbox(provider, base, toolbox)
    assert {finding.part: (finding.state, finding.detail) for finding in found} == expected
    assert await provider.list({}) == []


async def test_a_sandbox_that_cannot_be_made_leaves_them_untold(tmp_path: Path) -> None:
    found = await try_toolbox(FakeProvider(tmp_path), LayerId("none"), LayerId("none"))
    assert [(finding.part, finding.state) for finding in found] == [("node", State.BROKEN), ("engine", State.BROKEN)]
    assert all("could not be tried: The layer none does not exist." in finding.detail for finding in found)
