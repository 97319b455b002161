"""The lists of repositories: there after a restart, and in force from memory."""

from pathlib import Path

import pytest

from outrider.model.egress import HOSTS_LIMIT
from outrider.model.errors import LimitReached
from outrider.ports.clock import SystemClock
from outrider.storage import audit
from outrider.storage.catalog import open_catalog
from outrider.testing.playbook import ADA, BOB


async def test_what_people_allowed_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    async with open_catalog(path, SystemClock()) as catalog:
        assert catalog.egress.hosts("shop") == ()
        await catalog.egress.allow("shop", "b.example", ADA)
        await catalog.egress.allow("shop", "a.example", ADA)
        await catalog.egress.allow("shop", "a.example", BOB)
        await catalog.egress.allow("bakery", "c.example", BOB)
    async with open_catalog(path, SystemClock()) as catalog:
        assert set(catalog.egress.hosts("shop")) == {"a.example", "b.example"}
        assert [(entry.host, entry.by) for entry in await catalog.egress.list("shop")] == [
            ("a.example", ADA),
            ("b.example", ADA),
        ]
        assert await catalog.egress.forbid("shop", "a.example")
        assert not await catalog.egress.forbid("shop", "a.example")
        assert catalog.egress.hosts("shop") == ("b.example",)
    async with open_catalog(path, SystemClock()) as catalog:
        assert catalog.egress.hosts("shop") == ("b.example",)


async def test_a_list_has_an_end(tmp_path: Path) -> None:
    async with open_catalog(tmp_path / "catalog.sqlite", SystemClock()) as catalog:
        for number in range(HOSTS_LIMIT):
            await catalog.egress.allow("shop", f"a{number}.example", ADA)
        with pytest.raises(LimitReached):
            await catalog.egress.allow("shop", "one-more.example", ADA)


async def test_the_audit_of_one_owner_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "KEPT", 5)
    monkeypatch.setattr(audit, "SWEEP", 4)
    async with open_catalog(tmp_path / "catalog.sqlite", SystemClock()) as catalog:
        await catalog.audit.record("s-other", "egress", "kept.example:443", allowed=True, why="")
        for number in range(12):
            await catalog.audit.record("s-flood", "egress", f"a{number}.example:443", allowed=False, why="")
        kept = [entry.target for entry in await catalog.audit.recent("s-flood", 100)]
        assert kept == [f"a{number}.example:443" for number in range(11, 6, -1)]
        assert len(await catalog.audit.recent(None, 100)) == 6
