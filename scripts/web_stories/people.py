"""Made-up people for looking at the page: members, links, who is there."""

from datetime import UTC, datetime, timedelta
from typing import Any

_NAMES = ("Maren Holt", "Ada Lovelace", "Tomás Rivera", "Yuki Tanaka", "Sam", "Priya Nair")


def _person(name: str) -> dict[str, str]:
    return {"name": name, "email": f"{name.split()[0].lower()}@example.org"}


_ROLES = ("owner", "prompter", "viewer", "prompter")
MEMBERS: dict[str, Any] = {
    "members": [
        {"person": _person(name), "role": role, "guest": role == "viewer"}
        for name, role in zip(_NAMES, _ROLES, strict=False)
    ],
    "others": "prompter",
    "yours": "owner",
}
_LINK: dict[str, Any] = {
    "id": "link-abcdefghij",
    "session": "s-k4q7ab2xyz",
    "role": "viewer",
    "by": _person("Maren Holt"),
    "made_at": (datetime.now(UTC) - timedelta(minutes=12)).isoformat(),
    "expires_at": (datetime.now(UTC) + timedelta(hours=5)).isoformat(),
    "uses": 10,
    "used": 3,
}
LINKS: dict[str, Any] = {"invites": [_LINK]}
LINK_MADE: dict[str, Any] = {"url": "http://localhost:4100/join#oWn1kX0u3QdVx7m2YtqZ8b4c", "invite": _LINK}
LINK_SHOWN: dict[str, Any] = {
    "title": "Shares lose a cent",
    "role": "prompter",
    "by": _person("Maren Holt"),
    "you": None,
}
PRESENCE: dict[str, Any] = {
    "kind": "presence",
    "people": [
        {"person": _person(name), "guest": False, "clients": ["browser"], "typing": name.startswith("Tom")}
        for name in ("Tomás Rivera", "Maren Holt", "Ada Lovelace", "Yuki Tanaka", "Sam", "Priya Nair")
    ],
    "count": 9,
    "typing": 1,
}
