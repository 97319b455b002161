"""Lists at any width: what names a row is never cut, and in a pipe nothing is."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from outrider.cli.commands import children, doctor, join, queue, search, sessions
from outrider.cli.finding import Finding, State
from outrider.cli.image_table import draw_bases
from outrider.cli.layout import is_narrow
from outrider.cli.logins import KeptLogin, Logins
from outrider.cli.views import PIPE_WIDTH, make_list_console
from outrider.model.ids import LayerId
from outrider.model.image import BaseState
from outrider.testing.playbook import BOB

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
LONG = "Shares lose a cent when they are split among more than three people of one household"
ADDRESS = "https://outrider.example.org:8443"

Draw = Callable[[Console], None]


def of_sessions(console: Console) -> None:
    row = {"id": "s-k4q7ab2xyz", "title": LONG, "status": "running", "repository": "ledger", "verdict": None}
    row |= {"pull_request": 12, "pull_request_state": "open", "updated_at": (NOW - timedelta(hours=3)).isoformat()}
    sessions.draw(console, [row], NOW)


def of_children(console: Console) -> None:
    result = {"reason": "checks_not_run", "summary": "No checks.", "branch": "outrider/s-m2p9cd4uvw/work", "commits": 2}
    row = {"session": "s-m2p9cd4uvw", "title": LONG, "state": "resting", "refusal": "", "result": result}
    children.draw(console, [row])


def of_queue(console: Console) -> None:
    author = {"person": BOB.model_dump(mode="json")}
    row = {"id": "q-abcdefghij", "text": LONG, "author": author, "edited_by": None, "attachments": [{"name": "a.png"}]}
    queue.draw(console, [row])


def of_finds(console: Console) -> None:
    snippet = [{"text": "when the ", "hit": False}, {"text": "discount", "hit": True}, {"text": " is", "hit": False}]
    hit = {"session": "s-k4q7ab2xyz", "title": LONG, "snippet": snippet, "kind": "message", "repository": "ledger"}
    search.draw(console, [hit | {"at": NOW.isoformat()}], NOW)


def of_bases(console: Console) -> None:
    name = "docker.io/library/python:3.12-slim-bookworm"
    draw_bases(console, [BaseState(name=name, made_at=None, layer=LayerId("oci-3f9c2d1a77b0aa11"))], NOW)


def of_findings(console: Console) -> None:
    doctor.show(console, [Finding("sandbox microsandbox", State.ABSENT, LONG, "Use a machine with KVM.")])


LISTS: dict[str, tuple[Draw, tuple[str, ...]]] = {
    "sessions": (of_sessions, ("s-k4q7ab2xyz", "running", "#12 open", "3 h ago")),
    "children": (of_children, ("s-m2p9cd4uvw", "checks not run", "outrider/s-m2p9cd4uvw/work")),
    "queue": (of_queue, ("1  Shares lose", "Bob", "q-abcdefghij")),
    "search": (of_finds, ("s-k4q7ab2xyz", LONG, "when the discount is", "said, just now, ledger")),
    "bases": (of_bases, ("python:3.12-slim-bookworm", "unknown", "oci-3f9c2d1a77b0aa11")),
    "doctor": (of_findings, ("sandbox microsandbox", LONG, "→ Use a machine with KVM.")),
}


def lines(draw: Draw, width: int, *, terminal: bool = True) -> list[str]:
    out = io.StringIO()
    draw(Console(file=out, width=width, force_terminal=terminal, color_system=None, highlight=False, markup=False))
    return out.getvalue().splitlines()


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("width", [50, 80, 120])
def test_what_matters_is_there_within_the_width(name: str, width: int) -> None:
    draw, wanted = LISTS[name]
    told = lines(draw, width)
    assert max(map(len, told)) <= width
    said = words(" ".join(told))
    for one in wanted:
        assert words(one) in said


@pytest.mark.parametrize("name", ["sessions", "children", "queue"])
def test_a_narrow_terminal_cuts_no_title(name: str) -> None:
    draw, _ = LISTS[name]
    assert LONG in words(" ".join(lines(draw, 50)))


@pytest.mark.parametrize("name", ["sessions", "children", "queue", "search", "doctor"])
def test_in_a_pipe_nothing_is_cut_and_nothing_is_wrapped(name: str) -> None:
    draw, _ = LISTS[name]
    assert any(LONG in line for line in lines(draw, PIPE_WIDTH, terminal=False))
    assert max(map(len, lines(draw, PIPE_WIDTH, terminal=False))) < 200, "and none is filled up with spaces"


def test_a_list_that_goes_nowhere_near_a_terminal_is_as_wide_as_it_wants(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_list_console()
    assert not is_narrow(console)
    of_sessions(console)
    assert LONG in capsys.readouterr().out


@pytest.mark.parametrize("width", [50, 100])
def test_logins_say_which_is_used_and_who_one_is_there(tmp_path: Path, width: int) -> None:
    logins = Logins(tmp_path / "config", tmp_path / "home")
    logins.keep(ADDRESS, KeptLogin(token="t", person=BOB, guest=True))
    told: list[str] = lines(lambda console: join.draw(console, logins), width)
    [used] = [line for line in told if line.startswith("* ")]
    assert ADDRESS in used
    assert "Bob <bob@example.org> (a guest)" in words(" ".join(told))
    assert max(map(len, told)) <= width


def test_a_prompt_by_somebody_with_a_long_name_is_read_all_the_same() -> None:
    row: dict[str, Any] = {"id": "q-abcdefghij", "text": LONG, "edited_by": None, "attachments": []}
    row["author"] = {"person": {"name": "Maximilian Alexander Featherstonehaugh the Third"}}
    [_, told] = lines(lambda console: queue.draw(console, [row]), 80)
    assert "Shares lose a cent when they" in told
