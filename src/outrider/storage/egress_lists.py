"""Hosts that people have allowed to repositories, in the catalog. All of it is in memory too: each connection asks."""

from collections import defaultdict

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.egress import HOSTS_LIMIT
from outrider.model.limits import FIXED, limit_reached
from outrider.model.person import Person
from outrider.ports.clock import Clock
from outrider.ports.egress import RepositoryHost
from outrider.storage.tables import egress_host as table


class SqlEgressLists:
    """Implements `outrider.ports.egress.EgressLists`. `load` comes first."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._known: defaultdict[str, dict[str, RepositoryHost]] = defaultdict(dict)

    async def load(self) -> None:
        """Read what is there."""
        async with self._engine.connect() as connection:
            for row in (await connection.execute(select(table))).mappings():
                person = Person.model_validate_json(row["by"])
                self._known[row["repository"]][row["host"]] = RepositoryHost(row["host"], person, row["at"])

    def hosts(self, repository: str) -> tuple[str, ...]:
        """The hosts on a repository's list, from memory: asked at each connection."""
        return tuple(self._known.get(repository, ()))

    async def list(self, repository: str) -> tuple[RepositoryHost, ...]:
        """The same with who allowed them, by name."""
        found = self._known.get(repository, {})
        return tuple(found[host] for host in sorted(found))

    async def allow(self, repository: str, host: str, by: Person) -> None:
        """Put a host on the list; one that is there stays as it is. Raises LimitReached."""
        if host in self._known.get(repository, ()):
            return
        if len(self._known.get(repository, ())) >= HOSTS_LIMIT:
            sentence = f"{HOSTS_LIMIT} hosts are allowed to {repository} already, which is the most."
            raise limit_reached(sentence, "An owner of a session in it can forbid one first.", FIXED)
        entry = RepositoryHost(host, by, self._clock.now())
        values = {"repository": repository, "host": host, "by": by.model_dump_json(), "at": entry.at}
        async with self._engine.begin() as connection:
            await connection.execute(insert(table).prefix_with("OR IGNORE").values(values))
        self._known[repository][host] = entry

    async def forbid(self, repository: str, host: str) -> bool:
        """Take a host off the list. Returns whether it was there."""
        there = self._known.get(repository, {}).pop(host, None) is not None
        mine = (table.c.repository == repository) & (table.c.host == host)
        async with self._engine.begin() as connection:
            await connection.execute(delete(table).where(mine))
        return there
