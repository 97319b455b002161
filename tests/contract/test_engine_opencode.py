"""OpenCode keeps the contract: the real engine, driven by the rehearsal model."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from outrider.engines.acp import AcpEngine
from outrider.engines.profiles.opencode import OpenCode
from outrider.model.engine import EngineStop, ModelRef, ToolText
from outrider.model.errors import EngineError, TurnFailed
from outrider.ports.engine import EngineLaunch, FilePart, ImagePart, Part
from outrider.ports.sandbox import ExecSpec
from outrider.testing.engine_contract import (
    EDIT,
    RUN,
    SAID,
    SLOW,
    TALK,
    Ear,
    EngineContract,
    EngineUnderTest,
    slow_turn,
)
from outrider.testing.faulty_llm import FaultyModel
from outrider.testing.local_guest import LocalGuest
from outrider.testing.opencode_install import opencode_binary
from outrider.testing.rehearsal_server import broker_like, contract_scripts, serving

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
OPENAI_WIRE = "@ai-sdk/openai-compatible"


@pytest.fixture
def model() -> FaultyModel:
    return FaultyModel(broker_like(contract_scripts()))


@pytest.fixture
async def opencode(
    tmp_path: Path, model: FaultyModel, request: pytest.FixtureRequest
) -> AsyncIterator[EngineUnderTest]:
    """OpenCode outside any sandbox. A parameter names the wire or the model."""
    wanted = getattr(request, "param", "rehearsal/demo")
    name = "rehearsal/demo" if wanted == OPENAI_WIRE else wanted
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    async with serving(model) as broker, LocalGuest(tmp_path) as guest:
        profile = OpenCode(
            binary=str(opencode_binary()),
            home=str(tmp_path / "engine"),
            broker=broker,
            rehearsal_wire=wanted if wanted == OPENAI_WIRE else "@ai-sdk/anthropic",
        )
        yield EngineUnderTest(AcpEngine(profile), guest, workspace, ModelRef.parse(name))


class TestOpenCode(EngineContract):
    @pytest.fixture
    def under_test(self, opencode: EngineUnderTest) -> EngineUnderTest:
        return opencode


@pytest.mark.parametrize("opencode", [OPENAI_WIRE], indirect=True)
async def test_the_openai_wire_works_alike(opencode: EngineUnderTest) -> None:
    ear = Ear()
    session = await opencode.open(ear)
    for prompt in (EDIT, RUN, TALK):
        assert await session.prompt([prompt]) is EngineStop.END_TURN
    assert ear.text().endswith(SAID)
    await session.close()


async def test_an_interrupted_script_goes_on_after_a_resume(opencode: EngineUnderTest) -> None:
    """The engine is killed while its tool runs. Taken up again and told so, it repeats the step that was cut off."""
    first = await opencode.open(Ear())
    async with slow_turn(opencode) as began:
        async with asyncio.TaskGroup() as group:
            turn = group.create_task(_ended(first.prompt([SLOW])), name="slow turn")
            await began.readline()
            await opencode.guest.kill_everything()
        assert "ended with exit code 137" in turn.result()
        ear = Ear()
        second = await opencode.open(ear, resume=first.id)
        async with asyncio.TaskGroup() as group:
            again = group.create_task(second.prompt(["You were interrupted in this turn. Continue."]), name="resumed")
            await began.readline()
            await second.cancel()
    assert (second.resumed, again.result()) == (True, EngineStop.CANCELLED)
    assert ear.text() == "This will take a while."
    await second.close()


async def test_tools_know_nothing_of_the_engine(opencode: EngineUnderTest) -> None:
    """The role that the stop ladder spares, and settings that would lead astray, are not in a tool's environment."""
    ear = Ear()
    session = await opencode.open(ear)
    assert await session.prompt(["Contract: environment."]) is EngineStop.END_TURN
    (printed,) = [item.text for item in ear.last_content() if isinstance(item, ToolText)]
    names = {line.partition("=")[0] for line in printed.splitlines()}
    assert "HOME" in names
    assert not [name for name in names if name.startswith(("OUTRIDER_ROLE", "OPENCODE", "XDG_"))]
    await session.close()


@pytest.mark.parametrize("opencode", ["rehearsal/fault-401"], indirect=True)
async def test_a_refused_key_fails_the_turn_at_once(opencode: EngineUnderTest, model: FaultyModel) -> None:
    session = await opencode.open(Ear())
    with pytest.raises(TurnFailed, match="authentication_error"):
        await session.prompt([TALK])
    assert model.failed.total() == 1
    await session.close()


