"""Rules of security and form that no single test could hold: every route, every file, every environment read."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount

from outrider.api.gate import OPEN_PATHS, SIGNED_PATHS, needs_login
from outrider.api.server import build_api
from outrider.api.signed import signed_push
from outrider.ports.tools import SessionTools

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src/outrider").rglob("*.py"))

STRANGERS_MAY = {"/api/health", "/api/join", "/api/join/look", "/login/{token}", "/{path:path}"}
"""Routes that answer without a login: whether the server lives, links to log in and to join, the page."""


def _routes(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Every route, those of included routers too, however FastAPI keeps them."""
    for route in routes:
        inner = getattr(route, "original_router", route)
        if inner is not route or isinstance(route, Mount):
            yield from _routes(inner.routes)
        else:
            yield route


PATHS = sorted({route.path for route in _routes(build_api().routes)})  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", PATHS)
def test_a_route_is_behind_the_gate_or_on_the_list(path: str) -> None:
    assert needs_login(re.sub(r"\{[^}]*\}", "x", path)) is (path not in {*STRANGERS_MAY, *SIGNED_PATHS})


def test_no_route_was_overlooked() -> None:
    assert set(build_api().openapi()["paths"]) < set(PATHS)
    assert {"/api/sessions/{session}/feed", "/git/{repository}.git/{path:path}", *STRANGERS_MAY} < set(PATHS)


def test_nothing_else_is_open() -> None:
    assert set(OPEN_PATHS) <= STRANGERS_MAY


def test_a_route_without_a_login_that_is_not_open_checks_a_signature() -> None:
    """And gets at the body in no other way: it has no parameter for it."""
    found = {}
    for route in _routes(build_api().routes):
        if isinstance(route, APIRoute) and route.path in SIGNED_PATHS:
            assert not route.dependant.body_params
            found[route.path] = {dependency.call for dependency in route.dependant.dependencies}
    assert set(found) == set(SIGNED_PATHS)
    assert all(signed_push in calls for calls in found.values())


@dataclass(frozen=True)
class Call:
    """What is called where, and with which arguments by name."""

    path: Path
    line: int
    called: str
    named: tuple[str | None, ...]


@dataclass(frozen=True)
class Code:
    """What the sources do, read once; the trees themselves are too much to keep."""

    calls: list[Call] = field(default_factory=list)
    at_an_end: set[tuple[Path, str]] = field(default_factory=set)
    """What is awaited in a `finally`, or where a cancellation is caught."""


@pytest.fixture(scope="module")
def code() -> Code:
    read = Code()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                named = tuple(keyword.arg for keyword in node.keywords)
                read.calls.append(Call(path, node.lineno, ast.unparse(node.func), named))
            elif isinstance(node, ast.Try):
                read.at_an_end.update((path, called) for called in _awaits_at_an_end(node))
    return read


def _awaits_at_an_end(node: ast.Try) -> Iterator[str]:
    bodies = [node.finalbody]
    for handler in node.handlers:
        kind = ast.unparse(handler.type) if handler.type else "BaseException"
        if "BaseException" in kind or "CancelledError" in kind:
            bodies.append(handler.body)
    inner = (part for body in bodies for statement in body for part in ast.walk(statement))
    awaited = (part.value for part in inner if isinstance(part, ast.Await))
    yield from (ast.unparse(call.func) for call in awaited if isinstance(call, ast.Call))


def test_no_shell_runs_on_the_control_plane(code: Code) -> None:
    """A command line is a list of words: nothing that a person or a guest wrote is ever parsed by a shell of ours."""
    guilty = [
        f"{call.path.relative_to(ROOT)}:{call.line}"
        for call in code.calls
        if "shell" in call.named or "create_subprocess_shell" in call.called
    ]
    assert not guilty


def test_untrusted_xml_and_tar_are_read_safely() -> None:
    text = {path: path.read_text() for path in SOURCES}
    assert not [path.name for path, source in text.items() if "import xml" in source or "from xml" in source]
    production = {path: source for path, source in text.items() if "testing" not in path.parts}
    assert not [path.name for path, source in production.items() if re.search(r"\.extract(all)?\(", source)]


