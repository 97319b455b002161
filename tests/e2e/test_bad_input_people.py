"""What people and their programs send: prompts that are none, sessions that do not exist, clients that never read."""

import json
import socket
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from tests.e2e.deployment import Deployment, Feed, make_repository

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

MEGABYTE = 1 << 20
LONG_PROMPTS = 100
"""25 MB for each client; for all that never read, 200 MB would have to be kept."""
NOBODY = "s-aaaaaaaaaa"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("people") / "plain")


@pytest.mark.parametrize("prompt", ["", "  \n"])
async def test_an_empty_prompt_is_refused_everywhere(
    shared_deployment: Deployment, repository: Path, prompt: str
) -> None:
    done = await shared_deployment.run_cli("run", prompt, "--repo", str(repository))
    assert done.code == 2
    assert "The prompt is empty." in done.said
    assert (await refused(shared_deployment, repository, prompt))["sentence"] == "The prompt is empty."


async def test_a_prompt_of_a_megabyte_is_refused_everywhere(shared_deployment: Deployment, repository: Path) -> None:
    done = await shared_deployment.run_cli("run", "-", "--repo", str(repository), stdin=b"x" * MEGABYTE)
    assert done.code == 2
    assert "The prompt is longer than 256 kB. Put the long part into a file of the repository." in done.said
    told = await refused(shared_deployment, repository, "x" * MEGABYTE)
    assert "262,144 is the most" in told["sentence"]


async def test_bad_messages_are_refused_on_the_feed_and_it_goes_on(
    shared_deployment: Deployment, repository: Path
) -> None:
    session = await shared_deployment.begin(repository, "Only talk.")
    async with shared_deployment.feed(session) as feed:
        assert (await feed.turn()).reason == "completed"
        for ref, text, said in (
            ("1", "", "The text is empty."),
            ("2", " \n", "The prompt is empty."),
            ("3", "x" * 300_000, "The text is longer than 262,144 characters. No setting can raise this limit."),
            ("", "x" * MEGABYTE, "The message is too long; 512 kB are the most."),
        ):
            await feed.send("prompt", ref=ref, text=text)
            told = await feed.answer(ref)
            assert (told["kind"], told["sentence"]) == ("refused", said)
        for message in ("no json", '{"kind": "dance", "ref": "1"}', "[]"):
            await feed.socket.send(message)
            assert (await feed.answer("1" if "ref" in message else ""))["kind"] == "refused"
        assert (await feed.ask("Only talk.")).reason == "completed"
        queued = [recorded for recorded in feed.events if recorded["event"]["type"] == "prompt_queued"]
        assert len(queued) == 2


async def refused(deployment: Deployment, repository: Path, prompt: str) -> dict[str, str]:
    known = await deployment.sessions()
    async with deployment.client() as client:
        answer = await client.post("/api/sessions", json={"repository": str(repository), "prompt": prompt})
        assert answer.status_code in (413, 422), answer.text
    assert await deployment.sessions() == known
    told: dict[str, str] = answer.json()
    return told


@pytest.mark.parametrize("command", ["attach", "stop"])
async def test_the_terminal_says_that_a_session_is_unknown(shared_deployment: Deployment, command: str) -> None:
    done = await shared_deployment.run_cli(command, NOBODY)
    assert done.code == 1
    assert f"There is no session {NOBODY}." in done.said


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/events"), ("GET", "/result"), ("POST", "/stop")])
async def test_http_says_that_a_session_is_unknown(shared_deployment: Deployment, method: str, path: str) -> None:
    async with shared_deployment.client() as client:
        answer = await client.request(method, f"/api/sessions/{NOBODY}{path}")
        assert (answer.status_code, answer.json()["sentence"]) == (404, f"There is no session {NOBODY}.")


async def test_a_feed_of_an_unknown_session_is_refused_with_the_sentence(shared_deployment: Deployment) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with shared_deployment.feed(NOBODY):
            pass
    answer = caught.value.response
    told = {"sentence": f"There is no session {NOBODY}.", "remedy": ""}
    assert (answer.status_code, json.loads(answer.body)) == (404, told)


async def test_a_client_that_never_reads_harms_nobody(shared_deployment: Deployment, repository: Path) -> None:
    session = await shared_deployment.begin(repository, "Wait a little.")
    async with shared_deployment.feed(session) as reader:
        await reader.until("turn_started")
        deaf = [open_deaf(shared_deployment, session) for _ in range(8)]
        try:
            before = memory(shared_deployment)
            for number in range(LONG_PROMPTS):
                await queue_and_withdraw(reader, f"{number} " + "x" * 250_000)
            assert memory(shared_deployment) - before < 100 * MEGABYTE
            await reader.send("stop", ref="stop")
            await reader.until("turn_ended", reason="stopped")
        finally:
            for client in deaf:
                client.close()
        assert reader.numbers == list(range(1, len(reader.numbers) + 1))
        assert sum(recorded["event"]["type"] == "prompt_withdrawn" for recorded in reader.events) == LONG_PROMPTS


async def queue_and_withdraw(feed: Feed, text: str) -> None:
    """Two events, one of them long, of which every client hears."""
    await feed.send("prompt", ref="long", text=text)
    prompt = (await feed.answer("long"))["prompt"]
    await feed.send("withdraw", ref="back", prompt=prompt)
    assert (await feed.answer("back"))["kind"] == "accepted"


def open_deaf(deployment: Deployment, session: str) -> socket.socket:
    """A WebSocket client that shakes hands and reads no byte of what follows."""
    host, port = "127.0.0.1", int(deployment.server.url.rpartition(":")[2])
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((host, port))
    lines = [
        f"GET /api/sessions/{session}/feed?after=0 HTTP/1.1",
        f"Host: localhost:{port}",
        f"Authorization: Bearer {deployment.home.token()}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    assert client.recv(12) == b"HTTP/1.1 101"
    return client


def memory(deployment: Deployment) -> int:
    """Bytes that the server holds in memory."""
    status = Path(f"/proc/{deployment.server.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
