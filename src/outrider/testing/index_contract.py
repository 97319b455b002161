"""What every index of sessions must do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outrider.model.ids import SessionId
from outrider.model.membership import Member
from outrider.model.person import Person
from outrider.ports.store import SessionIndex, SessionRow, Wanted

SESSION, OTHER = SessionId("s-abcdefgh23"), SessionId("s-zyxwvuts76")
MORNING = datetime(2026, 1, 1, 9, tzinfo=UTC)


def row(session: SessionId, *, minutes: int = 0, projected_seq: int = 1, title: str = "Mend the sum") -> SessionRow:
    """A row of the index, changed so many minutes after the morning."""
    return SessionRow(
        id=session,
        title=title,
        repository="demo",
        branch="main",
        author="Ada",
        model="rehearsal/demo",
        status="idle",
        pull_request=None,
        pull_request_state=None,
        verdict=None,
        cost_usd=0.25,
        created_at=MORNING,
        updated_at=MORNING + timedelta(minutes=minutes),
        projected_seq=projected_seq,
    )


class SessionIndexContract:
    """For `outrider.ports.store.SessionIndex`."""

    @pytest.fixture
    def index(self) -> SessionIndex:
        """The index to test, empty."""
        raise NotImplementedError

    async def test_a_row_comes_back_as_it_was(self, index: SessionIndex) -> None:
        full = replace(row(SESSION), pull_request=7, pull_request_state="open", verdict="fix_proved")
        await index.put(full)
        assert await index.get(SESSION) == full
        assert await index.get(OTHER) is None

    async def test_sessions_are_counted_by_status(self, index: SessionIndex) -> None:
        assert await index.counts() == {}
        await index.put(row(SESSION))
        await index.put(row(OTHER))
        await index.put(replace(row(OTHER, projected_seq=2), status="archived"))
        assert await index.counts() == {"idle": 1, "archived": 1}

    async def test_a_newer_projection_replaces_an_older_one(self, index: SessionIndex) -> None:
        await index.put(row(SESSION, projected_seq=4))
        await index.put(row(SESSION, projected_seq=9, title="newer"))
        assert await index.get(SESSION) == row(SESSION, projected_seq=9, title="newer")

    async def test_an_older_projection_never_replaces_a_newer_one(self, index: SessionIndex) -> None:
        await index.put(row(SESSION, projected_seq=9, title="newer"))
        await index.put(row(SESSION, projected_seq=4))
        assert await index.get(SESSION) == row(SESSION, projected_seq=9, title="newer")

    async def test_of_many_rows_only_the_older_ones_are_left_out(self, index: SessionIndex) -> None:
        ada = {"ada@example.org": Member(person=Person(name="Ada", email="ada@example.org"), role="owner")}
        lin = {"lin@example.org": Member(person=Person(name="Lin", email="lin@example.org"), role="viewer")}
        newer = replace(row(SESSION, projected_seq=9, title="newer"), members=ada)
        await index.put(newer)
        other = replace(row(OTHER, projected_seq=2), members=lin)
        await index.put(replace(row(SESSION, projected_seq=4), members=lin), other)
        assert [await index.get(session) for session in (SESSION, OTHER)] == [newer, other]

    async def test_members_come_back_and_are_replaced(self, index: SessionIndex) -> None:
        mine = {"ada@example.org": Member(person=Person(name="Ada", email="ada@example.org"), role="owner")}
        await index.put(replace(row(SESSION, projected_seq=4), members=mine))
        await index.put(row(OTHER))
        assert [found.members for found in await index.list(limit=9, member="ada@example.org")] == [mine]
        await index.put(row(SESSION, projected_seq=3))
        kept = await index.get(SESSION)
        assert kept is not None
        assert kept.members == mine
        for wanted in (Wanted(member="ada@example.org"), Wanted(only=frozenset([SESSION]))):
            assert [found.id for found in await index.choose(wanted, limit=9)] == [SESSION]
        assert await index.choose(Wanted(only=frozenset()), limit=9) == []
        await index.put(row(SESSION, projected_seq=5))
        assert await index.list(limit=9, member="ada@example.org") == []

    async def test_the_list_begins_with_the_newest_change(self, index: SessionIndex) -> None:
        sessions = [SessionId(f"s-abcdefgh2{letter}") for letter in "abc"]
        for minutes, session in zip((5, 30, 10), sessions, strict=True):
            await index.put(row(session, minutes=minutes))
        listed = await index.list(limit=2)
        assert [one.id for one in listed] == [sessions[1], sessions[2]]
        rest = await index.list(limit=2, before=listed[-1].updated_at)
        assert [one.id for one in rest] == [sessions[0]]

    async def test_pinned_sessions_come_first_and_only_once(self, index: SessionIndex) -> None:
        old, newer, newest = (SessionId(f"s-abcdefgh2{letter}") for letter in "abc")
        await index.put(replace(row(old, minutes=1), pinned=True))
        await index.put(row(newer, minutes=2))
        await index.put(row(newest, minutes=3))
        first = await index.choose(Wanted(), limit=2)
        assert [one.id for one in first] == [old, newest]
        rest = await index.choose(Wanted(), limit=2, before=first[-1].updated_at)
        assert [one.id for one in rest] == [newer]

    @pytest.mark.parametrize(
        ("wanted", "letters"),
        [
            (Wanted(), "ab"),
            (Wanted(statuses=frozenset({"archived"})), "c"),
            (Wanted(repository="shop"), "b"),
            (Wanted(author="Bob"), "b"),
            (Wanted(words="SUM"), "a"),
            (Wanted(words="100%"), ""),
            (Wanted(words="sum", among=frozenset({SessionId("s-abcdefgh2b")})), "ab"),
        ],
    )
    async def test_only_what_is_wanted_is_listed(self, index: SessionIndex, wanted: Wanted, letters: str) -> None:
        a, b, c = (row(SessionId(f"s-abcdefgh2{letter}"), minutes=1) for letter in "abc")
        for one in (a, replace(b, repository="shop", author="Bob", title="Sell"), replace(c, status="archived")):
            await index.put(one)
        listed = await index.choose(wanted, limit=5)
        assert "".join(sorted(one.id[-1] for one in listed)) == letters
