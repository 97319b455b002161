"""What every store has to do, real or in memory. Subclass a contract in a test file and give it the store to test."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from outrider.model.errors import NotFound, Refused
from outrider.model.events import RECORDED, ProblemReported, Recorded
from outrider.model.ids import ArtifactId, CommitId, ProofId, SessionId
from outrider.model.person import Person
from outrider.model.proof import Proof, ProofVerdict
from outrider.model.repository import PullRequest, PullRequestState, Repository
from outrider.ports.forge_catalog import ForgeCatalog
from outrider.ports.search import Passage, SearchIndex
from outrider.ports.store import Blobs, SessionLogs

SESSION = SessionId("s-abcdefgh22")
OTHER = SessionId("s-abcdefgh33")
MORNING = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)


def recorded(seq: int, sentence: str = "A sentence.") -> Recorded:
    """An event with a number."""
    return Recorded(seq=seq, at=MORNING + timedelta(seconds=seq), event=ProblemReported(sentence=sentence))


def numbered(count: int, first: int = 1) -> list[Recorded]:
    """So many events, numbered from `first`."""
    return [recorded(seq) for seq in range(first, first + count)]


class SessionLogsContract:
    """For `outrider.ports.store.SessionLogs`."""

    @pytest.fixture
    def logs(self) -> SessionLogs:
        """The store to test, empty."""
        raise NotImplementedError

    def test_a_new_log_is_empty(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        assert (log.last_seq(), log.read(0, 10), list(log.all())) == (0, [], [])
        log.close()

    def test_what_is_appended_is_read_back_in_order_after_reopening(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        log.append(numbered(2))
        log.append(numbered(3, first=3))
        log.close()
        again = logs.open(SESSION)
        assert again.last_seq() == 5
        assert again.read(0, 100) == numbered(5)
        again.close()

    def test_reading_starts_after_a_number_and_stops_at_the_limit(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        log.append(numbered(10))
        assert [event.seq for event in log.read(4, 3)] == [5, 6, 7]
        assert log.read(10, 3) == []
        log.close()

    def test_encoded_events_are_the_bytes_of_the_feed(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        log.append([recorded(1, "Ünïcode \u2028 and \x00.")])
        assert log.read_encoded(0, 1) == [RECORDED.dump_json(recorded(1, "Ünïcode \u2028 and \x00."))]
        log.close()

    def test_all_reads_more_than_one_page(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        log.append(numbered(1203))
        assert [event.seq for event in log.all()] == list(range(1, 1204))
        log.close()

    @pytest.mark.parametrize("wrong", [[2], [1, 3], [1, 1]], ids=["gap-before", "gap-within", "twice"])
    def test_numbers_that_do_not_continue_are_refused_and_nothing_is_stored(
        self, logs: SessionLogs, wrong: list[int]
    ) -> None:
        log = logs.create(SESSION)
        with pytest.raises(ValueError):  # noqa: PT011 (the port promises no more than the type)
            log.append([recorded(seq) for seq in wrong])
        assert (log.last_seq(), log.read(0, 10)) == (0, [])
        log.append(numbered(1))
        log.close()

    def test_appending_nothing_changes_nothing(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        log.append([])
        assert log.last_seq() == 0
        log.close()

    def test_a_log_survives_a_checkpoint_and_can_be_closed_twice(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        log.append(numbered(3))
        log.checkpoint()
        log.append(numbered(1, first=4))
        log.close()
        log.close()
        again = logs.open(SESSION)
        assert again.read(0, 10) == numbered(4)
        again.close()

    def test_a_log_has_one_writer(self, logs: SessionLogs) -> None:
        log = logs.create(SESSION)
        with pytest.raises(Refused):
            logs.open(SESSION)
        log.close()
        logs.open(SESSION).close()

    def test_a_log_is_created_once(self, logs: SessionLogs) -> None:
        logs.create(SESSION).close()
        with pytest.raises(ValueError, match="already"):
            logs.create(SESSION)

    def test_a_log_that_does_not_exist_is_not_found(self, logs: SessionLogs) -> None:
        with pytest.raises(NotFound):
            logs.open(SESSION)

    def test_ids_are_those_of_the_logs(self, logs: SessionLogs) -> None:
        assert logs.ids() == []
        logs.create(OTHER).close()
        logs.create(SESSION).close()
        assert logs.ids() == [SESSION, OTHER]


class BlobsContract:
    """For `outrider.ports.store.Blobs`."""

    @pytest.fixture
    def blobs(self) -> Blobs:
        """The store to test, empty."""
        raise NotImplementedError

    @pytest.mark.parametrize("data", [b"", b"\x00\xff bytes\n" * 1000])
    async def test_bytes_and_media_type_come_back(self, blobs: Blobs, data: bytes) -> None:
        artifact = await blobs.put(SESSION, data, media_type="text/plain; charset=utf-8")
        assert await blobs.get(SESSION, artifact) == (data, "text/plain; charset=utf-8")

    async def test_the_same_content_has_the_same_id(self, blobs: Blobs) -> None:
        first = await blobs.put(SESSION, b"log", media_type="text/plain")
        assert await blobs.put(SESSION, b"log", media_type="text/plain") == first
        assert await blobs.put(SESSION, b"LOG", media_type="text/plain") != first
        assert await blobs.put(SESSION, b"log", media_type="image/png") != first

    async def test_an_artifact_belongs_to_its_session(self, blobs: Blobs) -> None:
        artifact = await blobs.put(SESSION, b"log", media_type="text/plain")
        with pytest.raises(NotFound):
            await blobs.get(OTHER, artifact)

    @pytest.mark.parametrize("name", ["a-aaaaaaaa", "../../etc/passwd", "a-aaaaaaaa\n", ""])
    async def test_what_was_never_stored_is_not_found(self, blobs: Blobs, name: str) -> None:
        with pytest.raises(NotFound):
            await blobs.get(SESSION, ArtifactId(name))


ADA = Person(name="Ada", email="ada@example.org")


def pull_request(number: int, *, repository: str = "demo", head: str = "outrider/s-abcd/fix") -> PullRequest:
    """A pull request, opened so many minutes after the morning as its number says."""
    return PullRequest(
        repository=repository,
        number=number,
        url="",
        title=f"Fix {number}",
        body="",
        author=ADA,
        base_branch="main",
        head_branch=head,
        base_commit="0" * 40,
        head_commit="1" * 40,
        state=PullRequestState.OPEN,
        opened_at=MORNING + timedelta(minutes=number),
    )


def proof(head: str, summary: str = "Red, then green.") -> Proof:
    """Evidence about a head."""
    return Proof(
        id=ProofId("p-abcd"), base="0" * 40, head=CommitId(head), verdict=ProofVerdict.FIX_PROVED, summary=summary
    )


class ForgeCatalogContract:
    """For `outrider.ports.forge_catalog.ForgeCatalog`."""

    @pytest.fixture
    def catalog(self) -> ForgeCatalog:
        """The catalog to test, empty."""
        raise NotImplementedError

    async def test_a_repository_is_found_by_name_and_by_source(self, catalog: ForgeCatalog) -> None:
        demo = Repository(forge="builtin", name="demo", source="/srv/demo", default_branch="main")
        site = Repository(forge="builtin", name="a-site", source="/srv/site", default_branch="main")
        await catalog.put_repository(demo)
        await catalog.put_repository(site)
        assert await catalog.repository("demo") == demo
        assert await catalog.repository_of("/srv/site") == site
        assert await catalog.repository("other") is None
        assert await catalog.repository_of("/srv/other") is None
        assert list(await catalog.repositories()) == [site, demo]
        moved = demo.model_copy(update={"default_branch": "trunk"})
        await catalog.put_repository(moved)
        assert await catalog.repository("demo") == moved

    async def test_numbers_are_counted_for_each_repository(self, catalog: ForgeCatalog) -> None:
        for repository, expected in (("demo", 1), ("demo", 2), ("site", 1), ("demo", 3)):
            added = await catalog.add_pull_request(repository, partial(pull_request, repository=repository))
            assert added.number == expected
            assert await catalog.pull_request(repository, expected) == added

    async def test_numbers_are_given_once_even_at_the_same_time(self, catalog: ForgeCatalog) -> None:
        async with asyncio.TaskGroup() as tasks:
            adding = [tasks.create_task(catalog.add_pull_request("demo", pull_request), name="add") for _ in range(8)]
        assert sorted(task.result().number for task in adding) == list(range(1, 9))

    async def test_pull_requests_are_listed_newest_first(self, catalog: ForgeCatalog) -> None:
        await catalog.add_pull_request("demo", pull_request)
        await catalog.add_pull_request("demo", pull_request)
        await catalog.add_pull_request("site", lambda number: pull_request(number + 5, repository="site"))
        assert [one.number for one in await catalog.pull_requests("demo")] == [2, 1]
        assert [one.repository for one in await catalog.pull_requests(None)] == ["site", "demo", "demo"]

    async def test_a_pull_request_changes_in_its_place(self, catalog: ForgeCatalog) -> None:
        opened = await catalog.add_pull_request("demo", pull_request)
        merged = opened.model_copy(update={"state": PullRequestState.MERGED})
        await catalog.put_pull_request(merged)
        assert await catalog.pull_request("demo", 1) == merged
        with pytest.raises(NotFound):
            await catalog.put_pull_request(pull_request(99))

    async def test_the_newest_pull_request_of_a_head_branch_is_found(self, catalog: ForgeCatalog) -> None:
        await catalog.add_pull_request("demo", pull_request)
        newer = await catalog.add_pull_request("demo", pull_request)
        await catalog.add_pull_request("demo", lambda number: pull_request(number, head="outrider/s-abcd/other"))
        assert await catalog.pull_request_of("demo", newer.head_branch) == newer
        assert await catalog.pull_request_of("site", newer.head_branch) is None

    async def test_the_newest_proof_of_a_head_replaces_the_older(self, catalog: ForgeCatalog) -> None:
        await catalog.put_proof("demo", 1, proof("1" * 40, "older"))
        await catalog.put_proof("demo", 1, proof("1" * 40))
        await catalog.put_proof("demo", 1, proof("2" * 40))
        assert await catalog.proof("demo", 1, CommitId("1" * 40)) == proof("1" * 40)
        assert await catalog.proof("demo", 1, CommitId("3" * 40)) is None
        assert await catalog.proof("demo", 2, CommitId("1" * 40)) is None


class SearchContract:
    """For `outrider.ports.search.SearchIndex`."""

    @pytest.fixture
    def search(self) -> SearchIndex:
        """The index to test, empty."""
        raise NotImplementedError

    async def test_what_was_put_is_found_by_all_of_its_words(self, search: SearchIndex) -> None:
        await search.put(SESSION, [passage("p-1", 2, "The discount is forgotten")], 2)
        await search.put(OTHER, [passage("p-1", 2, "The discount is doubled")], 2)
        assert [hit.session for hit in await search.find("forgotten discount", 10)] == [SESSION]
        assert {hit.session for hit in await search.find("discount", 10)} == {SESSION, OTHER}
        assert len(await search.find("discount", 1)) == 1
        assert list(await search.find("discount coupon", 10)) == []

    async def test_the_last_word_may_be_a_beginning(self, search: SearchIndex) -> None:
        await search.put(SESSION, [passage("p-1", 2, "The discount is forgotten")], 2)
        assert [hit.seq for hit in await search.find("discount forg", 10)] == [2]
        assert list(await search.find("disc forgotten", 10)) == []

    async def test_what_people_type_is_never_an_operator(self, search: SearchIndex) -> None:
        await search.put(SESSION, [passage("p-1", 2, "to be or not to be")], 2)
        for words in ("", '"', "* OR (", "NEAR(", "text:be", "- -", "^", 'a" OR "be'):
            await search.find(words, 10)
        assert list(await search.find('" *', 10)) == []

    async def test_a_message_grows_and_is_one(self, search: SearchIndex) -> None:
        await search.put(SESSION, [passage("m-1", 3, "The bug is in mo")], 3)
        await search.put(SESSION, [passage("m-1", 4, "ney.py, line 7")], 4)
        (hit,) = await search.find("money.py", 10)
        assert (hit.seq, hit.kind) == (3, "prompt")
        assert any(part.hit for part in hit.snippet)

    async def test_nothing_is_taken_in_twice(self, search: SearchIndex) -> None:
        for _ in range(2):
            await search.put(SESSION, [passage("m-1", 3, "once ")], 3)
        assert await search.reached() == {SESSION: 3}
        (hit,) = await search.find("once", 10)
        assert "".join(part.text for part in hit.snippet).split() == ["once"]


def passage(key: str, seq: int, text: str) -> Passage:
    """A piece of a prompt."""
    return Passage(key=key, kind="prompt", seq=seq, at=MORNING, text=text)
