"""Repositories, pull requests and evidence of the built-in forge, in the catalog."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.errors import NotFound
from outrider.model.ids import CommitId
from outrider.model.proof import Proof
from outrider.model.repository import PullRequest, Repository
from outrider.storage import tables

MAX_PULL_REQUESTS = 1000
Item = TypeVar("Item")
_pulls = tables.pull_request
_repositories = tables.repository


class SqlForgeCatalog:
    """Implements `outrider.ports.forge_catalog.ForgeCatalog`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def repositories(self) -> list[Repository]:
        """All, by name."""
        return await self._read_repositories(select(_repositories).order_by(_repositories.c.name))

    async def repository(self, name: str) -> Repository | None:
        """The repository of that name."""
        return _first(await self._read_repositories(select(_repositories).where(_repositories.c.name == name)))

    async def repository_of(self, source: str) -> Repository | None:
        """The repository that was imported from there."""
        return _first(await self._read_repositories(select(_repositories).where(_repositories.c.source == source)))

    async def put_repository(self, repository: Repository) -> None:
        """Insert, or replace the one of that name."""
        values = repository.model_dump()
        statement = insert(_repositories).values(values)
        async with self._engine.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=[_repositories.c.name], set_=values)
            )

    async def add_pull_request(
        self, repository: str, build: Callable[[int], PullRequest], *, above: int = 0
    ) -> PullRequest:
        """Store what `build` makes of the next free number of the repository above this one, counted from 1."""
        newest = select(func.coalesce(func.max(_pulls.c.number), 0)).where(_pulls.c.repository == repository)
        async with self._engine.begin() as connection:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")  # else two could read the same number
            built = build(max((await connection.execute(newest)).scalar_one(), above) + 1)
            await connection.execute(insert(_pulls).values(_columns(built)))
        return built

    async def put_pull_request(self, pull_request: PullRequest) -> None:
        """Replace the one of that number. Raises NotFound."""
        mine = (_pulls.c.repository == pull_request.repository) & (_pulls.c.number == pull_request.number)
        async with self._engine.begin() as connection:
            outcome = await connection.execute(update(_pulls).where(mine).values(_columns(pull_request)))
        if outcome.rowcount == 0:
            raise NotFound(f"There is no pull request {pull_request.number} in {pull_request.repository}.")

    async def pull_request(self, repository: str, number: int) -> PullRequest | None:
        """The pull request of that number."""
        mine = (_pulls.c.repository == repository) & (_pulls.c.number == number)
        return _first(await self._read_pulls(select(_pulls.c.document).where(mine)))

    async def pull_request_of(self, repository: str, head_branch: str) -> PullRequest | None:
        """The newest pull request of a head branch, whatever became of it."""
        mine = (_pulls.c.repository == repository) & (_pulls.c.head_branch == head_branch)
        query = select(_pulls.c.document).where(mine).order_by(_pulls.c.number.desc()).limit(1)
        return _first(await self._read_pulls(query))

    async def pull_requests(self, repository: str | None) -> list[PullRequest]:
        """Those of one repository, or all; newest first, 1,000 at most."""
        query = select(_pulls.c.document).order_by(_pulls.c.opened_at.desc(), _pulls.c.number.desc())
        if repository is not None:
            query = query.where(_pulls.c.repository == repository)
        return await self._read_pulls(query.limit(MAX_PULL_REQUESTS))

    async def put_proof(self, repository: str, number: int, proof: Proof) -> None:
        """Keep the evidence about a head of a pull request; it replaces the older of the same head."""
        key = {"repository": repository, "number": number, "head": proof.head}
        document = proof.model_dump_json()
        statement = insert(tables.proof).values(**key, document=document)
        async with self._engine.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=list(key), set_={"document": document})
            )

    async def proof(self, repository: str, number: int, head: CommitId) -> Proof | None:
        """The evidence about that head."""
        columns = tables.proof.c
        mine = (columns.repository == repository) & (columns.number == number) & (columns.head == head)
        async with self._engine.connect() as connection:
            document = (await connection.execute(select(columns.document).where(mine))).scalar()
        return None if document is None else Proof.model_validate_json(document)

    async def _read_repositories(self, query: Select[Any]) -> list[Repository]:
        async with self._engine.connect() as connection:
            return [Repository.model_validate(dict(row)) for row in (await connection.execute(query)).mappings()]

    async def _read_pulls(self, query: Select[Any]) -> list[PullRequest]:
        async with self._engine.connect() as connection:
            documents = (await connection.execute(query)).scalars().all()
        return [PullRequest.model_validate_json(document) for document in documents]


def _columns(pull_request: PullRequest) -> dict[str, object]:
    return {
        "repository": pull_request.repository,
        "number": pull_request.number,
        "head_branch": pull_request.head_branch,
        "opened_at": pull_request.opened_at,
        "document": pull_request.model_dump_json(),
    }


def _first(items: list[Item]) -> Item | None:
    return items[0] if items else None
