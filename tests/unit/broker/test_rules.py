"""Who may be reached, and at which addresses."""

import pytest

from outrider.broker.egress.rules import AllowedHost, EgressRules, may_connect
from outrider.broker.egress.target import Target
from outrider.model.errors import BadRequest

RULES = EgressRules(
    [
        AllowedHost.parse("example.com"),
        AllowedHost.parse(".cdn.example"),
        AllowedHost.parse("ports.example:8443"),
        AllowedHost.parse("mirror.lan:3141", operator=True),
        AllowedHost.parse("10.1.2.3", operator=True),
    ]
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
        (Target("mirror.lan", 3141), True),
        (Target("mirror.lan", 443), False),
        (Target("10.1.2.3", 443), True),
        (Target("10.1.2.4", 443), False),
        (Target("93.184.215.14", 443), False),
        (Target("::1", 443), False),
        (Target("localhost", 443), False),
        (Target("db.internal", 443), False),
    ],
)
def test_names_and_ports(target: Target, allowed: bool) -> None:
    assert RULES.judge(target).allowed is allowed


def test_only_the_operators_own_may_be_private() -> None:
    assert RULES.judge(Target("mirror.lan", 3141)).anywhere
    assert not RULES.judge(Target("example.com", 443)).anywhere


def test_a_private_name_is_refused_even_when_listed() -> None:
    rules = EgressRules([AllowedHost.parse(".internal"), AllowedHost.parse("x.local")])
    assert not rules.judge(Target("metadata.internal", 80)).allowed
    assert not rules.judge(Target("x.local", 80)).allowed


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "192.0.2.1", "198.18.0.1",
        "255.255.255.255", "224.0.0.1", "169.254.169.254", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2002:7f00:1::", "::ffff:169.254.169.254",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not may_connect(address, anywhere=False)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses(address: str) -> None:
    assert may_connect(address, anywhere=False)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "ff02::1"])
def test_metadata_and_multicast_are_never_reached(address: str) -> None:
    assert not may_connect(address, anywhere=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "192.0.2.1"])
def test_the_operators_own_addresses(address: str) -> None:
    assert may_connect(address, anywhere=True)


def test_a_list_of_hosts() -> None:
    assert AllowedHost.parse_list("a.example, .b.example c.example:8443") == (
        AllowedHost("a.example"),
        AllowedHost(".b.example"),
        AllowedHost("c.example", 8443),
    )
    assert AllowedHost.parse_list("") == ()


@pytest.mark.parametrize("text", ["https://a.example", "a.example/x", "*", "a b@c"])
def test_entries_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        AllowedHost.parse_list(text)


def test_a_client_uses_one_host_not_a_suffix() -> None:
    with pytest.raises(BadRequest):
        AllowedHost.parse(".example.com", operator=True)
