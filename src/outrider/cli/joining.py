"""Follows links: the person logs in at a server elsewhere, or joins a session there."""

import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import click
import httpx

from outrider.api.auth import COOKIE
from outrider.app.author import find_author
from outrider.cli.client import Client, gone, logged_in, refusal
from outrider.cli.links import Link, address_of
from outrider.cli.logins import KeptLogin, Logins
from outrider.cli.server import HERE, wanted_server
from outrider.model.errors import NotFound, OutriderError
from outrider.model.ids import SessionId
from outrider.model.person import Person
from outrider.settings import Settings

LONGEST_LINK = 4096


@dataclass(frozen=True, slots=True)
class Joined:
    """What a link has led to."""

    server: str
    login: KeptLogin
    session: SessionId | None
    role: str = ""
    """In the session, where the link was into one."""


def read_link(text: str) -> Link:
    """A link as it was given; `-` reads it from stdin, where no list of processes shows it. Raises BadRequest."""
    if text == "-":
        text = click.prompt("Link", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read(LONGEST_LINK)
    named = wanted_server()
    return Link.parse(text, address_of(named) if named and named != HERE else None)


class LinkClient(Client):
    """What follows links."""

    async def follow_login(self, token: str) -> str | None:
        """The token of the login that a login link gives; None where it leads nowhere."""
        try:
            answer = await self.http.get(f"/login/{quote(token, safe='')}")
        except httpx.TransportError as error:
            raise gone(self.url) from error
        return answer.cookies.get(COOKIE) if answer.status_code == httpx.codes.SEE_OTHER else None

    async def join(self, token: str, person: Person | None) -> tuple[dict[str, Any], str | None]:
        """Follow a link into a session, as this person where nobody is logged in: what came of it, and a guest's fresh
        login. Raises what the server refuses it for."""
        body = {"token": token, "person": person.model_dump() if person else None}
        try:
            answer = await self.http.post("/api/join", json=body)
        except httpx.TransportError as error:
            raise gone(self.url) from error
        if not answer.is_success:
            raise refusal(answer.status_code, answer.content)
        return answer.json(), answer.cookies.get(COOKIE)


async def follow(settings: Settings, link: Link, who: Person | None) -> Joined:
    """Follow a link, keep the login, and have the commands of this home go to that server. `who` is the person where
    nobody is logged in there; git's user without. Raises what the server refuses it for."""
    logins = Logins(settings.config, settings.home)
    joined = await _log_in(link) if link.logs_in else await _join(link, logins.find(link.server), who)
    logins.keep(link.server, joined.login)
    return joined


async def _log_in(link: Link) -> Joined:
    async with LinkClient(link.server, {}) as stranger:
        token = await stranger.follow_login(link.token)
    if token is None:
        raise NotFound("This link was used already, or is too old.", "Ask for a fresh one: outrider login")
    session = SessionId(link.session) if link.session else None
    return Joined(link.server, await _whose(link.server, token), session)


async def _join(link: Link, login: KeptLogin | None, who: Person | None) -> Joined:
    person = who or find_author().person
    async with LinkClient(link.server, logged_in(login.token) if login else {}) as client:
        told, fresh = await client.join(link.token, person)
    token = fresh or (login.token if login else None)
    if token is None:
        raise OutriderError(f"The server at {link.server} gave no login.")
    return Joined(link.server, await _whose(link.server, token), SessionId(told["session"]), told["role"])


async def _whose(server: str, token: str) -> KeptLogin:
    async with Client(server, logged_in(token)) as client:
        me = await client.ask("GET", "/api/me")
    return KeptLogin(token=token, person=Person.model_validate(me["person"]), guest=bool(me["guest"]))
