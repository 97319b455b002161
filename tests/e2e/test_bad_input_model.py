"""A model that cannot answer: no key, a wrong one, no script, a provider that is in trouble, a stream that breaks."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn

from outrider.rehearsal.model import rehearsal_app
from outrider.rehearsal.script import load_scripts
from outrider.testing.faulty_llm import FaultyModel
from tests.e2e.conftest import SCRIPTS
from tests.e2e.deployment import Deployment, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

CANARY = "sk-ant-canary-5up3r53cr3tv41u3"
MODEL = "anthropic/claude-test"


@pytest.fixture(scope="module")
def faulty() -> FaultyModel:
    """A hosted model's place, for tests to spoil."""
    return FaultyModel(rehearsal_app(load_scripts(SCRIPTS)))


@pytest.fixture(scope="module")
def shared_variables(faulty: FaultyModel) -> Iterator[dict[str, str]]:
    """The faulty model on a port of the loopback, in a thread: it answers whichever test runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(faulty, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": CANARY, "OUTRIDER_REHEARSAL_SCRIPTS": str(SCRIPTS)}
        server.should_exit = True
        thread.join()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(shared_deployment: Deployment, faulty: FaultyModel, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A session that all tests prompt: what fails in one must not stand in the way of the next."""
    repository = make_repository(tmp_path_factory.mktemp("model") / "plain")
    session = await shared_deployment.begin(repository, "Only talk.", MODEL)
    async with shared_deployment.feed(session) as feed:
        assert (await feed.turn()).reason == "completed"
    return session


@pytest.mark.parametrize(
    ("fault", "said", "tries"),
    [
        ("fault-401", "refuses the key (401)", 1),
        ("fault-402", "wants to be paid first (402)", 1),
        ("fault-429", "limits how much may be asked (429)", 2),
        ("fault-529", "is overloaded (529)", 2),
        ("fault-break", "broke in the middle of its answer", 1),
    ],
)
async def test_a_fault_is_said_and_the_session_goes_on(
    shared_deployment: Deployment, faulty: FaultyModel, session: str, fault: str, said: str, tries: int
) -> None:
    async with shared_deployment.feed(session) as feed:
        await feed.live()
        faulty.fault = fault
        try:
            turn = await feed.ask("Only talk.")
        finally:
            faulty.fault = ""
        assert turn.reason == "failed"
        assert said in turn.message
        assert faulty.failed[fault] >= tries
        assert fault == "fault-break" or any(said in line for line in turn.progress)
        assert (await feed.ask("Only talk.")).reason == "completed"
        assert feed.numbers == list(range(1, len(feed.numbers) + 1))
    assert_told_nobody(shared_deployment)


async def test_a_provider_that_recovers_is_told_as_progress_only(
    shared_deployment: Deployment, faulty: FaultyModel, session: str
) -> None:
    async with shared_deployment.feed(session) as feed:
        await feed.live()
        faulty.fault = "fault-529-2"
        try:
            turn = await feed.ask("Only talk.")
        finally:
            faulty.fault = ""
        assert turn.reason == "completed"
        assert [line for line in turn.progress if "overloaded (529)" in line]
        assert not turn.of("turn_interrupted")


async def test_the_terminal_says_what_is_wrong_with_the_key(
    shared_deployment: Deployment, faulty: FaultyModel, session: str
) -> None:
    faulty.fault = "fault-401"
    try:
        done = await shared_deployment.run_cli("attach", session, "--prompt", "Only talk.")
    finally:
        faulty.fault = ""
    assert done.code == 1
    assert "refuses the key (401). Correct it in the environment" in done.said
    assert CANARY not in done.said


async def test_a_prompt_without_a_script_says_what_to_set(shared_deployment: Deployment, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "plain")
    done = await shared_deployment.run_cli(
        "run", "Write a poem.", "--repo", str(repository), "--model", "rehearsal/demo"
    )
    assert done.code == 1
    assert "The rehearsal model plays only its scripts and has none for this prompt." in done.said
    assert "Set ANTHROPIC_API_KEY or OPENAI_API_KEY" in done.said


async def test_a_model_without_a_key_is_refused_before_anything_begins(
    shared_deployment: Deployment, tmp_path: Path
) -> None:
    repository = make_repository(tmp_path / "plain")
    known = await shared_deployment.sessions()
    done = await shared_deployment.run_cli("run", "Only talk.", "--repo", str(repository), "--model", "openai/gpt-5.1")
    assert done.code == 2
    assert "OPENAI_API_KEY" in done.said
    assert await shared_deployment.sessions() == known


def assert_told_nobody(deployment: Deployment) -> None:
    """The key is in no file of the home: logs of sessions, the server's log, artifacts."""
    files = [path for path in deployment.home.path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
