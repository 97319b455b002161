"""How this machine reaches the outside: its own proxies and its own certificate authorities, as plain values."""

import base64
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UpstreamProxy:
    """An HTTP proxy of the operator. `authorization` is the value of Proxy-Authorization, and a secret."""

    host: str
    port: int
    authorization: str | None = None

    def __repr__(self) -> str:
        return f"UpstreamProxy({self.host}:{self.port})"

    @classmethod
    def parse(cls, url: str) -> "UpstreamProxy | None":
        """From `http://[user:password@]host[:port]`; None where it is empty or of another scheme."""
        parts = split_url(url if "://" in url else f"http://{url}")
        if parts is None or parts.scheme != "http" or not parts.hostname:
            return None
        return cls(parts.hostname, parts.port or 80, _basic(parts))

    @property
    def url(self) -> str:
        """Without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HostNetwork:
    """The machine's way out. `no_proxy` holds host names and suffixes (`.example.com`), or `*` for everything."""

    http_proxy: UpstreamProxy | None = None
    https_proxy: UpstreamProxy | None = None
    no_proxy: tuple[str, ...] = ()
    ca_file: Path | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str], ca_file: Path | None = None) -> "HostNetwork":
        """From the usual variables. Lower case wins, as in curl; ALL_PROXY stands in where one is missing."""
        anything = _variable(environment, "ALL_PROXY")
        return cls(
            http_proxy=UpstreamProxy.parse(environment.get("http_proxy") or anything),
            https_proxy=UpstreamProxy.parse(_variable(environment, "HTTPS_PROXY") or anything),
            no_proxy=tuple(
                part.strip().lower() for part in _variable(environment, "NO_PROXY").split(",") if part.strip()
            ),
            ca_file=ca_file,
        )

    def proxy_for(self, scheme: str, host: str) -> UpstreamProxy | None:
        """The proxy that a request to this host goes through, or None for a direct connection."""
        if _is_this_machine(host) or any(_excludes(entry, host.lower()) for entry in self.no_proxy):
            return None
        return self.https_proxy if scheme == "https" else self.http_proxy

    def tls(self) -> ssl.SSLContext:
        """A verifying context that trusts the machine's authorities. Reads a file of some 200 kB: call it rarely."""
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL, or None where it is not one."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts


def without_credentials(url: str) -> str:
    """The same URL without user and password. An unreadable URL becomes empty."""
    parts = split_url(url)
    if parts is None:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.lower()) or environment.get(name) or ""


def _basic(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _is_this_machine(host: str) -> bool:
    """A proxy cannot reach our loopback, whatever NO_PROXY forgot."""
    return host == "localhost" or host == "::1" or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def _excludes(entry: str, host: str) -> bool:
    name = entry.lstrip("*").partition(":")[0]
    if entry == "*":
        return True
    return host == name.lstrip(".") or host.endswith("." + name.lstrip("."))
