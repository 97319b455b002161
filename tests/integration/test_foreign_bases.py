"""A base made of an OCI image, from a local layout: no registry is asked. The layers are kept between runs."""

import asyncio
import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from outrider.fleet.clean import CleanSpec
from outrider.fleet.images.machine import Image
from outrider.model.errors import SandboxError
from outrider.model.image import BuildStep, MachineWants
from outrider.ports.sandbox import ExecSpec
from outrider.testing.tars import tar_of
from tests.conftest import ROOT
from tests.integration.conftest import Outside

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed (Debian: skopeo)"),
]


async def bare_debian() -> bytes:
    """A Debian with nothing that is not essential, made once on this machine."""
    kept = ROOT / "bare-debian.tar"
    if not kept.exists():
        fresh = kept.with_suffix(".new")
        argv = ["mmdebstrap", "--format=tar", "--variant=minbase", "bookworm", str(fresh)]
        made = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
        _, errors = await made.communicate()
        assert made.returncode == 0, errors.decode()[-1000:]
        fresh.rename(kept)
    return kept.read_bytes()


def write_layout(folder: Path, tag: str, *layers: bytes) -> None:
    """An OCI layout with one image."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes, kind: str) -> dict[str, Any]:
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{name}", "size": len(data)}

    rows = [put(gzip.compress(layer, 1, mtime=0), "layer.v1.tar+gzip") for layer in layers]
    ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    about = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}}
    config = put(json.dumps(about).encode(), "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    row = put(json.dumps({**manifest, "config": config, "layers": rows}).encode(), "manifest.v1+json")
    named = {**row, "annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


async def test_a_bare_debian_becomes_a_base(outside: Outside) -> None:
    upper = tar_of({"etc/motd": b"hello\n", "etc/.wh.issue": b""})
    write_layout(outside.oci / "bare", "one", await bare_debian(), upper)
    lines: list[str] = []
    step = BuildStep(command="echo $WORD >word", environment={"WORD": "built"}, cwd="/srv/app", origin="Dockerfile")
    wants = MachineWants(base="local/bare:one", steps=(step,), packages=("hello",))
    image = await outside.images.prepare(wants, lines.append)
    tools = "git --version >/dev/null && rg --version >/dev/null"
    script = f"id -un; hello; {tools} && cat /etc/motd /srv/app/word; ls /etc/issue"
    async with (
        outside.sandboxes.open(CleanSpec("a test", image.layers, image.toolbox), lines.append) as handle,
        outside.sandboxes.connect(handle) as guest,
    ):
        done = await guest.run(ExecSpec(argv=["sh", "-c", f"{script}; /opt/outrider/bin/node --version"]))
        assert await guest.kill_everything() == 0
    await _expect_a_tag_to_be_looked_up_again(outside, image)
    said = done.output.decode().splitlines()
    assert said[:4] == ["agent", "Hello, world!", "hello", "built"], (said, lines)
    assert "No such file" in said[4]
    assert said[5].startswith("v24.")


async def _expect_a_tag_to_be_looked_up_again(outside: Outside, image: Image) -> None:
    """The same image is none to fetch; one that is no base leaves the one before in force."""
    reference, lines = "local/bare:one", list[str]()
    kept = shutil.copytree(outside.oci / "bare", outside.oci / "bare.kept")
    assert await outside.foreign.renew(reference, lines.append) is False
    assert not any(line.startswith("Fetching") for line in lines)
    shutil.rmtree(outside.oci / "bare")
    write_layout(outside.oci / "bare", "one", tar_of({"app": b""}))
    with pytest.raises(SandboxError, match="has no bin/sh"):
        await outside.foreign.renew(reference, lines.append)
    again = await outside.images.prepare(MachineWants(base=reference), lines.append)
    assert again.layers[:2] == image.layers[:2]
    shutil.rmtree(outside.oci / "bare")
    kept.rename(outside.oci / "bare")


async def test_what_is_no_base_is_refused_with_a_sentence(outside: Outside) -> None:
    alpine = tar_of({"lib/ld-musl-x86_64.so.1": b"", "bin/sh": b"", "etc/passwd": b"root:x:0:0::/:/bin/sh\n"})
    write_layout(outside.oci / "alpine", "3", alpine)
    write_layout(outside.oci / "scratch", "1", tar_of({"app": b""}))
    write_layout(outside.oci / "arch", "1", tar_of({"bin/sh": b""}))
    for reference, why in (
        ("local/alpine:3", "The image local/alpine:3 is built on musl, where the engine does not run."),
        ("local/scratch:1", "The image local/scratch:1 has no bin/sh: a base needs a shell."),
        ("local/arch:1", "The image local/arch:1 has no usr/bin/apt-get: a base needs apt."),
        ("local/nothing:1", "There is no image “nothing” among the deployment's own."),
        ("local/alpine:4", "The image local/alpine:4 could not be fetched"),
    ):
        with pytest.raises(SandboxError) as caught:
            await outside.images.prepare(MachineWants(base=reference), lambda _line: None)
        assert caught.value.sentence.startswith(why), caught.value
        assert caught.value.remedy
