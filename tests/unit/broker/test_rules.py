"""Who may be reached, and at which addresses."""

import pytest

from outrider.broker.egress.rules import EgressRules, OperatorRules, parse_networks
from outrider.model.egress import PRESET_HOSTS, AllowedHost, EgressPolicy, EgressPreset, Target
from outrider.model.errors import BadRequest

OPERATOR = OperatorRules(
    (
        AllowedHost.parse("mirror.lan:3141", operator=True),
        AllowedHost.parse("10.1.2.3", operator=True),
        AllowedHost.parse("git.corp.internal"),
    ),
    parse_networks("10.7.0.0/16, fd12::/32"),
)
RULES = EgressRules(OPERATOR, {"bakery": ("listed.example",)}.get)  # type: ignore[arg-type]
POLICY = EgressPolicy(
    presets=(EgressPreset.PYPI,),
    hosts=("example.com", ".cdn.example", "ports.example:8443"),
    asked=("asked.example",),
    repository="bakery",
)


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        (Target("example.com", 443), True),
        (Target("example.com", 80), True),
        (Target("example.com", 22), False),
        (Target("www.example.com", 443), False),
        (Target("example.com.evil.example", 443), False),
        (Target("a.cdn.example", 443), True),
        (Target("a.b.cdn.example", 443), True),
        (Target("cdn.example", 443), False),
        (Target("evilcdn.example", 443), False),
        (Target("ports.example", 8443), True),
        (Target("ports.example", 443), False),
        (Target("pypi.org", 443), True),
        (Target("pypi.org", 22), False),
        (Target("registry.npmjs.org", 443), False),
        (Target("listed.example", 443), True),
        (Target("asked.example", 443), False),
        (Target("mirror.lan", 3141), True),
        (Target("mirror.lan", 443), False),
        (Target("git.corp.internal", 443), True),
        (Target("db.internal", 443), False),
        (Target("10.1.2.3", 443), True),
        (Target("10.1.2.4", 443), False),
        (Target("10.7.2.4", 443), True),
        (Target("10.7.2.4", 5432), False),
        (Target("fd12::7", 443), True),
        (Target("93.184.215.14", 443), False),
        (Target("::1", 443), False),
        (Target("localhost", 443), False),
        (Target("server", 443), False),
    ],
)
def test_names_and_ports(target: Target, allowed: bool) -> None:
    assert RULES.judge(target, POLICY).allowed is allowed


def test_a_host_that_a_person_allowed_to_the_session() -> None:
    wanted = Target("more.example", 443)
    assert not RULES.judge(wanted, POLICY).allowed
    assert RULES.judge(wanted, POLICY, ["more.example"]).why == "a person allowed it to this session"


@pytest.mark.parametrize(
    ("target", "allowable"),
    [
        (Target("evil.example", 443), True),
        (Target("asked.example", 443), True),
        (Target("example.com", 22), True),
        (Target("10.1.2.4", 443), False),
        (Target("localhost", 443), False),
        (Target("db.internal", 443), False),
    ],
)
def test_what_people_may_allow(target: Target, allowable: bool) -> None:
    assert RULES.judge(target, POLICY).allowable is allowable


def test_what_the_recipe_asks_for_is_refused_in_other_words() -> None:
    assert "outrider.toml asks for it" in RULES.judge(Target("asked.example", 443), POLICY).why


def test_only_hosts_that_no_stranger_has_a_hand_in_may_be_private() -> None:
    assert RULES.judge(Target("mirror.lan", 3141), POLICY).anywhere
    assert RULES.judge(Target("pypi.org", 443), POLICY).anywhere
    assert not RULES.judge(Target("example.com", 443), POLICY).anywhere
    assert not RULES.judge(Target("git.corp.internal", 443), POLICY).anywhere


def test_a_private_name_is_the_operators_alone() -> None:
    assert not RULES.judge(Target("x.local", 80), POLICY, ["x.local"]).allowed
    without_networks = EgressRules(OperatorRules((AllowedHost.parse("git.corp.internal"),)))
    assert not without_networks.judge(Target("git.corp.internal", 443), POLICY).allowed


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "192.0.2.1", "198.18.0.1",
        "255.255.255.255", "224.0.0.1", "169.254.169.254", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2002:7f00:1::", "::ffff:169.254.169.254",
        "168.63.129.16",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not OPERATOR.may_connect(address, anywhere=False)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "10.7.0.1", "::ffff:10.7.0.1", "fd12::1"]
)
def test_public_addresses_and_those_of_listed_networks(address: str) -> None:
    assert OPERATOR.may_connect(address, anywhere=False)


METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"]


@pytest.mark.parametrize("address", [*METADATA, "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "ff02::1"])
def test_metadata_and_multicast_are_never_reached(address: str) -> None:
    everything = OperatorRules((), parse_networks("0.0.0.0/0 ::/0 169.254.169.254/32"))
    assert not everything.may_connect(address, anywhere=True)
    assert not EgressRules(everything).judge(Target(address, 80), POLICY).allowed


def test_a_wide_network_does_not_open_this_machine() -> None:
    wide = OperatorRules((), parse_networks("0.0.0.0/0 ::/0"))
    assert wide.may_connect("192.168.1.1", anywhere=False)
    assert not wide.may_connect("127.0.0.1", anywhere=False)
    assert not wide.may_connect("::1", anywhere=False)
    assert OperatorRules((), parse_networks("127.0.0.1/32")).may_connect("127.0.0.1", anywhere=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "192.0.2.1"])
def test_the_operators_own_addresses(address: str) -> None:
    assert OPERATOR.may_connect(address, anywhere=True)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "example.com", "10.0.0.0/99"])
def test_networks_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is not a network"):
        parse_networks(text)


def test_every_preset_names_hosts_that_a_person_could() -> None:
    hosts = [host for preset in EgressPreset for host in PRESET_HOSTS[preset]]
    assert EgressPolicy(hosts=tuple(hosts)).hosts == tuple(hosts)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("pypi.org", True),
        ("example.com", True),
        ("listed.example", False),
        ("a.cdn.example", False),
        ("registry.npmjs.org", False),
        ("mirror.lan", True),
    ],
)
def test_a_child_reaches_what_it_and_all_above_it_may(host: str, allowed: bool) -> None:
    parent = EgressPolicy(presets=(EgressPreset.PYPI, EgressPreset.NPM), hosts=("example.com",))
    root = EgressPolicy(presets=(EgressPreset.PYPI,), hosts=("example.com", ".cdn.example"))
    target = Target(host, 3141 if host == "mirror.lan" else 443)
    verdict = RULES.judge_within(target, POLICY, (), (parent, root))
    assert verdict.allowed is allowed
    if host == "listed.example":
        assert "session that started this one" in verdict.why
        assert verdict.allowable


def test_a_person_may_allow_a_host_to_a_child_itself() -> None:
    nothing = EgressPolicy(presets=())
    target = Target("asked.example", 443)
    assert not RULES.judge_within(target, POLICY, (), (nothing,)).allowed
    assert RULES.judge_within(target, POLICY, ("asked.example",), (nothing,)).allowed
