"""Hosts that a sandbox was refused, and what people allow it."""

import pytest

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.errors import BadRequest, LimitReached, NotFound, Refused
from outrider.session.decide.sandbox import REFUSALS_TOLD
from outrider.testing.playbook import ADA, Playbook, play


def refuse(session: Playbook, host: str, port: int = 443) -> str:
    rule = host if port == 443 else f"{host}:{port}"
    return session.ask(c.Report(e.EgressRefused(host=host, port=port, why="it is not", rule=rule, allowable=True)))


def test_a_refused_host_is_told_once_a_turn() -> None:
    session = play()
    assert refuse(session, "a.example") == "egress_refused"
    assert refuse(session, "a.example") == ""
    assert refuse(session, "a.example", port=22) == "egress_refused"


def test_a_guest_that_tries_doors_fills_no_log() -> None:
    session = play()
    told = [refuse(session, f"a{number}.example") for number in range(3 * REFUSALS_TOLD)]
    assert told.count("egress_refused") == REFUSALS_TOLD


def test_a_host_is_allowed_once() -> None:
    session = play()
    refuse(session, "a.example")
    assert session.ask(c.AllowHost("A.Example.", ADA)) == "host_allowed"
    assert session.state.allowed_hosts == ("a.example",)
    assert session.ask(c.AllowHost("a.example", ADA)) == ""
    assert refuse(session, "a.example") == "egress_refused"  # for its address, now


def test_what_is_allowed_to_the_repository_is_only_told() -> None:
    session = play()
    assert session.ask(c.AllowHost("a.example", ADA, "repository")) == "host_allowed"
    assert session.state.allowed_hosts == ()


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost", "metadata.google.internal", "http://a.example"])
def test_people_allow_public_names_only(host: str) -> None:
    with pytest.raises(BadRequest):
        play().ask(c.AllowHost(host, ADA))


def test_no_more_than_a_hundred_hosts() -> None:
    session = play()
    for number in range(100):
        session.ask(c.AllowHost(f"a{number}.example", ADA))
    with pytest.raises(LimitReached):
        session.ask(c.AllowHost("one-more.example", ADA))


def test_an_archived_session_is_allowed_nothing() -> None:
    session = Playbook()
    session.ask(c.Archive(ADA))
    with pytest.raises(Refused):
        session.ask(c.AllowHost("a.example", ADA))


def test_a_host_is_taken_back() -> None:
    session = play()
    refuse(session, "a.example")
    session.ask(c.AllowHost("a.example", ADA))
    assert session.ask(c.ForbidHost("A.example.", ADA)) == "host_forbidden"
    assert session.state.allowed_hosts == ()
    assert refuse(session, "a.example") == "egress_refused"
    with pytest.raises(NotFound, match="is not allowed to this session"):
        session.ask(c.ForbidHost("a.example", ADA))


def test_what_is_taken_from_the_repository_is_only_told() -> None:
    session = play()
    session.ask(c.AllowHost("a.example", ADA))
    assert session.ask(c.ForbidHost("b.example", ADA, "repository")) == "host_forbidden"
    assert session.state.allowed_hosts == ("a.example",)
