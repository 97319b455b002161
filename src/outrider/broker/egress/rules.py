"""Which hosts a sandbox may reach, and at which addresses."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from outrider.model.egress import PORTS, PRESET_HOSTS, PRIVATE_NAMES, AllowedHost, EgressPolicy, Target
from outrider.model.errors import BadRequest

Network = IPv4Network | IPv6Network

NEVER = frozenset(
    ip_address(address) for address in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
"""Where clouds hand out credentials beside the link-local address: Amazon over IPv6, Alibaba, Azure, Oracle."""

_NAT64 = IPv6Address("64:ff9b::")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided. `anywhere` allows private addresses too: hosts that no stranger has a hand in may be behind a
    mirror or a filtering gateway. `allowable` says whether a person may allow what was refused."""

    allowed: bool
    why: str
    anywhere: bool = False
    allowable: bool = False


@dataclass(frozen=True, slots=True)
class OperatorRules:
    """What the operator allows every sandbox that has a way out. Only the operator names networks: in them an allowed
    host may have its address, and addresses may be reached as they are."""

    hosts: tuple[AllowedHost, ...] = ()
    networks: tuple[Network, ...] = ()

    def judge(self, target: Target) -> Verdict | None:
        """Decide what the operator has spoken of; None for the rest."""
        entries = [entry for entry in self.hosts if entry.matches(target)]
        if any(entry.operator for entry in entries):
            return Verdict(True, "the operator's package clients use it", anywhere=True)
        if target.address is not None:
            listed = target.port in PORTS and self.lists(target.address)
            listed = listed and self.may_connect(target.host, anywhere=False)
            return Verdict(True, "the operator allows its network") if listed else None
        private = f".{target.host}".endswith(PRIVATE_NAMES)
        if entries and (self.networks or not private):
            return Verdict(True, "the operator allows it")
        return None

    def lists(self, ip: IPv4Address | IPv6Address) -> bool:
        """Whether a listed network has this address. Loopback is meant only by a network within it: a wide one that
        happens to contain it, such as 0.0.0.0/0, does not open this machine."""
        return any(ip in network and (not ip.is_loopback or network.is_loopback) for network in self.networks)

    def may_connect(self, address: str, *, anywhere: bool) -> bool:
        """Whether a resolved address may be connected to. Link-local ones never, nor others at which clouds hand out
        credentials."""
        ip = _unwrapped(ip_address(address))
        if ip.is_multicast or ip.is_unspecified or ip.is_link_local or ip in NEVER:
            return False
        return anywhere or ip.is_global or self.lists(ip)


class EgressRules:
    """The rules of a deployment. Whatever nobody allows is refused."""

    def __init__(self, operator: OperatorRules, listed: Callable[[str], Iterable[str]] = lambda repository: ()) -> None:
        self.operator = operator
        self._listed = listed
        """The hosts that people have allowed to a repository."""

    def judge_within(
        self, target: Target, policy: EgressPolicy, allowed: Sequence[str], within: Sequence[EgressPolicy]
    ) -> Verdict:
        """As `judge`, and every policy in `within` must agree too, but about what people have allowed to the session
        itself."""
        verdict = self.judge(target, policy, allowed)
        if not verdict.allowed or _named(target, allowed):
            return verdict
        outer = [self.judge(target, above) for above in within]
        if all(one.allowed for one in outer):
            return verdict
        why = "the session that started this one could not reach it, and a session has no wider way out than that"
        return Verdict(False, why, allowable=all(one.allowed or one.allowable for one in outer))

    def judge(self, target: Target, policy: EgressPolicy, allowed: Sequence[str] = ()) -> Verdict:
        """Decide by name and port, before anything is resolved. `allowed` are hosts that people have allowed to the
        session."""
        verdict = self.operator.judge(target)
        if verdict is not None:
            return verdict
        if target.address is not None:
            return Verdict(False, "it is an IP address, and only named hosts are allowed")
        if "." not in target.host or f".{target.host}".endswith(PRIVATE_NAMES):
            return Verdict(False, "its name belongs to a private network")
        preset = next((one for one in policy.presets if target.host in PRESET_HOSTS[one]), None)
        if preset is not None and target.port in PORTS:
            return Verdict(True, f"it belongs to the preset {preset}", anywhere=True)
        if why := self._why_allowed(target, policy, allowed):
            return Verdict(True, why)
        if _named(target, policy.asked):
            return Verdict(False, "outrider.toml asks for it and nobody has allowed it yet", allowable=True)
        if target.port not in PORTS:
            return Verdict(False, f"port {target.port} is not 80 or 443", allowable=True)
        return Verdict(False, "it is not on the allow-list", allowable=True)

    def _why_allowed(self, target: Target, policy: EgressPolicy, allowed: Sequence[str]) -> str:
        if _named(target, policy.hosts):
            return "it is on the allow-list"
        if _named(target, allowed):
            return "a person allowed it to this session"
        if policy.repository is not None and _named(target, self._listed(policy.repository)):
            return f"a person allowed it to {policy.repository}"
        return ""


def parse_networks(text: str) -> tuple[Network, ...]:
    """From a setting with commas or spaces between the entries. Raises BadRequest."""
    found = []
    for entry in text.replace(",", " ").split():
        try:
            found.append(ip_network(entry))
        except ValueError as error:
            raise BadRequest(f"{entry} is not a network.", "Write it as 10.0.0.0/8 or fd00::/8.") from error
    return tuple(found)


def _named(target: Target, hosts: Iterable[str]) -> bool:
    return any(AllowedHost.parse(host).matches(target) for host in hosts)


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip.teredo:
        return ip.teredo[1]
    if int(ip) >> 32 == int(_NAT64) >> 32:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
