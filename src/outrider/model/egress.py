"""What a sandbox may reach over the network: hosts by name, in presets or one by one, and networks by address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from outrider.model.base import Model, Sentence
from outrider.model.errors import BadRequest
from outrider.model.person import Person

PORTS = (80, 443)
"""The ports of a host that is allowed without one."""

PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa")
"""Names that belong to somebody's own network, whatever they lead to."""

HOSTS_LIMIT = 100

_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a guest wants to go. `host` is a lower-case DNS name or an IP address."""

    host: str
    port: int

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The host as an IP address, or None where it is a name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def rule(self) -> str:
        """The entry that would allow exactly this."""
        return self.host if self.port in PORTS else str(self)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_authority(authority: str, default_port: int | None) -> Target:
    """`HOST:PORT`, with brackets around an IPv6 address. Raises BadRequest for spellings that have two readings."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]{2,45}\]|[^\[\]:@/?#\\%\s]{1,255})(?::([0-9]{1,5}))?", authority)
    port = int(match[2]) if match and match[2] else default_port
    if match is None or port is None or not 0 < port < 65536:
        raise BadRequest("The address is not HOST:PORT.")
    return Target(_host(match[1].strip("[]").lower()), port)


def _host(text: str) -> str:
    """A DNS name, whose last label starts with a letter, or a plainly written address; never `127.1` or `0x7f.1`."""
    name = text.removesuffix(".")
    if _NAME.match(name):
        return name
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise BadRequest("The host is neither a DNS name nor an IP address.") from error


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry: `example.com`, `.example.com` or `*.example.com` for all below it, `example.com:8443` for a port of
    its own.

    `operator` marks what the operator's own package clients use. Such a host may be at a private address, since
    a mirror or a filtering gateway often is; every other host must be at a public one.
    """

    host: str
    port: int | None = None
    operator: bool = False

    @classmethod
    def parse(cls, text: str, *, operator: bool = False) -> "AllowedHost":
        """From a setting. Raises BadRequest where it is not of that form."""
        text = text.strip().removeprefix("*")
        dot = "." if text.startswith(".") else ""
        target = parse_authority(text.removeprefix("."), 443)
        port = target.port if text.rpartition(":")[2].isdigit() else None
        if dot and operator:
            raise BadRequest(f"{text} names many hosts; a package client uses one.")
        if dot and target.address is None and "." not in target.host:
            raise BadRequest(f"{text} names every host below a top-level domain.", "Name a domain below it.")
        return cls(dot + target.host, port, operator)

    @classmethod
    def parse_list(cls, text: str) -> tuple["AllowedHost", ...]:
        """From a setting with commas or spaces between the entries. Raises BadRequest."""
        return tuple(cls.parse(entry) for entry in text.replace(",", " ").split())

    def matches(self, target: Target) -> bool:
        """Whether the entry speaks of this target."""
        if target.port != self.port if self.port else target.port not in PORTS:
            return False
        return target.host == self.host or (self.host.startswith(".") and target.host.endswith(self.host))

    def __str__(self) -> str:
        return str(Target(self.host, self.port)) if self.port else self.host


def host_for_people(text: str) -> str:
    """An entry that a person may allow, as it is kept: a public name. Raises BadRequest for the rest: addresses and
    names of private networks are the operator's to allow, in the settings."""
    rule = AllowedHost.parse(text)
    name = rule.host.removeprefix(".")
    if Target(name, 443).address is not None:
        raise BadRequest(f"{name} is an IP address.", "Name a host; networks are allowed in OUTRIDER_ALLOWED_NETWORKS.")
    if "." not in name or f".{name}".endswith(PRIVATE_NAMES):
        raise BadRequest(
            f"{name} belongs to a private network.", "Whoever runs Outrider allows it in OUTRIDER_ALLOWED_HOSTS."
        )
    return str(rule)


def _is_host(text: str) -> str:
    try:
        return host_for_people(text)
    except BadRequest as error:
        raise ValueError(error.sentence.removesuffix(".")) from error


HostRule = Annotated[str, StringConstraints(min_length=1, max_length=260), AfterValidator(_is_host)]
"""`example.com`, `.example.com` or `example.com:8443`: what people and recipes may name."""


