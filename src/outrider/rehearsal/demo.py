"""The demo repository: a small web shop with a history and a bug that its customers complain about."""

import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import Field

from outrider.model.base import Model
from outrider.model.errors import RepositoryError
from outrider.rehearsal.script import built_in_scripts

DEMO_NAME = "bakery"
"""The demo repository's folder, and so its name on the forge."""

DEMO_PROMPT = built_in_scripts()[0].prompt
"""The prompt that the first built-in script plays in the demo repository."""

_FILES = Path(__file__).parent / "repository"
_HISTORY = Path(__file__).parent / "history"
_BRANCH = "main"
_GIT_SECONDS = 60


class _Commit(Model):
    """Files as they came with one commit: those of the repository, or an earlier state of theirs."""

    author: str = Field(pattern=r"^[^<>]+ <[^<> ]+>$")
    at: datetime
    message: str
    files: tuple[str, ...] = ()
    earlier: Mapping[str, str] = {}

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Path and content of each file."""
        for path in self.files:
            yield path, (_FILES / path).read_bytes()
        for path, source in self.earlier.items():
            yield path, (_HISTORY / source).read_bytes()


def write_demo_repository(path: Path) -> None:
    """Make the repository at `path`, the same commits each time. One that is there is left as it is.

    Blocks for some 50 ms. Raises RepositoryError where git fails.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".demo-") as folder:
        made = Path(folder) / "repository"
        _git(path.parent, "init", "--quiet", f"--initial-branch={_BRANCH}", "--template=", str(made))
        _git(made, "fast-import", "--quiet", "--date-format=raw", stdin=b"".join(_stream()))
        _git(made, "reset", "--quiet", "--hard", _BRANCH)
        made.rename(path)


def _commits() -> tuple[_Commit, ...]:
    """The history, oldest first."""
    rows = tomllib.loads((_HISTORY / "commits.toml").read_text())["commits"]
    return tuple(_Commit.model_validate(row) for row in rows)


def _stream() -> Iterator[bytes]:
    """The history in the language of git fast-import, which continues the branch with each commit."""
    for commit in _commits():
        who = f"{commit.author} {int(commit.at.timestamp())} {commit.at:%z}"
        yield f"commit refs/heads/{_BRANCH}\nauthor {who}\ncommitter {who}\n".encode()
        yield _data(commit.message.strip().encode() + b"\n")
        for path, content in commit.contents():
            yield f"M 100644 inline {path}\n".encode() + _data(content)
    yield b"done\n"


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> None:
    """Run git without the person's own settings."""
    git = shutil.which("git")
    if git is None:
        raise RepositoryError("git is not installed.", "Install it: sudo apt-get install git.")
    environment = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
    result = subprocess.run(
        (git, *arguments), cwd=folder, env=environment, input=stdin, capture_output=True, timeout=_GIT_SECONDS
    )
    if result.returncode:
        said = result.stderr.decode(errors="replace").strip()
        raise RepositoryError(f"The demo repository could not be made: git {arguments[0]} failed: {said}")
