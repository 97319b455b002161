"""What a person named as a repository: parsed once into a folder on this machine, a URL, or a name."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from outrider.model.errors import RepositoryError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:://|::)")
_SCP_LIKE = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!//)[^\s].*")
_REMOTE_SCHEMES = frozenset({"http", "https", "git", "ssh"})
_MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A repository on this machine. `top` is the work tree, or the bare repository itself."""

    top: Path
    bare: bool

    @property
    def address(self) -> str:
        """What git fetches from, and what is shown."""
        return str(self.top)


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A URL, or the `user@host:path` of ssh."""

    address: str


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A word that may be the name of a known repository."""

    name: str


Source = LocalSource | RemoteSource | NamedSource


def parse_source(text: str) -> Source:
    """Tell what was named. Looks at the disk for folders. Raises RepositoryError."""
    text = text.strip()
    if not text or len(text) > _MAX_LENGTH or text.startswith("-") or not text.isprintable():
        raise RepositoryError(
            f"{text[:80]!r} names no repository.", "Give a folder, a URL, or the name of a known one."
        )
    if _SCHEME.match(text):
        return _parse_url(text)
    if "/" not in text.partition(":")[0] and _SCP_LIKE.fullmatch(text):
        return RemoteSource(text)
    path = Path(text).expanduser()
    if path.is_absolute() or "/" in text or text.startswith("."):
        return find_repository(path)
    return NamedSource(text)


def find_repository(path: Path) -> LocalSource:
    """The repository that a folder is, or is inside of. Raises RepositoryError."""
    try:
        path = path.resolve(strict=True)
        for folder in (path, *path.parents):
            if (folder / ".git").exists():
                return LocalSource(folder, bare=False)
            if _is_bare(folder):
                return LocalSource(folder, bare=True)
    except FileNotFoundError as error:
        raise RepositoryError(
            f"There is no folder {path}.", "Check the path; the server must see the folder."
        ) from error
    except OSError as error:
        raise RepositoryError(f"{path} cannot be read: {error.strerror}.", "Give the server's user access.") from error
    raise RepositoryError(f"{path} is not a git repository.", f"Run `git init` and commit in {path}, or give another.")


def name_for(source: LocalSource | RemoteSource) -> str:
    """The name that a repository gets from the last part of its address. Always a valid RepositoryName."""
    last = source.address.rstrip("/").removesuffix("/.git").replace(":", "/").rpartition("/")[2].removesuffix(".git")
    name = re.sub(r"[^a-z0-9._-]+", "-", last.lower()).strip("-._")[:80]
    return name or "repository"


def _is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _parse_url(text: str) -> Source:
    try:
        parts = urlsplit(text)
        password = parts.password
    except ValueError as error:
        raise RepositoryError(f"{text!r} is not a valid URL.") from error
    if parts.scheme == "file":
        return find_repository(Path(unquote(parts.path)))
    if not text.lower().startswith(tuple(f"{scheme}://" for scheme in _REMOTE_SCHEMES)):
        raise RepositoryError(
            f"Repositories cannot be read by {parts.scheme}.", "Use https, ssh, http, git, file, or a folder."
        )
    if password is not None:
        raise RepositoryError(
            "The URL holds a password, which would be stored and shown.", "Use a git credential helper, or ssh."
        )
    if not parts.hostname:
        raise RepositoryError(f"{text!r} names no host.")
    return RemoteSource(text.rstrip("/"))
