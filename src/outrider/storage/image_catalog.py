"""Repositories' images, their builds, and layers' last use, in the catalog."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from outrider.model.ids import BuildId, LayerId
from outrider.model.image import Build, BuildState, RepositoryImage
from outrider.storage import tables

_images = tables.repository_image
_builds = tables.image_build
_uses = tables.layer_use

OVER = tuple(state.value for state in BuildState if state.over)


class SqlImageCatalog:
    """Implements `outrider.ports.images.ImageCatalog`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put_image(self, image: RepositoryImage) -> None:
        """Insert, or replace the one of that build."""
        values = {
            "build": image.build,
            "repository": image.repository,
            "branch": image.branch,
            "built_at": image.built_at,
            "document": image.model_dump_json(),
        }
        statement = insert(_images).values(values)
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["build"], set_=values))

    async def images(self, repository: str | None = None, branch: str | None = None) -> list[RepositoryImage]:
        """Of one repository (or all) and one branch of it (or all), newest first."""
        query = select(_images.c.document).order_by(_images.c.built_at.desc(), _images.c.build.desc())
        if repository is not None:
            query = query.where(_images.c.repository == repository)
        if branch is not None:
            query = query.where(_images.c.branch == branch)
        async with self._engine.connect() as connection:
            documents = (await connection.execute(query)).scalars().all()
        return [RepositoryImage.model_validate_json(document) for document in documents]

    async def forget_image(self, build: BuildId) -> None:
        """Delete one."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(_images).where(_images.c.build == build))

    async def put_build(self, build: Build) -> None:
        """Insert, or replace the one of that id."""
        values = {
            "id": build.id,
            "state": build.state.value,
            "queued_at": build.queued_at,
            "document": build.model_dump_json(),
        }
        statement = insert(_builds).values(values)
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    async def build(self, build: BuildId) -> Build | None:
        """The build of that id."""
        async with self._engine.connect() as connection:
            document = (await connection.execute(select(_builds.c.document).where(_builds.c.id == build))).scalar()
        return None if document is None else Build.model_validate_json(document)

    async def builds(self, *, limit: int, states: Collection[BuildState] | None = None) -> list[Build]:
        """In these states (or all), newest first."""
        query = select(_builds.c.document).order_by(_builds.c.queued_at.desc(), _builds.c.id.desc()).limit(limit)
        if states is not None:
            query = query.where(_builds.c.state.in_([state.value for state in states]))
        async with self._engine.connect() as connection:
            documents = (await connection.execute(query)).scalars().all()
        return [Build.model_validate_json(document) for document in documents]

    async def trim_builds(self, keep: int) -> list[BuildId]:
        """Delete builds that are over, but the newest `keep` of them."""
        over = select(_builds.c.id).where(_builds.c.state.in_(OVER))
        query = over.order_by(_builds.c.queued_at.desc(), _builds.c.id.desc()).offset(keep)
        async with self._engine.begin() as connection:
            doomed = [BuildId(one) for one in (await connection.execute(query)).scalars().all()]
            await connection.execute(delete(_builds).where(_builds.c.id.in_(doomed)))
        return doomed

    async def touch_layers(self, layers: Collection[LayerId], at: datetime) -> None:
        """These layers were used at that moment."""
        async with self._engine.begin() as connection:
            for layer in layers:
                statement = insert(_uses).values(layer=layer, used_at=at)
                await connection.execute(
                    statement.on_conflict_do_update(index_elements=["layer"], set_={"used_at": at})
                )

    async def layer_uses(self) -> dict[LayerId, datetime]:
        """The last use of every layer of which one is known."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(_uses.c.layer, _uses.c.used_at))).all()
        return {LayerId(layer): used_at for layer, used_at in rows}

    async def forget_layers(self, layers: Collection[LayerId]) -> None:
        """Their last use is of no more interest."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(_uses).where(_uses.c.layer.in_(list(layers))))
