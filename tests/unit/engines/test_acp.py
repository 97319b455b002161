"""The adapter against engines that misbehave: small scripts that speak ACP badly, each a real process."""

import asyncio
import sys
import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.engines.acp import AcpEngine, AcpSession
from outrider.engines.profile import Profile, Resume, Start
from outrider.model.engine import EngineSessionId, EngineStop, ModelRef
from outrider.model.errors import EngineError, TurnFailed
from outrider.ports.engine import EngineLaunch
from outrider.testing.engine_contract import Ear
from outrider.testing.local_guest import LocalGuest

PRELUDE = """
import json, os, sys, time

def read():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)

def write(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

def answer(request, result):
    write({"id": request["id"], "result": result})

def update(kind, **fields):
    write({"method": "session/update", "params": {"sessionId": "s1", "update": {"sessionUpdate": kind, **fields}}})

def say(text):
    update("agent_message_chunk", content={"type": "text", "text": text})

def open_session():
    answer(read(), {"protocolVersion": 1, "agentCapabilities": {}})
    answer(read(), {"sessionId": "s1"})
"""


@dataclass(frozen=True)
class ScriptProfile(Profile):
    """An engine that is a few lines of Python."""

    home: Path
    script: str
    name: str = "script"
    resume: Resume = Resume.RESUME

    def start(self, launch: EngineLaunch) -> Start:
        return Start(
            argv=(sys.executable, "-u", str(self.home / "engine.py")),
            home=str(self.home),
            files={"engine.py": PRELUDE + textwrap.dedent(self.script)},
        )


@pytest.fixture
async def guest(tmp_path: Path) -> AsyncIterator[LocalGuest]:
    async with LocalGuest(tmp_path) as opened:
        yield opened


async def opened(
    guest: LocalGuest, script: str, ear: Ear, *, resume: str = "", how: Resume = Resume.RESUME, seconds: float = 20
) -> AcpSession:
    engine = AcpEngine(ScriptProfile(guest.home / "engine", script, resume=how), open_timeout_seconds=seconds)
    launch = EngineLaunch(
        model=ModelRef.parse("rehearsal/demo"),
        workspace=str(guest.home),
        resume=EngineSessionId(resume) if resume else None,
    )
    (guest.home / "engine").mkdir(exist_ok=True)
    return await engine.open(guest, launch, ear)


async def failing(guest: LocalGuest, script: str, *, seconds: float = 20) -> EngineError:
    """The error of an engine that opens, is given a prompt, and fails at one of them."""

    async def play() -> None:
        session = await opened(guest, script, Ear(), seconds=seconds)
        async with asyncio.timeout(20):
            await session.prompt(["Go"])

    with pytest.raises(EngineError) as caught:
        await play()
    return caught.value


async def test_one_that_does_not_start_is_quoted(guest: LocalGuest) -> None:
    error = await failing(guest, "sys.exit('no licence')")
    assert error.sentence == "The engine script ended with exit code 1. It last said: no licence"


async def test_one_that_dies_in_its_turn_is_quoted_by_its_last_words(guest: LocalGuest) -> None:
    error = await failing(
        guest,
        """
        open_session(); read()
        sys.stderr.write("noise\\n" * 10_000 + "out of luck\\n"); sys.stderr.flush()
        os.kill(os.getpid(), 9)
        """,
    )
    assert error.sentence.startswith("The engine script ended with exit code 137. It last said: ")
    assert error.sentence.endswith("out of luck")
    assert len(error.sentence) < 2_100


async def test_one_that_says_nothing_is_given_up(guest: LocalGuest) -> None:
    error = await failing(guest, "time.sleep(60)", seconds=0.5)
    assert error.sentence == "The engine script did not initialize within 0.5 s."


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("answer(read(), {'protocolVersion': 'many', 'agentCapabilities': 7}); time.sleep(60)", "is not ACP"),
        ("answer(read(), 'yes'); time.sleep(60)", "is not ACP"),
        ("open_session(); answer(read(), {'stopReason': 'bored'}); time.sleep(60)", "is not ACP"),
        ("while True: print('Welcome!')", "21 lines that are no ACP message"),
        ("print('[' * 100_000); print('7'); print('{]'); [print('x') for _ in range(30)]", "no ACP message"),
        ("sys.stdout.write('x' * (9 << 20)); sys.stdout.flush(); time.sleep(60)", "a line of more than 8 MB"),
        (
            "open_session(); read(); [update('tool_call', toolCallId=7) for _ in range(30)]; time.sleep(60)",
            "21 updates",
        ),
    ],
)
async def test_what_is_not_acp_is_an_error(guest: LocalGuest, script: str, said: str) -> None:
    error = await failing(guest, script)
    assert said in error.sentence
    assert not isinstance(error, TurnFailed)


