"""Addresses of servers, and the links that they hand out. What is in a link is secret: no error repeats it."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, urlsplit

from outrider.model.errors import BadRequest

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Link:
    """A link into a session, or one that logs in."""

    server: str
    token: str = field(repr=False)
    logs_in: bool = False
    """Whether it logs in; else it joins a session."""
    session: str | None = None
    """Where a link that logs in leads to a session, that one."""

    @classmethod
    def parse(cls, text: str, server: str | None = None) -> "Link":
        """From what a person has pasted. `server` goes before the address in it. Raises BadRequest."""
        parts = _split(text)
        address = server or address_of(text)
        if parts.path == "/join" and parts.fragment:
            return cls(address, parts.fragment)
        head, _, token = parts.path.rpartition("/")
        if head == "/login" and token:
            page = parse_qs(parts.query).get("to", [""])[0].split("/")
            session = page[2] if len(page) == 3 and page[1] == "sessions" else None
            return cls(address, token, logs_in=True, session=session)
        raise _no_link()


def is_link(text: str) -> bool:
    """Whether this is meant as a link; `-` is one on stdin."""
    return text == "-" or "://" in text


def address_of(url: str) -> str:
    """`http://HOST:PORT` of a server. Raises BadRequest; over plain HTTP only this machine is spoken to, since whoever
    listens on the way would have the login."""
    parts = _split(url)
    host, port = parts.hostname, parts.port
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise _no_link()
    if parts.scheme == "http" and not is_loopback(host):
        raise BadRequest(
            f"The way to {host} is not encrypted.",
            "Use an address that begins with https://, or a tunnel: "
            f"ssh -L 4100:localhost:4100 {host}, then --server http://localhost:4100.",
        )
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port else "")


def _split(url: str) -> SplitResult:
    """Its parts, all of which can be read. Raises BadRequest."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise _no_link() from None
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    return host in LOOPBACK or host.endswith(".localhost")


def _no_link() -> BadRequest:
    return BadRequest(
        "This is no link of an Outrider server.",
        "It looks like http://HOST/join#… (from `outrider share`) or http://HOST/login/… (from `outrider login`).",
    )
