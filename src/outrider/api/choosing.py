"""Which sessions a request is about: the filters that the list, the search and the live list share."""

from typing import Annotated, Literal, get_args

from fastapi import Depends, Query

from outrider.api.access import sees_all
from outrider.api.parts import UseLogin, UseParts
from outrider.model.membership import person_key
from outrider.ports.store import Wanted

Status = Literal["waiting", "waking", "running", "stopping", "idle", "asleep", "archived"]

EVERY = frozenset(get_args(Status))

SEARCHED = 200
"""Passages that are looked through for sessions whose title does not have the words."""


async def wanted(
    parts: UseParts,
    login: UseLogin,
    state: Annotated[tuple[Status, ...], Query(description="Several are either; none: all but archived")] = (),
    repository: Annotated[str, Query(max_length=300)] = "",
    person: Annotated[str, Query(max_length=200, description="Who began it, by name")] = "",
    text: Annotated[str, Query(max_length=500, description="In its title, or asked or said in it")] = "",
) -> Wanted:
    """From the query of the request. No session that the caller may not see is wanted."""
    words = text.strip()
    among = frozenset(hit.session for hit in await parts.search.find(words, SEARCHED)) if words else None
    member = "" if sees_all(parts, login) else person_key(login.person.email)
    only = frozenset(login.account.sessions) if login.account.guest else None
    return Wanted(frozenset(state), repository, person, words, among, member, only)


UseWanted = Annotated[Wanted, Depends(wanted)]
