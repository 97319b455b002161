"""Names that a shell would carry out: of folders, repositories and branches, through the whole path of a session."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from outrider.model.errors import OutriderError
from outrider.testing.fake_engine import FakeEngine, say, shell, write_file
from outrider.testing.session_world import SessionWorld, new_session, running, turn_end

MEND = [say("I mend it."), write_file("sum.txt", "2\n"), shell("git add -A && git commit -qm 'Mend the sum'")]

FOLDERS = [
    "a;touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "a'b\"c",
    "-oProxyCommand=touch pwned",
    "--upload-pack=x",
    "a b",
]
BRANCHES = [
    "a;touch${IFS}pwned",
    "$(touch${IFS}pwned)",
    "`id`",
    "a'b",
    'a"b',
    "a|b",
    "a&b",
    "a>b",
    "-x",
    "a{b,c}",
    "ä",
    "x;y",
]


def _git(folder: Path, *arguments: str) -> None:
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *person, "-C", str(folder), *arguments], check=True, capture_output=True)


def _repository(folder: Path) -> None:
    folder.mkdir(parents=True)
    _git(folder, "init", "-q", "-b", "main")
    (folder / "sum.txt").write_text("1\n")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "Begin")
    for branch in BRANCHES:
        _git(folder, "update-ref", f"refs/heads/{branch}", "HEAD")


def _pwned(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*pwned*") if path.is_file() and path.name == "pwned"]


@pytest.mark.parametrize("name", FOLDERS)
async def test_a_repository_in_a_folder_of_such_a_name(tmp_path: Path, name: str) -> None:
    """It is imported and worked in, or refused in a sentence; nothing of its name is carried out."""
    world = SessionWorld(tmp_path / "world", FakeEngine({"mend": MEND}))
    folder = tmp_path / "sources" / name
    await asyncio.to_thread(_repository, folder)
    await world.begin()
    async with running(world.registry()) as registry:
        try:
            repository = await world.forge.find(str(folder), lambda line: None)
            _, commit = await world.forge.head(repository, "main")
            await turn_end(registry, await registry.create(new_session(repository, commit, "mend it")))
        except OutriderError:
            pass  # refused, in a sentence
    assert await asyncio.to_thread(_pwned, tmp_path) == []


async def test_branches_of_such_names_are_refused_or_plain_words(tmp_path: Path) -> None:
    world = SessionWorld(tmp_path / "world", FakeEngine({}))
    folder = tmp_path / "source"
    await asyncio.to_thread(_repository, folder)
    await world.begin()
    repository = await world.forge.find(str(folder), lambda line: None)
    for branch in [
        *BRANCHES,
        "--upload-pack=touch pwned",
        "../../main",
        "main\n",
        "refs/heads/main;x",
        "@{-1}",
        "main^{tree}",
    ]:
        try:
            found, _ = await world.forge.head(repository, branch)
            assert found == branch
        except OutriderError:
            pass  # refused, in a sentence
    assert await asyncio.to_thread(_pwned, tmp_path) == []


@pytest.mark.parametrize(
    "source",
    ["ext::sh -c touch% pwned", "-u./pwned", "--upload-pack=touch pwned", "file:///etc;touch pwned", "ssh://-oProxyCommand=x/y",
     "git@-oProxyCommand=touch:x", "https://a.example/x;touch pwned", "\x00", "fd::17", "transport::x"],
)  # fmt: skip
async def test_a_source_that_is_an_order_is_refused(tmp_path: Path, source: str) -> None:
    world = SessionWorld(tmp_path / "world", FakeEngine({}))
    await world.begin()
    async with asyncio.timeout(60):
        with pytest.raises(OutriderError):
            await world.forge.find(source, lambda line: None)
    assert await asyncio.to_thread(_pwned, tmp_path) == []
