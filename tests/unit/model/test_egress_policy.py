"""Hosts as people and recipes name them."""

import pytest
from pydantic import ValidationError

from outrider.model.egress import AllowedHost, EgressPolicy, EgressPreset, EgressSpec, Target, host_for_people
from outrider.model.errors import BadRequest


def test_a_list_of_hosts() -> None:
    assert AllowedHost.parse_list("a.example, .b.example c.example:8443") == (
        AllowedHost("a.example"),
        AllowedHost(".b.example"),
        AllowedHost("c.example", 8443),
    )
    assert AllowedHost.parse_list("") == ()


@pytest.mark.parametrize("text", ["https://a.example", "a.example/x", "*", "a b@c", ".com"])
def test_entries_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        AllowedHost.parse_list(text)


def test_a_client_uses_one_host_not_a_suffix() -> None:
    with pytest.raises(BadRequest):
        AllowedHost.parse(".example.com", operator=True)


def test_hosts_are_kept_in_one_spelling() -> None:
    assert [host_for_people(text) for text in (" A.Example. ", ".B.example", "c.example:8443")] == [
        "a.example",
        ".b.example",
        "c.example:8443",
    ]


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1", "[::1]:80", "127.1", "localhost", "db.internal", ".internal", "printer.local", "x", "a..b", "0x7f.1"],
)
def test_people_allow_public_names_only(text: str) -> None:
    with pytest.raises(BadRequest):
        host_for_people(text)
    with pytest.raises(ValidationError):
        EgressSpec(hosts=(text,))


def test_what_a_recipe_asks_for_needs_a_yes() -> None:
    policy = EgressPolicy.of("bakery", EgressSpec(presets=(EgressPreset.GO,), hosts=("api.example",)))
    assert (policy.presets, policy.hosts, policy.asked, policy.repository) == (
        (EgressPreset.GO,),
        (),
        ("api.example",),
        "bakery",
    )


def test_a_repository_that_names_nothing_has_the_registries() -> None:
    assert EgressPreset.PYPI in EgressPolicy.of("bakery").presets
    assert EgressPreset.GITHUB_READ not in EgressPolicy.of("bakery").presets


def test_the_entry_that_would_allow_a_target() -> None:
    assert Target("a.example", 443).rule == "a.example"
    assert Target("a.example", 22).rule == "a.example:22"