@pytest.mark.parametrize("opencode", ["rehearsal/fault-529-2", "rehearsal/fault-429-2"], indirect=True)
async def test_a_busy_vendor_is_asked_again(opencode: EngineUnderTest, model: FaultyModel) -> None:
    ear = Ear()
    session = await opencode.open(ear)
    assert await session.prompt([TALK]) is EngineStop.END_TURN
    assert (ear.text(), model.failed.total()) == (SAID, 2)
    await session.close()


@pytest.mark.parametrize("opencode", ["rehearsal/fault-529"], indirect=True)
async def test_a_vendor_that_stays_busy_fails_the_turn(opencode: EngineUnderTest) -> None:
    session = await opencode.open(Ear())
    with pytest.raises(TurnFailed, match="overloaded_error"):
        await session.prompt([TALK])
    await session.close()


@pytest.mark.parametrize("opencode", ["rehearsal/fault-break-1", "rehearsal/fault-garbage-1"], indirect=True)
async def test_a_stream_that_breaks_is_asked_for_again(opencode: EngineUnderTest, model: FaultyModel) -> None:
    ear = Ear()
    session = await opencode.open(ear)
    assert await session.prompt([TALK]) is EngineStop.END_TURN
    assert ear.text().endswith(SAID)
    assert model.failed.total() == 1
    await session.close()


@pytest.mark.parametrize("opencode", ["rehearsal/fault-hang"], indirect=True)
async def test_a_model_that_says_nothing_can_be_stopped(opencode: EngineUnderTest, model: FaultyModel) -> None:
    session = await opencode.open(Ear())
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        turn = group.create_task(session.prompt([TALK]), name="hanging turn")
        await model.spoiled.wait()
        await session.cancel()
    assert turn.result() is EngineStop.CANCELLED
    await session.close()


async def _ended(turn: Awaitable[EngineStop]) -> str:
    with pytest.raises(EngineError) as caught:
        await turn
    return caught.value.sentence


async def test_talk_without_end_can_be_stopped(opencode: EngineUnderTest) -> None:
    ear = Ear()
    session = await opencode.open(ear)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        turn = group.create_task(session.prompt(["Trouble: endless."]), name="endless turn")
        await ear.until(lambda: len(ear.updates) > 500)
        await session.cancel()
    assert turn.result() is EngineStop.CANCELLED
    await session.close()


async def test_a_flood_of_output_is_bounded(opencode: EngineUnderTest) -> None:
    ear = Ear()
    session = await opencode.open(ear)
    async with asyncio.timeout(60):
        assert await session.prompt(["Trouble: flood."]) is EngineStop.END_TURN
    texts = [item.text for call in ear.calls() for item in call.content or () if isinstance(item, ToolText)]
    assert texts
    assert max(map(len, texts)) <= 65_536
    await session.close()


async def test_files_of_a_prompt_reach_the_model_and_none_breaks_the_turn(
    opencode: EngineUnderTest, model: FaultyModel
) -> None:
    """An image is shown, a text is read, and a file of bytes is only named."""
    files = {"shot.png": (PNG, "image/png"), "notes.txt": (b"what to look for\n", "text/plain")}
    files |= {
        "data.bin": (b"\0\1\2\3" * 300, "application/octet-stream"),
        "paper.pdf": (b"%PDF-1.4\n\0\1", "application/pdf"),
    }
    folder = opencode.workspace / ".outrider" / "attachments"
    folder.mkdir(parents=True)
    parts: list[Part] = [TALK]
    for name, (data, kind) in files.items():
        (folder / name).write_bytes(data)
        part = FilePart(str(folder / name), name, kind, len(data))
        parts.append(ImagePart(data, part) if kind == "image/png" else part)
    ear = Ear()
    session = await opencode.open(ear)
    assert await session.prompt(parts) is EngineStop.END_TURN
    assert ear.text().endswith(SAID)
    await session.close()
    asked = json.loads(model.heard)["messages"][0]["content"]
    assert [block["type"] for block in asked][:2] == ["text", "image"]
    assert "what to look for" in asked[-1]["text"]


async def test_a_folder_that_was_spoiled_is_put_aside(opencode: EngineUnderTest) -> None:
    first = await opencode.open(Ear())
    await first.close()
    home = Path(opencode.engine._profile.home)  # type: ignore[attr-defined]
    spoil = f"rm -rf {home}/data && echo spoiled >{home}/data && chmod 0 {home}"
    await opencode.guest.run(ExecSpec(argv=("sh", "-c", spoil), cwd="/"))
    launch = EngineLaunch(model=opencode.model, workspace=str(opencode.workspace), fresh_home=True)
    async with asyncio.timeout(60):
        second = await opencode.engine.open(opencode.guest, launch, Ear())
    assert await second.prompt([TALK]) is EngineStop.END_TURN
    await second.close()
    assert (home.parent / f"{home.name}.spoiled" / "data").read_text() == "spoiled\n"
