"""People, as authors of prompts and commits."""

from typing import Annotated

from pydantic import Field, StringConstraints

from outrider.model.base import Model

PersonName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^<>\n\r\x00]+$")
]
PersonEmail = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^<>@\s\x00]+@[^<>@\s\x00]+$")
]


class Person(Model):
    """Who did something. Name and email are what git writes into a commit."""

    name: PersonName
    email: PersonEmail


OUTRIDER = Person(name="Outrider", email="outrider@localhost")
"""The control plane itself, where nobody else acted."""


VIA_GUEST = "guest"
"""By a link, without a login of their own: the name is what they typed."""


class Author(Model):
    """The author of a prompt, and by what way it came."""

    person: Person
    via: str = Field(default="api", max_length=40, pattern=r"^[a-z][a-z0-9-]*$")