class EgressPreset(StrEnum):
    """Hosts that belong together, known by one word."""

    PYPI = "pypi"
    NPM = "npm"
    DEBIAN = "debian"
    CRATES = "crates"
    GO = "go"
    RUBYGEMS = "rubygems"
    MAVEN = "maven"
    GITHUB_READ = "github-read"


PRESET_HOSTS: Mapping[EgressPreset, tuple[str, ...]] = {
    EgressPreset.PYPI: ("pypi.org", "files.pythonhosted.org"),
    EgressPreset.NPM: ("registry.npmjs.org", "registry.yarnpkg.com", "nodejs.org"),
    EgressPreset.DEBIAN: (
        "deb.debian.org",
        "security.debian.org",
        "archive.ubuntu.com",
        "security.ubuntu.com",
        "ports.ubuntu.com",
    ),
    EgressPreset.CRATES: ("index.crates.io", "static.crates.io", "static.rust-lang.org"),
    EgressPreset.GO: ("proxy.golang.org", "sum.golang.org"),
    EgressPreset.RUBYGEMS: ("rubygems.org", "index.rubygems.org"),
    EgressPreset.MAVEN: ("repo.maven.apache.org", "repo1.maven.org"),
    EgressPreset.GITHUB_READ: (
        "codeload.github.com",
        "raw.githubusercontent.com",
        "objects.githubusercontent.com",
        "release-assets.githubusercontent.com",
    ),
}
"""`github-read` has only hosts that serve downloads: inside a CONNECT tunnel to github.com itself a push cannot be told
from a fetch."""

DEFAULT_PRESETS = tuple(preset for preset in EgressPreset if preset is not EgressPreset.GITHUB_READ)
"""What a repository has that names none: the registries of the common package clients."""


class EgressSpec(Model):
    """What a repository asks for in the table `[egress]` of `outrider.toml`. Presets are in force at once; a host needs
    the yes of a person, once."""

    presets: tuple[EgressPreset, ...] | None = Field(
        default=None,
        max_length=len(EgressPreset),
        description="Names of groups of hosts; without it, the registries of the common package clients",
    )
    hosts: tuple[HostRule, ...] = Field(
        default=(), max_length=HOSTS_LIMIT, description="Host names, `*.` before one for all below it, `:port` after it"
    )


class EgressPolicy(Model):
    """What one sandbox may reach, beside what the operator allows every sandbox.

    `hosts` were allowed by somebody who may. `asked` are hosts that the recipe names and that need a yes yet: they are
    refused, and the refusal says so. With a `repository`, the hosts on its list in the catalog count too, as they are
    when a connection is made.
    """

    presets: tuple[EgressPreset, ...] = DEFAULT_PRESETS
    hosts: tuple[HostRule, ...] = ()
    asked: tuple[HostRule, ...] = ()
    repository: str | None = None

    @classmethod
    def of(cls, repository: str, spec: EgressSpec | None = None) -> "EgressPolicy":
        """What sandboxes of a repository may reach by its recipe."""
        spec = spec or EgressSpec()
        presets = DEFAULT_PRESETS if spec.presets is None else spec.presets
        return cls(presets=presets, asked=spec.hosts, repository=repository)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A connection that a sandbox was refused. `why` completes “…, because”; `allowable` says whether a person may
    allow it, as `target.rule`."""

    target: Target
    why: str
    allowable: bool


class EgressRefused(Model):
    """The sandbox was refused a host: told once a host and turn. `rule` is what would allow it."""

    type: Literal["egress_refused"] = "egress_refused"
    host: str = Field(max_length=255)
    port: int = Field(ge=1, le=65_535)
    why: Sentence = Field(description="Completes “…, because”")
    rule: str = Field(max_length=270)
    allowable: bool = Field(description="Whether a person may allow it; else only whoever runs the server")


class HostAllowed(Model):
    """A person allowed a host to the sandbox, from its next connection on."""

    type: Literal["host_allowed"] = "host_allowed"
    host: HostRule
    by: Person
    scope: Literal["session", "repository"]


class HostForbidden(Model):
    """A person took a host back that had been allowed: the sandbox may not reach it, from its next connection on."""

    type: Literal["host_forbidden"] = "host_forbidden"
    host: HostRule
    by: Person
    scope: Literal["session", "repository"]
