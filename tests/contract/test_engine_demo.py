"""The demo script is true: OpenCode plays it in the demo repository, test red before the fix and green after it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.model.engine import EngineStop, ModelRef, ToolKind, ToolStatus
from outrider.ports.sandbox import ExecSpec
from outrider.rehearsal.demo import DEMO_PROMPT, write_demo_repository
from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.script import built_in_scripts
from outrider.testing.engine_contract import Ear, EngineUnderTest
from outrider.testing.local_guest import LocalGuest
from outrider.testing.opencode_install import opencode_binary
from outrider.testing.rehearsal_server import serving
from outrider.tools.mcp import build_tools_app

EXECUTE, EDIT, OTHER = ToolKind.EXECUTE, ToolKind.EDIT, ToolKind.OTHER

PERSON = {
    "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    "GIT_AUTHOR_NAME": "Ida",
    "GIT_AUTHOR_EMAIL": "ida@example.org",
    "GIT_COMMITTER_NAME": "Ida",
    "GIT_COMMITTER_EMAIL": "ida@example.org",
}


@dataclass
class NotedTools:
    """Tools of a session that only note what is asked."""

    checks: int = 0
    opened: list[tuple[str, str]] = field(default_factory=list)

    async def run_checks(self) -> str:
        """Note it."""
        self.checks += 1
        return "tests: exit code 0"

    async def open_pull_request(self, title: str, body: str) -> str:
        """Note it."""
        self.opened.append((title, body))
        return "http://127.0.0.1/pulls/1"


@asynccontextmanager
async def demo(tmp_path: Path, tools: NotedTools) -> AsyncIterator[EngineUnderTest]:
    """OpenCode in the demo repository. No fixture: the tools have to be left in the task that entered them."""
    workspace = tmp_path / "workspace"
    await asyncio.to_thread(write_demo_repository, workspace)
    model = rehearsal_app(built_in_scripts())
    async with build_tools_app(lambda: tools) as tools_app:
        routes = [Mount("/llm/rehearsal", model), Mount("/mcp", tools_app)]
        async with serving(Starlette(routes=routes)) as broker, LocalGuest(tmp_path, PERSON) as guest:
            profile = OpenCode(binary=str(opencode_binary()), home=str(tmp_path / "engine"), broker=broker)
            yield EngineUnderTest(AcpEngine(profile), guest, workspace, ModelRef.parse("rehearsal/demo"))


async def test_the_demo_script_is_true(tmp_path: Path) -> None:
    ear, tools = Ear(), NotedTools()
    async with demo(tmp_path, tools) as under_test, asyncio.timeout(200):
        session = await under_test.open(ear)
        assert await session.prompt([DEMO_PROMPT]) is EngineStop.END_TURN
        await session.close()
        last = ExecSpec(argv=("git", "log", "-1", "--format=%an %s", "--name-only"), cwd=str(under_test.workspace))
        commit = (await under_test.guest.run(last)).output.decode()
    steps = built_in_scripts()[0].steps
    assert ear.text().endswith(steps[-1].text)
    assert ear.statuses().count(ToolStatus.COMPLETED) == sum(len(step.calls) for step in steps)
    assert [ask.kind for ask in ear.asked] == [EXECUTE, EDIT, EXECUTE, EDIT, EXECUTE, EXECUTE, OTHER, OTHER]
    assert tools.checks == 1
    assert [title for title, _ in tools.opened] == ["Deliver orders of exactly 30 € free"]
    assert commit == "Ida Deliver orders of exactly 30 euros free\n\nbakery/basket.py\ntests/test_basket.py\n"