def test_nothing_of_this_machine_is_committed() -> None:
    own_paths = re.compile(r"(?<![\w.-])/(work|farm)/")
    files = [*SOURCES, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "Makefile"]
    assert not [str(path.relative_to(ROOT)) for path in files if own_paths.search(path.read_text())]


def test_nothing_but_a_person_widens_what_a_sandbox_reaches(code: Code) -> None:
    """What allows a host is called from the routes behind the gate alone: no tool of the engine, no effect, no broker
    gets at it, whatever a guest asks for."""
    widening = {"AllowHost", "parts.egress.allow", "lists.allow", "egress.allow"}
    guilty = {
        call.path.relative_to(ROOT / "src/outrider").as_posix()
        for call in code.calls
        if call.called.removeprefix("c.") in widening
    }
    assert guilty == {"api/routes/egress.py"}
    for folder in ("tools", "broker", "engines"):
        imports = "".join(path.read_text() for path in (ROOT / "src/outrider" / folder).rglob("*.py"))
        assert "AllowHost" not in imports
        assert "EgressLists" not in imports


def test_the_engines_tools_are_these() -> None:
    """A tool is a request of the sandbox. A new one is looked at here: it may not merge, approve, or widen. A session
    that is started spends, but within the budget and the limits of the one that starts it."""
    public = {name for name in vars(SessionTools) if not name.startswith("_")}
    sessions = {"spawn_session", "send_to_session", "wait_for_sessions", "list_sessions"}
    assert public == {"run_checks", "open_pull_request", *sessions}


MAY_BE_CUT = {
    ("app/backup/restoring.py", "asyncio.to_thread"): "a thread goes on",
    ("app/way_out.py", "asyncio.to_thread"): "a thread goes on",
    ("broker/door.py", "asyncio.wait"): "the door's own task closes it",
    ("broker/egress/proxy.py", "talks.end"): "its conversations were cancelled before it waits",
    ("broker/gateway.py", "call.settle"): "the session was told; only the answer of its log is waited for",
    ("broker/git.py", "_end"): "it kills before it waits",
    ("broker/http_server.py", "calls.end"): "its calls were cancelled before it waits",
    ("cli/server.py", "self._ended"): "a private server ends when its input is closed",
    ("fleet/commands.py", "process.wait"): "it was told to end before",
    ("fleet/images/builds.py", "self.ledger.end"): "the next start ends what the catalog says is running",
    ("fleet/images/builds.py", "self.ledger.get"): "the next start ends what the catalog says is running",
    ("fleet/images/builds.py", "self.ledger.put"): "the next start ends what the catalog says is running",
    ("fleet/pool/pool.py", "self._keep.close"): "each of its discards goes to its end",
    ("integrations/builtin/git.py", "_end"): "it kills before it waits",
    ("integrations/builtin/guest_fetch.py", "_kill"): "git in the guest ends when its streams do",
    ("integrations/builtin/mirrors.py", "asyncio.to_thread"): "a thread goes on",
    ("integrations/builtin/quarantine.py", "asyncio.to_thread"): "a thread goes on",
    ("proof/report_files.py", "process.signal"): "it sends and does not wait",
    ("sandboxes/guest.py", "process.signal"): "it sends; only for a build it waits, whose sandbox is destroyed next",
    ("sandboxes/namespaces/mapped_call.py", "process.wait"): "it was killed before",
    ("session/effects/start/warm.py", "pool.discard"): "a discard goes to its end",
    ("session/registry.py", "self._projection.write"): "the next start mends the index",
    ("session/registry.py", "frames.aclose"): "nothing outlives the frames",
    ("session/roster.py", "self._logs.close"): "a thread goes on",
    ("storage/catalog.py", "engine.dispose"): "files are closed with the process",
}
"""What is awaited where a cancellation may be on its way, though another may cut it off, and why that does no harm."""


def test_what_ends_something_is_not_cut_off(code: Code) -> None:
    """A second cancellation cuts off a plain `await` in a `finally`, and what it should end is left. So it goes through
    `to_its_end`, or is on the list."""
    found = {
        (path.relative_to(ROOT / "src/outrider").as_posix(), called)
        for path, called in code.at_an_end
        if "testing" not in path.parts and called != "to_its_end"
    }
    assert found == set(MAY_BE_CUT)
