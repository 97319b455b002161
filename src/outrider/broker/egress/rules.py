"""Which hosts a sandbox may reach, and at which addresses."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from outrider.broker.egress.target import Target, parse_authority
from outrider.model.errors import BadRequest

PORTS = (80, 443)
REMEDY = "Whoever runs Outrider can allow it: add {host} to OUTRIDER_ALLOWED_HOSTS and restart."
_NAT64 = IPv6Address("64:ff9b::")
_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa")


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry: `example.com`, `.example.com` for all below it, `example.com:8443` for a port of its own.

    `operator` marks what the operator's own package clients use. Such a host may be at a private address, since
    a mirror or a filtering gateway often is; every other host must be at a public one.
    """

    host: str
    port: int | None = None
    operator: bool = False

    @classmethod
    def parse(cls, text: str, *, operator: bool = False) -> "AllowedHost":
        """From a setting. Raises BadRequest where it is not of that form."""
        dot = "." if text.startswith(".") else ""
        target = parse_authority(text.strip().removeprefix("."), 443)
        port = target.port if text.rpartition(":")[2].isdigit() else None
        if dot and operator:
            raise BadRequest(f"{text} names many hosts; a package client uses one.")
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided. `anywhere` allows private addresses too."""

    allowed: bool
    why: str
    anywhere: bool = False


class EgressRules:
    """The allow-list of a deployment. Whatever it does not name is refused."""

    def __init__(self, hosts: Iterable[AllowedHost], remedy: str = REMEDY) -> None:
        self._hosts = tuple(hosts)
        self.remedy = remedy

    def judge(self, target: Target) -> Verdict:
        """Decide by name and port, before anything is resolved."""
        entries = [entry for entry in self._hosts if entry.matches(target)]
        if any(entry.operator for entry in entries):
            return Verdict(True, "the operator's package clients use it", anywhere=True)
        if target.address is not None:
            return Verdict(False, "it is an IP address, and only named hosts are allowed")
        if f".{target.host}".endswith(_PRIVATE_NAMES):
            return Verdict(False, "its name belongs to a private network")
        if entries:
            return Verdict(True, "it is on the allow-list")
        if target.port not in PORTS:
            return Verdict(False, f"port {target.port} is not 80 or 443")
        return Verdict(False, "it is not on the allow-list")


def may_connect(address: str, *, anywhere: bool) -> bool:
    """Whether a resolved address may be connected to. Link-local ones never: cloud metadata answers there."""
    ip = _unwrapped(ip_address(address))
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return False
    return anywhere or ip.is_global


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip.teredo:
        return ip.teredo[1]
    if int(ip) >> 32 == int(_NAT64) >> 32:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
