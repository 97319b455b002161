"""The commands of the terminal, against a real server. Nothing here needs a sandbox."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import httpx
import pytest
from click.testing import CliRunner

from outrider import __version__
from outrider.app.home import Home
from outrider.cli.main import main
from tests.e2e.deployment import Finished
from tests.forks import Forked, Forks, forks

SECONDS = 120
LINE_BYTES = 1000
OUTRIDER = "outrider.cli.main:main"


@dataclass(frozen=True)
class Watched:
    """A server that somebody looks at."""

    process: Forked
    stdin: IO[bytes]
    errors: IO[bytes]

    def ended(self) -> tuple[int, bytes]:
        """Its exit code, and what it said of errors."""
        code = self.process.wait(SECONDS)
        self.errors.seek(0)
        return code, self.errors.read()


@contextmanager
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Its two ends."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as first, os.fdopen(writing, "wb") as second:
        yield first, second


@dataclass(frozen=True)
class Terminal:
    """A person's terminal, with a home of its own."""

    home: Home
    forks: Forks
    port: str = "0"
    variables: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str = "") -> Finished:
        """A command, in this process: one of its own takes half a second to begin."""
        environment = {**dict.fromkeys(os.environ), **self.environment}
        with pytest.MonkeyPatch.context() as patch, CliRunner().isolation(stdin, environment) as (out, err, _):
            patch.setattr(sys, "argv", ["outrider", *arguments])
            with pytest.raises(SystemExit) as end:
                main()
        return Finished(int(end.value.code or 0), out.getvalue().decode(), err.getvalue().decode())

    def process(self, *arguments: str) -> Finished:
        """A command as a process of its own."""
        with Path(os.devnull).open("rb") as nothing, TemporaryFile() as out, TemporaryFile() as errors:
            code = self.forks.fork(OUTRIDER, arguments, self.environment, (nothing, out, errors)).wait(SECONDS)
            for file in (out, errors):
                file.seek(0)
            return Finished(code, out.read().decode(), errors.read().decode())

    @contextmanager
    def watched(self, *arguments: str) -> Iterator[Watched]:
        """A command that runs a server for as long as it lives, once it has said where."""
        with pipe() as (given, stdin), TemporaryFile() as out, TemporaryFile() as errors:
            process = self.forks.fork(OUTRIDER, arguments, self.environment, (given, out, errors))
            given.close()
            while b"Outrider runs at" not in os.pread(out.fileno(), LINE_BYTES, 0):
                assert process.poll() is None
                time.sleep(0.01)
            yield Watched(process, stdin, errors)
            process.send_signal(signal.SIGKILL)

    def up(self) -> Finished:
        """Start a server that outlives the command."""
        return self.process("up", "--detach")

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "OUTRIDER_HOME": str(self.home.path),
            "OUTRIDER_PORT": self.port,
            "COLUMNS": "200",
            "OUTRIDER_IMAGE_BUILDS": "0",
            **self.variables,
        }

    def having(self, **variables: str) -> "Terminal":
        """The same terminal after `export`."""
        return replace(self, variables={**self.variables, **variables})

    def default_model(self) -> str:
        """The model of the server that runs."""
        running, token = self.home.running(), {"Authorization": f"Bearer {self.home.token()}"}
        assert running is not None
        return str(httpx.get(f"{running.url}/api/me", headers=token, trust_env=False).json()["default_model"])


@pytest.fixture(scope="module")
def starter() -> Iterator[Forks]:
    """Starts processes fast."""
    with forks() as made:
        yield made