async def test_a_few_stray_lines_and_unknown_updates_do_no_harm(guest: LocalGuest) -> None:
    ear = Ear()
    script = """
        print("A new version is available"); print()
        open_session()
        request = read()
        update("mood_update", mood="good"); update("tool_call", toolCallId=7); write({"method": "surprise"})
        say("Hello"); print("not json")
        write({"id": 90, "method": "fs/read_text_file", "params": {"sessionId": "s1", "path": "/etc/passwd"}})
        refusal = read()
        say(refusal["error"]["message"])
        answer(request, {"stopReason": "end_turn"})
    """
    session = await opened(guest, script, ear)
    assert await session.prompt(["Go"]) is EngineStop.END_TURN
    assert ear.text() == "HelloMethod not found"


async def test_updates_are_heard_in_order_and_before_the_turn_ends(guest: LocalGuest) -> None:
    ear = Ear()
    script = """
        open_session(); request = read()
        for number in range(2000): say(f"{number} ")
        answer(request, {"stopReason": "end_turn"})
    """
    session = await opened(guest, script, ear)
    await session.prompt(["Go"])
    assert ear.text() == "".join(f"{number} " for number in range(2000))


async def test_the_engine_refusing_a_turn_is_told_from_its_end(guest: LocalGuest) -> None:
    script = """
        open_session()
        write({"id": read()["id"], "error": {"code": -32603, "message": "Internal error: over budget"}})
        answer(read(), {"stopReason": "max_tokens"})
    """
    session = await opened(guest, script, Ear())
    with pytest.raises(TurnFailed) as caught:
        await session.prompt(["Go"])
    assert caught.value.sentence == "over budget"
    assert await session.prompt(["Go"]) is EngineStop.MAX_TOKENS


ASKING = """
    open_session(); request = read()
    options = [{"optionId": kind, "name": kind, "kind": kind} for kind in %s]
    write({"id": 7, "method": "session/request_permission", "params": {
        "sessionId": "s1", "toolCall": {"toolCallId": "c1", "title": "rm", "kind": "execute"}, "options": options}})
    while (reply := read()).get("id") != 7: pass
    say(json.dumps(reply["result"]["outcome"]))
    answer(request, {"stopReason": "end_turn"})
"""


@pytest.mark.parametrize(
    ("options", "allow", "outcome"),
    [
        (["allow_always", "allow_once", "reject_once"], True, '{"outcome": "selected", "optionId": "allow_once"}'),
        (["allow_always", "reject_once"], True, '{"outcome": "cancelled"}'),
        (["allow_once", "reject_always"], False, '{"outcome": "selected", "optionId": "reject_always"}'),
        (["allow_once"], False, '{"outcome": "cancelled"}'),
    ],
)
async def test_permission_holds_for_once(guest: LocalGuest, options: list[str], allow: bool, outcome: str) -> None:
    ear = Ear()
    ear.allow = allow
    session = await opened(guest, ASKING % options, ear)
    await session.prompt(["Go"])
    assert [ask.title for ask in ear.asked] == ["rm"]
    assert sorted(ear.text()) == sorted(outcome)


async def test_a_cancelled_prompt_answers_what_is_asked(guest: LocalGuest) -> None:
    ear = Ear()
    ear.answer.clear()
    session = await opened(guest, ASKING % ["allow_once"], ear)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(session.prompt(["Go"]), name="prompt")
        await ear.until(lambda: ear.asked)
        await session.cancel()
    assert ear.text() == '{"outcome": "cancelled"}'


RESUMING = """
    answer(read(), {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}})
    request = read()
    if request["method"] == %r and request["params"]["sessionId"] == "s1":
        say("Old text"); answer(request, {})
    else:
        write({"id": request["id"], "error": {"code": -32002, "message": "No such session"}})
        answer(read(), {"sessionId": "s2"})
    request = read(); say("New text"); answer(request, {"stopReason": "end_turn"})
"""


@pytest.mark.parametrize("how", [Resume.RESUME, Resume.LOAD])
async def test_a_session_is_taken_up_and_what_is_replayed_is_dropped(guest: LocalGuest, how: Resume) -> None:
    ear = Ear()
    session = await opened(guest, RESUMING % how.value, ear, resume="s1", how=how)
    assert (session.resumed, session.id) == (True, "s1")
    await session.prompt(["Go"])
    assert ear.text() == "New text"


async def test_a_session_that_is_not_there_becomes_a_new_one(guest: LocalGuest) -> None:
    session = await opened(guest, RESUMING % "session/resume", Ear(), resume="s9")
    assert (session.resumed, session.id) == (False, "s2")


async def test_an_engine_that_cannot_resume_is_not_asked_to(guest: LocalGuest) -> None:
    session = await opened(guest, "open_session(); read()", Ear(), resume="s1", how=Resume.NEVER)
    assert (session.resumed, session.id) == (False, "s1")


async def test_one_that_ignores_the_end_is_killed(guest: LocalGuest) -> None:
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open_session(); time.sleep(300)"
    session = await opened(guest, script, Ear())
    async with asyncio.timeout(20):
        await session.close()
    assert await guest.kill_everything() == 0


async def test_a_dead_one_says_so_at_the_next_prompt(guest: LocalGuest) -> None:
    session = await opened(guest, "open_session(); sys.exit('bye')", Ear())
    with pytest.raises(EngineError, match=r"exit code 1\. It last said: bye"):
        await session.prompt(["Go"])
