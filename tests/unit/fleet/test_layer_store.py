"""Snapshots in a blob store: what goes there, what comes back, what is deleted."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from outrider.fleet.snapshots import SQUASH_AT, SUFFIX, Snapshots, snapshot_layer
from outrider.model.errors import NotFound, OutriderError
from outrider.model.ids import LayerId
from outrider.ports.layer_blobs import LayerBlobs
from outrider.storage.layer_blobs import DirectoryLayerBlobs, open_layer_blobs
from outrider.testing.fake_sandbox import FakeProvider
from outrider.testing.tars import tar_of


def said(_line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def s3() -> Iterator[str]:
    """A server that speaks S3, with a bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    httpx.post(f"http://127.0.0.1:{port}/moto-api/reset").raise_for_status()  # its objects are the process's
    httpx.put(f"http://127.0.0.1:{port}/bucket").raise_for_status()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> LayerBlobs:
    """Each kind of store."""
    if request.param == "folder":
        return open_layer_blobs(str(tmp_path / "blobs"), {})
    environment = {
        "AWS_ENDPOINT_URL": request.getfixturevalue("s3"),
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }
    return open_layer_blobs("s3://bucket/some/prefix", environment)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    """A stream."""
    for chunk in chunks:
        yield chunk


async def cut_off() -> AsyncIterator[bytes]:
    """A stream that ends early, as where the exporter is killed or its layer goes away."""
    yield bytes(9 << 20)
    raise OutriderError("The layer went away.")


async def test_a_store_keeps_streams_whole_or_not_at_all(blobs: LayerBlobs):
    assert await blobs.put("one", pieces(b"a" * (9 << 20), b"b")) == (9 << 20) + 1
    with pytest.raises(OutriderError, match="went away"):
        await blobs.put("two", cut_off())
    assert [await blobs.has(name) for name in ("one", "two")] == [True, False]
    assert list(await blobs.names()) == ["one"]
    read = b"".join([chunk async for chunk in blobs.get("one")])
    assert (len(read), read[-2:]) == ((9 << 20) + 1, b"ab")
    with pytest.raises(NotFound):
        await anext(aiter(blobs.get("two")))
    await blobs.delete("one")
    await blobs.delete("one")
    assert not await blobs.has("one")


EXPORTER = """
import asyncio, sys
from pathlib import Path
from outrider.storage.layer_blobs import DirectoryLayerBlobs

async def endless():
    while True:
        yield bytes(1 << 16)
        print("wrote", flush=True)

asyncio.run(DirectoryLayerBlobs(Path(sys.argv[1])).put("one", endless()))
"""


