"""Names that a shell would carry out, through real git in a real sandbox: what a session clones, moves to, commits,
has fetched and pushed. Nothing of a name is carried out, neither inside nor on our side."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from inside import sh
from starlette.applications import Starlette
from starlette.routing import Mount

from outrider.broker.git import GitReadApp
from outrider.broker.http_server import serve_http
from outrider.integrations.builtin.forge import BuiltinForge
from outrider.integrations.builtin.quarantine import GitQuarantine
from outrider.model.errors import RepositoryError
from outrider.model.ids import CommitId, SessionId
from outrider.model.repository import Repository
from outrider.model.sandbox import BROKER_PORT, WORKSPACE, SandboxHandle
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider
from outrider.session.effects.checkout import Target, clone, look, move
from outrider.testing.git_source import GitSource
from outrider.testing.memory_forge_catalog import MemoryForgeCatalog
from outrider.testing.playbook import ADA

pytestmark = pytest.mark.sandbox

BRANCHES = [
    "$(touch${IFS}pwned)",
    "`touch${IFS}pwned`",
    "a;touch${IFS}pwned",
    "a|touch${IFS}pwned",
    "a'b\"c",
    "-x",
    "--upload-pack=touch${IFS}pwned",
]
SESSION = SessionId("s-abcd2345")
OURS = f"outrider/{SESSION}/mend"

TWIST = r"""
set -e
git config user.name Eve
git config user.email 'eve@example.org'
git config core.sshCommand 'touch pwned'
git config uploadpack.packObjectsHook 'touch pwned; false'
git config core.pager 'touch pwned'
printf x >'$(touch pwned)'
printf x >'`touch pwned`'
printf x >"$(printf 'line\n;touch pwned')"
printf x >./--upload-pack=x
git add -A
git commit -qm '$(touch pwned)
`touch pwned`'
printf x >'-n; touch pwned'
git branch '$(touch${IFS}pwned)'
git symbolic-ref HEAD 'refs/heads/$(touch${IFS}pwned)'
"""


def pwned(folder: Path) -> list[Path]:
    """What an order in a name would have left on our side."""
    return [*folder.rglob("pwned"), *(path for path in (Path.cwd() / "pwned", Path.home() / "pwned") if path.exists())]


async def pwned_inside(guest: Guest) -> str:
    """And in the sandbox."""
    return await sh(guest, "find / -xdev -name pwned 2>/dev/null")


class Hosted:
    """A repository of the built-in forge whose branches have such names."""

    def __init__(self, folder: Path) -> None:
        self.source = GitSource.create(folder / "source", {"sum.txt": "1\n"})
        self.catalog = MemoryForgeCatalog()
        self.forge = BuiltinForge(folder / "forge", self.catalog, SystemClock(), public_base=lambda: "http://x")
        self.quarantine = GitQuarantine(folder / "quarantine")

    async def find(self) -> Repository:
        """Import what there is now."""
        return await self.forge.find(str(self.source.folder), lambda line: None)

    def grow(self, branch: str, number: int) -> CommitId:
        """A commit on a branch of that name only."""
        self.source.git("checkout", "-q", "--detach", "main")
        commit = self.source.commit(f"Go on {number}", {"sum.txt": f"{number}\n"})
        self.source.git("update-ref", f"refs/heads/{branch}", commit)
        return commit


@pytest.fixture
def hosted(tmp_path: Path) -> Hosted:
    return Hosted(tmp_path)


@pytest.fixture
async def inside(
    provider: SandboxProvider, sandbox: SandboxHandle, hosted: Hosted, short_path: Path
) -> AsyncIterator[Guest]:
    """A sandbox that reaches the repository as a session's does."""
    repository = await hosted.find()
    app = Starlette(routes=[Mount("/git/repository.git", GitReadApp(hosted.forge.mirror(repository)))])
    async with serve_http(app, short_path / "git"), await provider.connect(sandbox) as guest:
        await guest.forward(BROKER_PORT, short_path / "git")
        yield guest


async def test_a_session_works_on_branches_of_such_names(hosted: Hosted, inside: Guest, tmp_path: Path) -> None:
    first = hosted.source.head()
    await clone(inside, OURS, first)
    for number, branch in enumerate(BRANCHES, 2):
        commit = await asyncio.to_thread(hosted.grow, branch, number)
        repository = await hosted.find()
        assert await hosted.forge.head(repository, branch) == (branch, commit)
        moved = await move(inside, Target(OURS, commit, branch, complete=False), 60)
        assert (await look(inside)).head == commit, moved
        with pytest.raises(RepositoryError, match="only outrider"):
            await hosted.forge.push(repository, hosted.quarantine.path(SESSION), commit, branch)
    assert await pwned_inside(inside) == ""
    assert pwned(tmp_path) == []


async def test_what_a_session_names_so_is_committed_fetched_and_pushed(
    hosted: Hosted, inside: Guest, tmp_path: Path
) -> None:
    repository, base = await hosted.find(), hosted.source.head()
    await clone(inside, OURS, base)
    done = await inside.run(ExecSpec(argv=["sh", "-c", TWIST], cwd=WORKSPACE))
    assert done.exit_code == 0, done.output.decode()
    await hosted.quarantine.open(SESSION, hosted.forge.mirror(repository), base)
    assert "-n; touch pwned" in await hosted.quarantine.dirty(inside)
    assert await hosted.quarantine.commit_leftovers(inside, ADA, "$(touch pwned)\n`touch pwned`")
    work = await hosted.quarantine.fetch(SESSION, inside, base)
    assert {file.path for file in work.files} >= {"$(touch pwned)", "`touch pwned`", "--upload-pack=x"}
    assert {"line\n;touch pwned", "-n; touch pwned"} <= {file.path for file in work.files}
    await hosted.forge.push(repository, hosted.quarantine.path(SESSION), work.head, OURS)
    assert await hosted.forge.head(repository, OURS) == (OURS, work.head)
    assert await pwned_inside(inside) == ""
    assert pwned(tmp_path) == []
