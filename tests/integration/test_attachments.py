"""Files of prompts: uploaded, handed to the engine, served, kept over restarts, collected."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from outrider.model.ids import SessionId
from outrider.model.limits import PromptLimits
from outrider.ports.engine import FilePart, ImagePart
from outrider.session.attachments import UNUSED_SECONDS, AttachmentCollector
from outrider.session.export import markdown
from outrider.testing.fake_engine import FakeEngine, say, shell
from outrider.testing.session_world import SessionWorld, turn_end, until
from tests.integration.api_world import Server, serving

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
LOOK = shell("git status --porcelain --untracked-files=all; cat .outrider/attachments/*/notes.txt")


async def upload(server: Server, name: str, data: bytes, **headers: str) -> httpx.Response:
    return await server.client.post(f"/api/attachments?name={quote(name)}", content=data, headers=headers)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.fixture
async def world(tmp_path: Path) -> SessionWorld:
    world = SessionWorld(
        tmp_path, FakeEngine({"forget": [shell("rm -r .outrider/attachments")], "": [LOOK, say("Done.")]})
    )
    await world.begin()
    return world


def wanted(world: SessionWorld, *files: object, text: str = "look at these") -> dict[str, object]:
    return {"repository": "demo", "prompt": text, "model": "rehearsal/demo", "attachments": list(files)}


def kept(world: SessionWorld) -> list[str]:
    return [file.name for file in (world.folder / "attachments").iterdir()]


async def start(world: SessionWorld, server: Server, *files: object) -> SessionId:
    answer = await server.client.post("/api/sessions", json=wanted(world, *files))
    assert answer.status_code == 201, answer.text
    return SessionId(answer.json()["session"])


async def test_files_come_with_a_prompt_and_stay(world: SessionWorld) -> None:
    async with serving(world) as server:
        image = (await upload(server, "../../etc/shot.png", PNG)).json()
        notes = (await upload(server, "notes.txt", b"what to look for\n")).json()
        assert (image["name"], image["media_type"], image["size"]) == ("shot.png", "image/png", len(PNG))
        session = await start(world, server, *({"id": file["id"], "name": file["name"]} for file in (image, notes)))
        await turn_end(server.registry, session)
        shown, linked = world.engine.files[0]
        assert isinstance(shown, ImagePart)
        assert shown.data == PNG
        assert isinstance(linked, FilePart)
        assert linked.path.endswith(f"/workspace/.outrider/attachments/{notes['id'][:10]}/notes.txt")
        assert ".outrider/attachments/" in world.engine.prompts[0][-1]
        told = b"".join(await server.registry.events(session, 0, 500)).decode()
        assert "what to look for" in told, "the engine can read it"
        assert "?? " not in told, "git does not see it"
        story = "".join(
            [part async for part in markdown(lambda after, limit: server.registry.events(session, after, limit))]
        )
        assert f"[notes.txt](/api/sessions/{session}/attachments/{notes['id']})" in story
    async with serving(world) as server:
        served = await server.client.get(f"/api/sessions/{session}/attachments/{image['id']}")
        assert (served.content, served.headers["content-type"]) == (PNG, "image/png")
        assert served.headers["content-disposition"].startswith("attachment;")
        assert served.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in served.headers["content-security-policy"]
        assert (await server.client.get(f"/api/sessions/{session}/attachments/f-aaaaaaaa")).status_code == 404
        for turn, text in enumerate(("forget", "look once more"), start=2):
            await server.client.post(f"/api/sessions/{session}/prompts", json={"text": text})
            await turn_end(server.registry, session, turns=turn)
        told = b"".join(await server.registry.events(session, 0, 500)).decode()
        assert told.count("what to look for") == 2, "laid into the workspace again"
        assert world.engine.files[-1] == (), "they came with the first prompt"


async def test_a_fork_has_the_files_too_and_is_made_once_under_its_key(world: SessionWorld) -> None:
    async with serving(world) as server:
        notes = (await upload(server, "notes.txt", b"what to look for\n")).json()
        session = await start(world, server, {"id": notes["id"], "name": "notes.txt"})
        await until(server.registry, session, lambda state: bool(state.snapshots))
        key = {"idempotency-key": "k"}
        answers = [await server.client.post(f"/api/sessions/{session}/fork", json={}, headers=key) for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        child = SessionId(answers[0].json()["session"])
        await server.client.post(f"/api/sessions/{child}/prompts", json={"text": "look"})
        await turn_end(server.registry, child)
        assert "what to look for" in b"".join(await server.registry.events(child, 0, 500)).decode()
        other = await server.client.post(f"/api/sessions/{child}/fork", json={"turn": "1"}, headers=key)
        assert other.status_code == 409


async def test_html_and_svg_are_text_and_nothing_is_a_page(world: SessionWorld) -> None:
    async with serving(world) as server:
        for name, data in (
            ("a.html", b"<script>alert(1)</script>"),
            ("a.svg", b"<svg onload='x'/>"),
            ("a.png", b"\0\1"),
        ):
            kind = (await upload(server, name, data, **{"content-type": "image/png"})).json()["media_type"]
            assert kind in ("text/plain", "application/octet-stream")


async def test_what_is_too_large_or_too_many_is_refused_with_the_limit(world: SessionWorld) -> None:
    limits = PromptLimits(prompt_bytes=100, attachments=1, attachment_bytes=1000)
    async with serving(world, limits=limits) as server:
        large = await server.client.post("/api/attachments?name=big.bin", content=pieces(b"x" * 600, b"x" * 600))
        assert large.status_code == 413
        assert "1,000 bytes" in large.json()["sentence"]
        assert "OUTRIDER_LIMIT_ATTACHMENT_BYTES" in large.json()["remedy"]
        assert kept(world) == []
        assert (await upload(server, "empty.txt", b"")).status_code == 422
        two = [(await upload(server, f"{data.decode()}.txt", data)).json() for data in (b"a", b"b")]
        refs = [{"id": file["id"], "name": file["name"]} for file in two]
        many = await server.client.post("/api/sessions", json=wanted(world, *refs))
        assert (many.status_code, "OUTRIDER_LIMIT_ATTACHMENTS" in many.json()["remedy"]) == (413, True)
        lost = await server.client.post("/api/sessions", json=wanted(world, {"id": "f-aaaaaaaa", "name": "x"}))
        assert (lost.status_code, lost.json()["remedy"]) == (404, "Upload it again, and send the prompt then.")
        long = await server.client.post("/api/sessions", json=wanted(world, text="x" * 101))
        assert (long.status_code, "OUTRIDER_LIMIT_PROMPT_BYTES" in long.json()["remedy"]) == (413, True)


async def test_the_same_key_is_the_same_upload(world: SessionWorld) -> None:
    key = {"idempotency-key": "k"}
    async with serving(world) as server:
        first = await upload(server, "a.txt", b"one", **key)
        assert (await upload(server, "a.txt", b"one", **key)).json() == first.json()
        assert (await upload(server, "a.txt", b"two", **key)).status_code == 409


async def test_an_upload_that_no_prompt_names_is_deleted_after_a_day(world: SessionWorld) -> None:
    async with serving(world) as server:
        named, orphan = [(await upload(server, f"{data.decode()}.txt", data)).json() for data in (b"named", b"orphan")]
        session = await start(world, server, {"id": named["id"], "name": "named.txt"})
        await turn_end(server.registry, session)
        collector = AttachmentCollector(world.attachments, lambda: [session], server.registry)
        assert await collector.collect() == 0
        for file in (world.folder / "attachments").iterdir():
            long_ago = world.clock.now().timestamp() - UNUSED_SECONDS - 1
            os.utime(file, (long_ago, long_ago))
        assert await collector.collect() == 1
        assert kept(world) == [named["id"]]
        assert orphan["id"] != named["id"]
