"""Fixtures that more than one file of tests about images needs."""

from pathlib import Path

import pytest

from outrider.testing.image_world import ImageWorld
from outrider.testing.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> ImageWorld:
    world = ImageWorld(tmp_path, clock)
    await world.begin()
    return world
