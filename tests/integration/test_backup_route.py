"""The backup as the API gives it: whole, and to the owner alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from outrider.api.server import build_server
from outrider.app.backup.reading import check
from outrider.app.backup.writing import Backup, Source
from outrider.testing.api_world import TOKEN, ApiWorld, api_world
from outrider.testing.fake_engine import FakeEngine
from outrider.testing.playbook import BOB
from outrider.testing.session_world import SessionWorld


async def test_the_owner_gets_a_whole_backup_and_nobody_else_any(tmp_path: Path):
    world = SessionWorld(tmp_path / "home", FakeEngine({"": []}))
    await world.begin()

    def backup(snapshots: bool, secrets: bool) -> AsyncIterator[bytes]:
        return Backup(Source(world.folder, world.clock), snapshots=snapshots, secrets=secrets).stream()

    async with api_world(world) as api:
        parts = replace(api.parts, backup=backup)
        served = ApiWorld(build_server(parts, ["localhost"]), parts)
        cookie = await served.log_in(BOB)
        async with served.client(token=TOKEN) as owner, served.client(cookie=cookie) as browser:
            answer = await owner.get("/api/backup?snapshots=false")
            refused = await browser.get("/api/backup")
    assert answer.status_code == 200
    archive = tmp_path / "backup.tar"
    await asyncio.to_thread(archive.write_bytes, answer.content)
    report = await asyncio.to_thread(check, archive, lambda done, of: None)
    assert (report.head.snapshots, report.head.secrets) == (False, False)
    assert report.files > 3
    assert refused.status_code == 403
    assert "Only the owner" in refused.text
