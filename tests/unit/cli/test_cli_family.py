"""A stop offers the sessions below."""

import io
from typing import Any

import pytest

from outrider.cli.client import Client
from outrider.cli.family import offer_children
from outrider.model.errors import NotAllowed
from outrider.model.ids import SessionId

SESSION = SessionId("s-aaaaaaaaaa")


class Parent(Client):
    """A server's answers about one session with children in these states."""

    def __init__(self, *states: str) -> None:
        super().__init__("http://localhost:1", {})
        self.states = states
        self.stopped: list[bool] = []

    async def ask(self, method: str, path: str, body: Any = None, *, timeout: float = 1) -> dict[str, Any]:
        if method == "POST":
            self.stopped.append(body["children"])
            return {}
        if not self.states:
            raise NotAllowed("A guest sees the sessions that they were invited to.")
        return {"working": True, "children": [{"state": state} for state in self.states]}


class TypedIn(io.StringIO):
    """A terminal at which somebody answers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "stopped"), [("y\n", [True]), ("n\n", []), ("\n", [])])
async def test_on_a_terminal_they_are_asked_for(
    answer: str, stopped: list[bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", TypedIn(answer))
    parent = Parent("working", "resting", "requested", "refused")
    said = await offer_children(parent, SESSION, None)
    assert parent.stopped == stopped
    assert said.startswith("Stopping them too." if stopped else "2 sessions that it started still work.")
    shown = capsys.readouterr()
    assert "2 sessions that it started still work. Stop them too? [y/N]" in shown.err + shown.out


async def test_one_is_spoken_of_as_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", TypedIn("y\n"))
    assert await offer_children(Parent("working"), SESSION, None) == "Stopping it too."
    shown = capsys.readouterr()
    assert "1 session that it started still works. Stop it too? [y/N]" in shown.err + shown.out


@pytest.mark.parametrize("children", [None, False])
async def test_where_nobody_can_be_asked_it_is_said_how_to(
    children: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    parent = Parent("working")
    said = await offer_children(parent, SESSION, children)
    assert said == f"1 session that it started still works. To stop it: outrider stop {SESSION} --children"
    assert parent.stopped == []


async def test_what_was_said_before_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TypedIn("n\n"))
    parent = Parent("working")
    assert await offer_children(parent, SESSION, children=True) == "Stopping it too."
    assert parent.stopped == [True]


@pytest.mark.parametrize("states", [("resting", "refused"), ()])
async def test_where_none_works_or_none_may_be_seen_nothing_is_said(states: tuple[str, ...]) -> None:
    assert await offer_children(Parent(*states), SESSION, None) == ""
