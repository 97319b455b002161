"""A small real repository to import from, and a bare one to push from: for tests of forges and quarantines."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from outrider.model.ids import CommitId

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Grace",
    "GIT_AUTHOR_EMAIL": "grace@example.org",
    "GIT_COMMITTER_NAME": "Grace",
    "GIT_COMMITTER_EMAIL": "grace@example.org",
}


class GitSource:
    """A work tree with its repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path, files: Mapping[str, str] | None = None) -> "GitSource":
        """A new repository on the branch main; with files it has a first commit."""
        folder.mkdir(parents=True)
        source = cls(folder)
        source.git("init", "--quiet", "--initial-branch=main")
        if files:
            source.commit("Begin", files)
        return source

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git in it; its output without the last line break."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=_ENVIRONMENT, input=stdin, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
        return done.stdout.decode().removesuffix("\n")

    def write(self, files: Mapping[str, str]) -> None:
        """Write files without committing them."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def commit(self, subject: str, files: Mapping[str, str]) -> CommitId:
        """Write files and commit them; the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.head()

    def head(self) -> CommitId:
        """The commit that is checked out."""
        return CommitId(self.git("rev-parse", "HEAD"))