@pytest.fixture
def terminal(tmp_path: Path, starter: Forks) -> Iterator[Terminal]:
    terminal = Terminal(Home(tmp_path / "home"), starter)
    yield terminal
    terminal("down")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def test_a_server_from_up_to_down(terminal: Terminal, repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = replace(terminal, port=str(port)).up()
    assert up.code == 0, up.err
    running = terminal.home.running()
    assert running is not None
    assert int(running.url.rpartition(":")[2]) > port, "a port that another has is passed over"
    assert f"Outrider runs at {running.url}." in up.out
    assert "already" in terminal.up().out

    second = terminal.process("up")
    assert (second.code, second.out) == (1, "")
    assert second.err.startswith("A server already runs in ")
    assert "Traceback" not in second.err

    assert terminal("sessions").out.startswith("No sessions yet.")
    assert terminal("sessions", "--json").out == ""
    assert terminal("search", "anything").out == "Nothing was found. Fewer words find more.\n"
    assert "OUTRIDER_LIMIT_SESSIONS_AT_WORK" in terminal("limits").out
    for command in ("stop", "attach", "export", "queue"):
        unknown = terminal(command, "s-aaaaaaaaaa")
        assert (unknown.code, unknown.err) == (1, "There is no session s-aaaaaaaaaa.\n")

    hosts_are_allowed_and_forbidden_and_the_log_says_so(terminal, repository)
    the_login_link_works_once(terminal("login").out.strip())
    down = terminal("down")
    assert (down.code, down.out) == (0, f"Stopped the server at {running.url}.\n")
    assert terminal.home.running() is None
    assert terminal("down").out.startswith("No server runs in ")


def hosts_are_allowed_and_forbidden_and_the_log_says_so(terminal: Terminal, repository: Path) -> None:
    git = ["git", "-C", str(repository), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Begin"], check=True)
    running = terminal.home.running()
    assert running is not None
    token = {"Authorization": f"Bearer {terminal.home.token()}"}
    wanted = {"source": str(repository)}
    httpx.post(f"{running.url}/api/repositories/import", json=wanted, headers=token, trust_env=False)
    assert terminal("egress", "allow", "API.example.com", "--repo", "empty").code == 0
    listed = terminal("egress", "list", "--repo", "empty").out
    assert "pypi: pypi.org" in listed
    assert "api.example.com allowed by" in " ".join(listed.split())
    private = terminal("egress", "allow", "10.0.0.1", "--repo", "empty")
    assert (private.code, "OUTRIDER_ALLOWED_NETWORKS" in private.err) == (2, True)
    assert terminal("egress", "allow", "a.example").code == 2
    assert terminal("egress", "forbid", "api.example.com", "--repo", "empty").code == 0
    assert terminal("egress", "forbid", "api.example.com", "--repo", "empty").code == 1
    log = [json.loads(line) for line in terminal("egress", "log", "--json").out.splitlines()]
    assert [(line["target"], line["allowed"]) for line in log] == [
        ("api.example.com", False),
        ("api.example.com", True),
    ]


KEY = "sk-a-key-that-nothing-may-print"


def test_a_key_that_is_set_after_the_server_was_started_is_used(terminal: Terminal, repository: Path) -> None:
    """The repository is empty: what matters is the server that the request came to."""
    work = ("run", "Fix it", "--repo", str(repository))
    assert terminal.up().code == 0
    first = terminal.home.running()
    keyed = terminal.having(ANTHROPIC_API_KEY=KEY)
    kept = keyed(*work, "--model", "rehearsal/demo")
    assert (kept.code, terminal.home.running()) == (2, first), kept.err

    done = keyed.process(*work)
    second = terminal.home.running()
    assert first != second is not None
    assert "without the ANTHROPIC_API_KEY that is set here. Nothing was at work there" in " ".join(done.err.split())
    assert "has no commit yet" in done.err
    assert terminal.default_model() == "anthropic/claude-sonnet-4-5"
    assert terminal.home.running() == second
    assert (keyed(*work).code, terminal.home.running()) == (2, second)
    up = terminal.having(ANTHROPIC_BASE_URL="http://127.0.0.1:9").up()
    assert "without the ANTHROPIC_BASE_URL that is set here" in up.err
    assert terminal.home.running() != second
    assert terminal.default_model() == "anthropic/claude-sonnet-4-5"
    everything = done.out + done.err + terminal.home.log_file.read_text() + terminal.home.lock_file.read_text()
    assert KEY not in everything


def test_a_server_that_may_not_be_started_again_is_left_and_the_command_said(
    terminal: Terminal, repository: Path
) -> None:
    """Somebody watches it in a terminal, or it has settings that this terminal does not know."""
    here = terminal.having(OPENAI_API_KEY=KEY)
    with terminal.watched("up") as server:
        watched = terminal.home.running()
        refused = here("run", "Fix it", "--repo", str(repository))
        assert (refused.code, terminal.home.running()) == (1, watched)
        assert "without the OPENAI_API_KEY that is set here" in refused.err
        assert "outrider down && outrider up --detach" in refused.err
        demo = here("demo")
        assert (demo.code, "outrider down && outrider up --detach" in demo.err) == (1, True)
        server.process.send_signal(signal.SIGTERM)
        server.ended()
    assert terminal.having(OUTRIDER_MAX_SANDBOXES="3").up().code == 0
    other = terminal.home.running()
    told = here.up()
    assert (told.code, terminal.home.running()) == (0, other)
    assert "outrider down && outrider up --detach" in told.err


def the_login_link_works_once(link: str) -> None:
    first = httpx.get(link, trust_env=False)
    assert first.status_code == 303
    assert "SameSite=strict" in first.headers["set-cookie"]
    assert httpx.get(link, trust_env=False).status_code == 410


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_puts_everything_away(terminal: Terminal, how: signal.Signals) -> None:
    with terminal.watched("serve", "--quiet") as server:
        runtime = (terminal.home.path / "runtime").readlink()
        assert runtime.is_dir()
        server.process.send_signal(how)
        assert server.ended() == (0, b"")
    assert not runtime.exists()
    assert not (terminal.home.path / "runtime").is_symlink()
    assert terminal.home.running() is None


def test_a_private_server_ends_with_its_command(terminal: Terminal, repository: Path) -> None:
    empty = terminal("run", "Fix it", "--repo", str(repository))
    assert empty.code == 2
    assert "Traceback" not in empty.err
    assert "commit" in empty.err
    assert terminal.home.running() is None


def test_a_private_server_ends_however_its_command_ends(terminal: Terminal) -> None:
    with terminal.watched("serve", "--quiet", "--private") as server:
        assert terminal.home.running() is not None
        server.stdin.close()
        assert server.ended() == (0, b"")
    assert terminal.home.running() is None


@pytest.mark.parametrize("command", [("up",), ("up", "--detach"), ("run", "Fix it"), ("setup", "--check")])
def test_a_home_that_cannot_be_written_is_said(terminal: Terminal, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("")
    done = replace(terminal, home=Home(tmp_path / "file" / "home"))(*command)
    assert done.code == 1
    assert "cannot be written" in done.err
    assert "OUTRIDER_HOME" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (("run", ""), "", "The prompt is empty."),
        (("run", "-"), " \n", "The prompt is empty."),
        (("run", "-"), "x" * (1 << 20), "The prompt is longer than 256 kB."),
        (("run",), "", "Missing argument 'PROMPT'."),
        (("bogus",), "", "No such command 'bogus'."),
    ],
)
def test_a_request_that_is_not_valid_is_told_by_code_2(
    terminal: Terminal, arguments: tuple[str, ...], stdin: str, sentence: str
) -> None:
    done = terminal(*arguments, stdin=stdin)
    assert done.code == 2
    assert sentence in done.err


@pytest.mark.parametrize("command", ["sessions", "login", "search", "export", "stop", "attach"])
def test_without_a_server_it_says_how_to_start_one(terminal: Terminal, command: str) -> None:
    done = terminal(command, *([] if command in ("sessions", "login") else ["s-aaaaaaaaaa"]))
    assert done.code == 1
    assert "Start one: outrider up --detach" in done.err


def test_the_doctor_looks_at_every_part(terminal: Terminal) -> None:
    done = terminal("doctor", "--json")
    found = {row["part"]: row for row in map(json.loads, done.out.splitlines())}
    assert {
        "outrider",
        "home",
        "git",
        "bwrap",
        "sandbox namespaces",
        "limits",
        "records",
        "mmdebstrap",
        "base image",
        "toolbox",
        "web page",
        "model",
        "server",
    } <= found.keys()
    assert ("newuidmap" in found) == (os.geteuid() != 0)
    assert found["git"]["state"] == found["records"]["state"] == "works"
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    assert found["git"]["detail"].startswith(f"{git} (/")
    assert found["outrider"]["detail"].startswith(__version__)
    for part in ("base image", "toolbox"):
        assert (found[part]["state"], found[part]["remedy"]) == ("weaker", "Run: outrider setup")
        assert found[part]["detail"].endswith("not built yet")
    assert {"engine", "node"}.isdisjoint(found), "there is nothing yet to be run"
    built = (files("outrider.api") / "static" / "index.html").is_file()
    assert found["web page"]["state"] == ("works" if built else "weaker")
    assert (found["model"]["state"], found["model"]["detail"].split(":")[0]) == ("weaker", "rehearsal/demo")
    assert found["server"]["detail"] == "does not run"
    assert done.code == int(any(row["state"] == "broken" for row in found.values()))


def test_every_command_explains_itself_with_examples(terminal: Terminal) -> None:
    listed = terminal("--help").out
    names = listed[listed.index("Commands:") :].split("\n")[1:-1]
    for name in (line.split()[0] for line in names):
        shown = terminal(name, "--help").out
        assert f"\n  outrider {name}" in shown, name
