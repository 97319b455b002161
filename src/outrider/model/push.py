"""A push as a code host tells of it."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Push:
    """A branch of a repository has another commit. `urls` are all that the repository is cloned by; `branch` is empty
    where nothing is left to build: a tag, or a branch that was deleted."""

    urls: tuple[str, ...]
    branch: str


def address_key(address: str) -> str:
    """The same for every usual spelling of a repository's address (https, http, git, ssh, `user@host:path`, with `.git`
    or without it); empty for what is no address of another machine. Ports are left out: ssh and https have different
    ones."""
    if "://" not in address:
        host, colon, path = address.partition(":")
        host = host.rpartition("@")[2]
        return _key(host, path) if colon and "/" not in host else ""
    try:
        parts = urlsplit(address)
        return _key(parts.hostname or "", parts.path)
    except ValueError:
        return ""


def _key(host: str, path: str) -> str:
    path = path.strip("/").removesuffix(".git").strip("/")
    return f"{host}/{path}".casefold() if host and path else ""
