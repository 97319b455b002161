"""MicroVMs: the boot probe, which is all that could be run, and what is decided before a VM is asked for."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.sandboxes.microsandbox.boot_probe import BootProbe
from outrider.sandboxes.microsandbox.layers import MicrosandboxLayers
from outrider.sandboxes.microsandbox.provider import MicrosandboxProvider
from outrider.sandboxes.microsandbox.records import LayerRecord, StateFolder
from outrider.testing.manual_clock import ManualClock
from outrider.testing.tars import tar_of

Probe = Callable[..., BootProbe]

COUNTED = "import sys, pathlib; pathlib.Path(sys.argv[2], 'tries').open('a').write('x')"
FAILS = f"{COUNTED}; sys.exit('no vmx or svm flag')"
HANGS = "import time; time.sleep(60)"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def probe(tmp_path: Path, clock: ManualClock) -> Probe:
    return lambda script, deadline=20.0: BootProbe(tmp_path, clock, script=script, deadline=deadline)


def tries(folder: Path) -> int:
    return len((folder / "probe-root" / "tries").read_text())


async def test_a_boot_that_works_is_believed_for_a_day(probe: Probe, tmp_path: Path, clock: ManualClock) -> None:
    assert (await probe(COUNTED).verdict()).booted
    assert (await probe(COUNTED).verdict()).booted
    assert tries(tmp_path) == 1
    clock.advance(timedelta(days=1, seconds=1).total_seconds())
    await probe(COUNTED).verdict()
    assert tries(tmp_path) == 2


async def test_a_boot_that_fails_says_why_and_is_not_tried_again(probe: Probe, tmp_path: Path) -> None:
    for _ in range(2):
        verdict = await probe(FAILS).verdict()
        assert (verdict.booted, verdict.why) == (False, "a microVM did not boot: no vmx or svm flag")
    assert tries(tmp_path) == 1


async def test_a_verdict_on_another_machine_is_worth_nothing(probe: Probe, tmp_path: Path) -> None:
    verdict = await probe(FAILS).verdict()
    other = verdict.model_copy(update={"facts": ("0.1", "another kernel", "another boot")})
    (tmp_path / "verdict.json").write_text(other.model_dump_json())
    assert (await probe(COUNTED).verdict()).booted


async def test_a_boot_that_hangs_is_ended(probe: Probe) -> None:
    verdict = await probe(HANGS, 0.2).verdict()
    assert (verdict.booted, verdict.why) == (False, "a microVM did not boot within 0.2 s")


async def test_the_probe_says_what_is_missing(tmp_path: Path, probe: Probe, clock: ManualClock) -> None:
    provider = MicrosandboxProvider(tmp_path, clock, probe=probe(FAILS))
    report = await provider.probe()
    assert not report.works
    assert report.detail.endswith((
        "a microVM did not boot: no vmx or svm flag.", "The package microsandbox is not installed.",
    ))  # fmt: skip
    assert report.remedy


@pytest.fixture
def layers(tmp_path: Path) -> MicrosandboxLayers:
    """One tar, a disk made above it, another tar."""
    state = StateFolder(tmp_path)
    state.prepare()
    state.keep_layer(LayerId("layer-tar"), LayerRecord(bytes=1, diff_id="sha256:0"))
    state.keep_layer(LayerId("layer-disk"), LayerRecord(bytes=1, snapshot="disk", above=(LayerId("layer-tar"),)))
    state.keep_layer(LayerId("layer-top"), LayerRecord(bytes=1, diff_id="sha256:1"))
    return MicrosandboxLayers(state)


def names(*words: str) -> list[LayerId]:
    return [LayerId(f"layer-{word}") for word in words]


def test_a_vm_starts_from_the_topmost_disk(layers: MicrosandboxLayers) -> None:
    assert layers.start_from(names("tar")) == ("", ())
    assert layers.start_from(names("tar", "disk", "top")) == ("disk", names("top"))
    with pytest.raises(SandboxError, match="above other layers"):
        layers.start_from(names("top", "disk"))


async def test_layers_are_kept_as_tars_and_squashed(layers: MicrosandboxLayers, tmp_path: Path) -> None:
    for name in ("tar", "top"):
        layers.state.forget_layer(names(name)[0])
        tar = tmp_path / f"{name}.tar"
        tar.write_bytes(tar_of({f"workspace/{name}": b"x"}))
        await layers.add_layer(names(name)[0], tar)
    one = await layers.squash(names("tar", "top"), names("one")[0])
    assert [info.id for info in await layers.list_layers()] == names("disk", "one", "tar", "top")
    assert await layers.squash(names("tar", "disk"), names("both")[0]) == "layer-both"
    assert layers.start_from(names("both")) == ("disk", [])
    with pytest.raises(SandboxError, match="snapshot"):
        await layers.squash(names("disk", "top"), names("never")[0])
    out = b"".join([chunk async for chunk in layers.export_layer(one)])
    assert b"workspace/top" in out
    await layers.delete_layer(one)
    assert not await layers.has_layer(one)
