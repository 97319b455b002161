"""What every catalog of images has to do, real or in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outrider.model.ids import BuildId, LayerId, new_id
from outrider.model.image import Build, BuildState, RepositoryImage
from outrider.ports.images import ImageCatalog

MORNING = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def image_of(number: int = 0, **fields: Any) -> RepositoryImage:
    """An image, later with larger numbers."""
    given = {
        "build": new_id("build"),
        "repository": "bakery",
        "branch": "main",
        "commit": f"{number:040x}",
        "layers": (LayerId("base-a"), LayerId(f"repo-{number}")),
        "machine": (LayerId("base-a"),),
        "toolbox": LayerId("toolbox-a"),
        "recipe": "r1",
        "built_at": MORNING + timedelta(minutes=number),
    }
    return RepositoryImage.model_validate({**given, **fields})


def build_of(number: int = 0, **fields: Any) -> Build:
    """A build, later with larger numbers."""
    given = {
        "id": new_id("build"),
        "repository": "bakery",
        "branch": "main",
        "why": "by hand",
        "queued_at": MORNING + timedelta(minutes=number),
    }
    return Build.model_validate({**given, **fields})


class ImageCatalogContract:
    """For `outrider.ports.images.ImageCatalog`."""

    @pytest.fixture
    def catalog(self) -> ImageCatalog:
        """The catalog to test, empty."""
        raise NotImplementedError

    async def test_images_are_found_newest_first(self, catalog: ImageCatalog) -> None:
        old, new, other = image_of(1), image_of(3), image_of(2, branch="next")
        for image in (new, old, other):
            await catalog.put_image(image)
        assert await catalog.images("bakery", "main") == [new, old]
        assert await catalog.images("bakery") == [new, other, old]
        assert await catalog.images("elsewhere") == []
        await catalog.forget_image(new.build)
        await catalog.forget_image(new.build)
        assert await catalog.images() == [other, old]

    async def test_an_image_is_replaced_by_its_build(self, catalog: ImageCatalog) -> None:
        image = image_of(1)
        await catalog.put_image(image)
        changed = image.model_copy(update={"bytes": 5})
        await catalog.put_image(changed)
        assert await catalog.images() == [changed]

    async def test_builds_are_found_by_id_and_state(self, catalog: ImageCatalog) -> None:
        queued, failed = build_of(1), build_of(2, state=BuildState.FAILED)
        for build in (queued, failed):
            await catalog.put_build(build)
        assert await catalog.build(queued.id) == queued
        assert await catalog.build(BuildId("b-none")) is None
        assert await catalog.builds(limit=10) == [failed, queued]
        assert await catalog.builds(limit=1) == [failed]
        assert await catalog.builds(limit=10, states=[BuildState.QUEUED, BuildState.RUNNING]) == [queued]
        running = queued.model_copy(update={"state": BuildState.RUNNING})
        await catalog.put_build(running)
        assert await catalog.builds(limit=10, states=[BuildState.RUNNING]) == [running]

    async def test_only_builds_that_are_over_are_trimmed(self, catalog: ImageCatalog) -> None:
        over = [build_of(number, state=BuildState.DONE) for number in range(3)]
        queued = build_of(-1)
        for build in (*over, queued):
            await catalog.put_build(build)
        assert await catalog.trim_builds(1) == [over[1].id, over[0].id]
        assert await catalog.builds(limit=10) == [over[2], queued]

    async def test_the_last_use_of_a_layer_is_kept(self, catalog: ImageCatalog) -> None:
        one, two = LayerId("setup-a"), LayerId("setup-b")
        await catalog.touch_layers([one, two], MORNING)
        await catalog.touch_layers([one], MORNING + timedelta(days=1))
        assert await catalog.layer_uses() == {one: MORNING + timedelta(days=1), two: MORNING}
        await catalog.forget_layers([one])
        assert await catalog.layer_uses() == {two: MORNING}