def test_a_killed_exporter_leaves_no_half_blob_and_the_next_one_cleans_up(tmp_path: Path):
    blobs = DirectoryLayerBlobs(tmp_path)
    with subprocess.Popen([sys.executable, "-c", EXPORTER, str(tmp_path)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert [server.stdout.readline() for _ in range(3)] == [b"wrote\n"] * 3
        [half] = tmp_path.iterdir()
        os.utime(half, (0, 0))
        assert asyncio.run(blobs.put("other", pieces(b"other"))) == 5
        assert half.exists()  # its writer lives
        server.kill()
    assert asyncio.run(blobs.names()) == ["other"]
    os.utime(half, (0, 0))
    assert asyncio.run(blobs.put("one", pieces(b"whole"))) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


async def test_a_store_that_cannot_be_reached_says_so():
    blobs = open_layer_blobs("s3://bucket", {"AWS_ENDPOINT_URL": "ftp://nowhere", "AWS_REGION": "x"})
    with pytest.raises(OutriderError, match="blob store could not be used"):
        await blobs.names()


AddLayer = Callable[..., object]


@pytest.fixture
def provider(tmp_path: Path) -> FakeProvider:
    """Sandboxes of folders."""
    return FakeProvider(tmp_path / "sandboxes")


async def add(provider: FakeProvider, layer: str, tmp_path: Path) -> LayerId:
    """A layer that holds its name."""
    tar = tmp_path / "layer.tar"
    tar.write_bytes(tar_of({"workspace/name": layer.encode()}))
    await provider.add_layer(LayerId(layer), tar)
    return LayerId(layer)


async def test_deleted_layers_come_back_and_what_can_be_made_again_is_not_stored(
    provider: FakeProvider, blobs: LayerBlobs, tmp_path: Path
):
    snapshots = Snapshots(provider, blobs, tmp_path / "scratch")
    stack = [await add(provider, name, tmp_path) for name in ("base-one", "repo-one", "snap-one")]
    assert await snapshots.store(stack) > 0
    assert await snapshots.store(stack) == 0
    assert sorted(await blobs.names()) == [f"repo-one{SUFFIX}", f"snap-one{SUFFIX}"]
    for layer in stack:
        await provider.delete_layer(layer)
    assert await snapshots.fetch(stack, said) == ("base-one",)
    assert [await provider.has_layer(layer) for layer in stack] == [False, True, True]
    assert (tmp_path / "sandboxes/layers/snap-one/workspace/name").read_text() == "snap-one"
    assert not list((tmp_path / "scratch").iterdir())


async def test_a_damaged_blob_is_said_and_makes_no_layer(provider: FakeProvider, tmp_path: Path):
    blobs = DirectoryLayerBlobs(tmp_path / "blobs")
    snapshots = Snapshots(provider, blobs, tmp_path / "scratch")
    layer = await add(provider, "snap-one", tmp_path)
    await snapshots.store([layer])
    blob = tmp_path / "blobs" / f"snap-one{SUFFIX}"
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    await provider.delete_layer(layer)
    with pytest.raises(OutriderError, match="damaged"):
        await snapshots.fetch([layer], said)
    assert not await provider.has_layer(layer)


async def test_what_nobody_names_is_deleted_here_and_in_the_store(provider: FakeProvider, tmp_path: Path):
    blobs = DirectoryLayerBlobs(tmp_path / "blobs")
    snapshots = Snapshots(provider, blobs, tmp_path / "scratch")
    names = ("base-one-20261101000000", "repo-one", "repo-two", "snap-one", "snap-two")
    layers = [await add(provider, name, tmp_path) for name in names]
    await snapshots.store(layers)
    before = await snapshots.all()
    await add(provider, "snap-new", tmp_path)
    assert await snapshots.collect(before, {LayerId("repo-two"), LayerId("snap-two")}) == 3
    assert sorted(await blobs.names()) == [f"repo-two{SUFFIX}", f"snap-two{SUFFIX}"]
    left = [row.id for row in await provider.list_layers()]
    assert left == ["base-one-20261101000000", "repo-one", "repo-two", "snap-new", "snap-two"]


async def test_what_is_to_be_stored_again_meanwhile_stays_in_the_store(provider: FakeProvider, tmp_path: Path):
    blobs = DirectoryLayerBlobs(tmp_path / "blobs")
    snapshots = Snapshots(provider, blobs, tmp_path / "scratch")
    layers = [await add(provider, name, tmp_path) for name in ("repo-one", "snap-one", "snap-two")]
    await snapshots.store(layers)
    before = await snapshots.all()
    assert await snapshots.store([layers[0], layers[2]]) == 0  # a new session's, which was not asked what it names
    assert await snapshots.collect(before, set()) == 1
    assert sorted(await blobs.names()) == [f"repo-one{SUFFIX}", f"snap-two{SUFFIX}"]
    assert await snapshots.collect(await snapshots.all(), set()) == 2
    assert list(await blobs.names()) == []


RENEWED = "base-one-20261101000000"
"""A later generation of a base."""


@pytest.mark.parametrize(
    ("base", "stored"),
    [
        (("base-one",), {"clients-one", "step-one", "repo-one", "snap-one"}),
        ((RENEWED,), {RENEWED, "clients-one", "packages-one", "stack-ide-one", "step-one", "repo-one", "snap-one"}),
        (
            ("foreign-one-20261101000000-abcd", "foreign-ready-one"),
            {
                "foreign-one-20261101000000-abcd", "foreign-ready-one", "clients-one", "packages-one", "stack-ide-one",
                "step-one", "repo-one", "snap-one",
            },
        ),
    ],
)  # fmt: skip
async def test_what_stands_on_a_base_that_nobody_makes_again_is_stored_with_it(
    provider: FakeProvider, tmp_path: Path, base: tuple[str, ...], stored: set[str]
):
    blobs = DirectoryLayerBlobs(tmp_path / "blobs")
    snapshots = Snapshots(provider, blobs, tmp_path / "scratch")
    above = ("stack-ide-one", "step-one", "packages-one", "clients-one", "repo-one", "toolbox-one", "snap-one")
    stack = [await add(provider, name, tmp_path) for name in (*base, *above)]
    await snapshots.store(stack)
    assert set(await blobs.names()) == {f"{name}{SUFFIX}" for name in stored}
    for layer in stack:
        await provider.delete_layer(layer)
    missing = await snapshots.fetch(stack, said)
    assert set(missing) == {*base, *above} - stored


async def test_many_snapshots_on_one_another_become_one_layer(provider: FakeProvider, tmp_path: Path):
    snapshots = Snapshots(provider, DirectoryLayerBlobs(tmp_path / "blobs"), tmp_path / "scratch")
    below = [await add(provider, "base-one", tmp_path)]
    tops = [await add(provider, snapshot_layer("s", str(number)), tmp_path) for number in range(SQUASH_AT)]
    assert await snapshots.shorten([*below, *tops[:-1]]) == (*below, *tops[:-1])
    short = await snapshots.shorten([*below, *tops])
    assert len(short) == 2
    assert (tmp_path / "sandboxes/layers" / short[-1] / "workspace/name").read_text() == tops[-1]
