"""Running git: limits, a clean environment, an end with its caller."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from outrider.integrations.builtin.git import CLEAN_ENVIRONMENT, Git, GitFailed
from outrider.model.errors import LimitReached
from outrider.testing.git_source import GitSource


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource.create(tmp_path / "source", {"file": "line\n" * 20_000})


@pytest.fixture
def git(source: GitSource) -> Git:
    return Git(source.folder / ".git")


async def test_output_comes_back(git: Git, source: GitSource) -> None:
    assert await git.text("rev-parse", "HEAD") == source.head()
    assert (await git.run("cat-file", "blob", "HEAD:file")).stdout == b"line\n" * 20_000


async def test_output_beyond_the_limit_is_cut_or_an_error(git: Git) -> None:
    short = replace(git, output_bytes=1000)
    outcome = await short.run("cat-file", "blob", "HEAD:file")
    assert (outcome.stdout, outcome.truncated) == (b"line\n" * 200, True)
    with pytest.raises(LimitReached, match="more than 1,000 bytes"):
        await short.whole("cat-file", "blob", "HEAD:file")


async def test_a_failure_carries_what_git_said(git: Git) -> None:
    with pytest.raises(GitFailed) as caught:
        await git.run("rev-parse", "--verify", "nowhere")
    assert caught.value.exit_code == 128
    assert caught.value.reason() == "Needed a single revision"


async def test_stdin_is_fed_while_output_is_read(git: Git, source: GitSource) -> None:
    names = f"{source.head()}\n".encode() * 20_000
    outcome = await git.whole("cat-file", "--batch-check", stdin=names)
    assert len(outcome.text().splitlines()) == 20_000


async def test_a_command_that_ends_before_it_has_read_its_stdin_is_no_error_of_ours(git: Git) -> None:
    with pytest.raises(GitFailed):
        await git.run("cat-file", "--no-such-option", stdin=b"x" * 10_000_000)


async def test_a_command_that_takes_too_long_is_killed(git: Git, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    GitSource(tmp_path).git("init", "--quiet", "--bare", "x.git")
    slow = replace(git, seconds=0.3, environment={**CLEAN_ENVIRONMENT, "GIT_SSH_COMMAND": f"sleep 300 # {fifo}",
                                                  "GIT_ALLOW_PROTOCOL": "ssh"})  # fmt: skip
    async with asyncio.timeout(10):
        with pytest.raises(LimitReached, match=r"longer than 0\.3 seconds"):
            await slow.run("ls-remote", "ssh://guest/x")


async def test_nothing_of_the_machine_or_the_repository_runs(source: GitSource, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager", "core.sshCommand"):
        source.git("config", key, str(trap))
    hooks = source.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "reference-transaction").symlink_to(trap)
    git = Git(source.folder / ".git")
    await git.run("update-ref", "refs/heads/other", source.head())
    await git.run("diff", "--no-ext-diff", "HEAD", "HEAD")
    with pytest.raises(GitFailed, match="not allowed"):
        await git.run("fetch", str(source.folder))
    assert not (tmp_path / "sprung").exists()
