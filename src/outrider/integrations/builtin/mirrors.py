"""The bare repositories of the built-in forge: one for each source, made and brought up to date when it is named."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from pydantic import ValidationError

from outrider.integrations.builtin.git import Git
from outrider.integrations.builtin.importing import Importer, create_mirror
from outrider.integrations.builtin.source import (
    LocalSource,
    NamedSource,
    RemoteSource,
    find_repository,
    name_for,
    parse_source,
)
from outrider.model.errors import NotFound, RepositoryError
from outrider.model.repository import Repository
from outrider.ports.forge import Progress
from outrider.ports.forge_catalog import ForgeCatalog

FORGE = "builtin"


class Mirrors:
    """Folders `NAME.git` and their rows in the catalog."""

    def __init__(self, folder: Path, catalog: ForgeCatalog, importer: Importer) -> None:
        self._folder = folder
        self._catalog = catalog
        self._importer = importer
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def find(self, source: str, progress: Progress) -> Repository:
        """The repository that a person named, imported or brought up to date. Raises RepositoryError."""
        parsed = await asyncio.to_thread(parse_source, source)
        if isinstance(parsed, NamedSource):
            known = await self._catalog.repository(parsed.name)
            if known is not None:
                return await self._refresh_or_keep(known, progress)
            parsed = await asyncio.to_thread(_folder_of_that_name, parsed.name)
        async with self._locked(f"source {parsed.address}"):
            known = await self._catalog.repository_of(parsed.address)
            if known is not None:
                return await self._refresh(known, parsed, progress)
            return await self._import(parsed, progress)

    def path(self, name: str) -> Path:
        """The bare repository of that name. Raises NotFound for what can be no name."""
        if "/" in name or name.startswith("."):
            raise NotFound(f"There is no repository {name!r}.")
        return self._folder / f"{name}.git"

    def git(self, name: str) -> Git:
        """git in it."""
        return Git(self.path(name))

    @asynccontextmanager
    async def changing(self, name: str) -> AsyncIterator[None]:
        """Hold while branches of a repository are changed."""
        async with self._locked(f"repository {name}"):
            yield

    async def _import(self, source: LocalSource | RemoteSource, progress: Progress) -> Repository:
        """Fetch into a folder aside, so that a repository that has a name is whole."""
        aside = self._folder / f".import-{hashlib.sha256(source.address.encode()).hexdigest()[:16]}.git"
        await asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True)
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        try:
            await create_mirror(aside)
            branch = await self._importer.fetch(aside, source, progress)
            async with self._locked("names"):
                repository = _repository(await self._free_name(source), source.address, branch)
                await asyncio.to_thread(aside.rename, self.path(repository.name))
                await self._catalog.put_repository(repository)
        finally:
            await asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True)
        return repository

    async def _refresh(self, known: Repository, source: LocalSource | RemoteSource, progress: Progress) -> Repository:
        async with self.changing(known.name):
            branch = await self._importer.fetch(self.path(known.name), source, progress)
        repository = _repository(known.name, known.source, branch)
        if repository != known:
            await self._catalog.put_repository(repository)
        return repository

    async def _refresh_or_keep(self, known: Repository, progress: Progress) -> Repository:
        """What was named by its name alone can be worked on even when its source is gone."""
        try:
            source = await asyncio.to_thread(parse_source, known.source)
            if isinstance(source, NamedSource):
                return known
            return await self._refresh(known, source, progress)
        except RepositoryError as error:
            progress(f"{known.name} was not brought up to date: {error.sentence}")
            return known

    async def _free_name(self, source: LocalSource | RemoteSource) -> str:
        """The name of the source, with a number where another source has it, or where a folder has it that no row
        knows of: it may hold work that the catalog has lost."""
        wanted = name = name_for(source)
        suffix = 1
        while await self._catalog.repository(name) is not None or await asyncio.to_thread(self.path(name).exists):
            suffix += 1
            name = f"{wanted}-{suffix}"
        return name

    @asynccontextmanager
    async def _locked(self, what: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(what, asyncio.Lock())
        async with lock:
            yield


def _repository(name: str, source: str, branch: str) -> Repository:
    try:
        return Repository(forge=FORGE, name=name, source=source, default_branch=branch)
    except ValidationError as error:
        raise RepositoryError(
            f"The branch {branch!r} of {source} has a name that cannot be used here.", "Check out another one there."
        ) from error


def _folder_of_that_name(name: str) -> LocalSource:
    if not Path(name).exists():
        raise RepositoryError(
            f"There is no repository named {name}.", "Name a known one, or give its folder (with a slash) or its URL."
        )
    return find_repository(Path(name))
