"""Events of a session's people. Part of `model.events`."""

from typing import Literal

from pydantic import Field

from outrider.model.base import Model
from outrider.model.membership import Role
from outrider.model.person import Person


class MemberJoined(Model):
    """A person is a member of the session from now on. Who started it is one from the first event on."""

    type: Literal["member_joined"] = "member_joined"
    person: Person
    role: Role
    guest: bool = Field(default=False, description="Came by a link, without a login of their own")
    by: Person | None = Field(default=None, description="Who added them, or made the link that they followed")


class RoleChanged(Model):
    """A member has another role."""

    type: Literal["role_changed"] = "role_changed"
    person: Person
    role: Role
    by: Person


class MemberLeft(Model):
    """A person is no member any more, by their own wish or an owner's."""

    type: Literal["member_left"] = "member_left"
    person: Person
    by: Person
