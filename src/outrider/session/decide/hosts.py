"""Hosts that people allow to a session's sandbox, and take back."""

from outrider.model import commands as c
from outrider.model import events as e
from outrider.model.egress import HOSTS_LIMIT, host_for_people
from outrider.model.errors import NotFound
from outrider.model.limits import FIXED, limit_reached
from outrider.session.decide.people import expect_open
from outrider.session.state import State


def allow_host(state: State, command: c.AllowHost) -> tuple[e.Event, ...]:
    """The sandbox may reach one more host; allowing twice is allowing once."""
    expect_open(state)
    host = host_for_people(command.host)
    if command.scope == "session":
        if host in state.allowed_hosts:
            return ()
        if len(state.allowed_hosts) >= HOSTS_LIMIT:
            sentence = f"{HOSTS_LIMIT} hosts are allowed to this session already, which is the most."
            instead = "Forbid one first, or have an owner allow it to the repository."
            raise limit_reached(sentence, instead, FIXED)
    return (e.HostAllowed(host=host, by=command.by, scope=command.scope),)


def forbid_host(state: State, command: c.ForbidHost) -> tuple[e.Event, ...]:
    """The sandbox may not reach it any more. Raises NotFound where it was not allowed to this session."""
    host = host_for_people(command.host)
    if command.scope == "session" and host not in state.allowed_hosts:
        allowed = ", ".join(state.allowed_hosts)
        raise NotFound(
            f"{host} is not allowed to this session by itself.",
            f"Allowed to it are: {allowed}." if allowed else "It may be on the list of its repository.",
        )
    return (e.HostForbidden(host=host, by=command.by, scope=command.scope),)
