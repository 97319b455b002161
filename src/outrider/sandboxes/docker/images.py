"""Our layers as images of the daemon.

A layer is a tar of ours, or what a container has written, committed. An image is a chain of them. The daemon keeps each
link of a chain once: for a chain that begins like another only what is new is sent.
"""

import asyncio
import contextlib
import hashlib
import json
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.sandboxes.docker.container import HOME_LABEL
from outrider.sandboxes.docker.engine_api import DockerApi
from outrider.sandboxes.docker.records import LayerRecord, StateFolder
from outrider.sandboxes.merge import without_rights
from outrider.sandboxes.tars import Part, cut_out, image_archive, read_file, take_in


class Images:
    """Those of one home at one daemon."""

    def __init__(self, state: StateFolder, api: DockerApi) -> None:
        self.state = state
        self.api = api
        self._composing = asyncio.Lock()
        self._chains: dict[str, tuple[str, ...]] = {}

    async def take_in(self, layer: LayerId, tar: Path) -> None:
        """Keep a tar as a layer. The daemon gets it with the first sandbox that is made from it."""
        self.state.prepare()
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.layers) as folder:
            fresh = Path(folder, "layer.tar")
            diff_id, size = await asyncio.to_thread(take_in, tar, fresh)
            await asyncio.to_thread(fresh.rename, self.state.tar(layer))
        self.state.keep_layer(layer, LayerRecord(diff_id=diff_id, bytes=size))

    async def delete(self, layer: LayerId) -> None:
        """Delete a layer that no sandbox uses, with the images that hold it."""
        record = self.state.layer(layer)
        if record is None:
            return
        async with self._composing:
            await self._rescue(layer, record)
            self.state.forget_layer(layer)
            for image, chain in (await self._known_chains()).items():
                if record.diff_id in chain:
                    # A layer of another name with the same files may be in use: its image stays.
                    with contextlib.suppress(SandboxError):
                        await self.api.delete(f"/images/{image}")
            await self.api.delete(f"/volumes/{self.volume(layer)}")

    async def compose(self, layers: Sequence[LayerId]) -> str:
        """The image of these layers, bottom first, made where the daemon has it not. Raises SandboxError."""
        async with self._composing:
            there = await self._links_there([self.state.complete(layer).diff_id for layer in layers])
            for layer in layers[there:]:
                await self.tar(layer)
            # Asked again: a layer that has left its image may have another hash.
            chain = [self.state.complete(layer).diff_id for layer in layers]
            reference = f"{self._repository()}/chain:{hashlib.sha256(' '.join(chain).encode()).hexdigest()[:40]}"
            if not await self.api.exists(f"/images/{reference}/json"):
                try:
                    await self._load(layers, chain, there, reference)
                except SandboxError:
                    # A daemon that keeps images in containerd's store wants every layer, whatever it has.
                    await self._load(layers, chain, 0, reference)
        return reference

    async def keep_commit(self, container: str, layer: LayerId, *, strip: bool) -> None:
        """Make what a container has written a layer; it stands still meanwhile. With `strip` the rights that it gave to
        its files are taken off when the layer leaves its image: until then they are without effect, since no process
        of a session can gain any."""
        repository, where = f"{self._repository()}/layer", f"{self._repository()}/layer:{layer}"
        query = {"container": container, "repo": repository, "tag": layer, "pause": True}
        await self.api.post("/commit", query, body={"Labels": {HOME_LABEL: self.state.home()}})
        image = await self.api.get(f"/images/{where}/json")
        diff_id, size = str(image["RootFS"]["Layers"][-1]), int(image["Size"])
        with contextlib.suppress(SandboxError):
            parent = await self.api.get(f"/images/{image['Parent']}/json")
            size -= int(parent["Size"])
        self.state.keep_layer(layer, LayerRecord(diff_id=diff_id, bytes=max(size, 0), image=where, strip=strip))

    async def fill_volume(self, layer: LayerId, image: str) -> str:
        """A volume with the files of a layer, to be mounted read-only. `image` is any that the daemon has."""
        self.state.complete(layer)
        name, marker = self.volume(layer), self.state.volumes / layer
        async with self._composing:
            if marker.exists() and await self.api.exists(f"/volumes/{name}"):
                return name
            await self.api.delete(f"/volumes/{name}", {"force": True})
            labels = {HOME_LABEL: self.state.home()}
            await self.api.post("/volumes/create", body={"Name": name, "Labels": labels})
            mount = {"Type": "volume", "Source": name, "Target": "/fill", "VolumeOptions": {"NoCopy": True}}
            body = {"Image": image, "Cmd": ["-"], "Labels": labels, "HostConfig": {"Mounts": [mount]}}
            async with self.api.container(f"{name}-{secrets.token_hex(4)}", body) as helper:
                tar = read_file(await self.tar(layer))
                await self.api.upload("PUT", f"/containers/{helper}/archive", {"path": "/fill"}, tar)
            marker.touch()
        return name

    async def tar(self, layer: LayerId) -> Path:
        """The layer's tar; taken out of the image that it was committed to where it is only there."""
        record = self.state.complete(layer)
        if record.image:
            await self._leave(record.image)
            if self.state.complete(layer).image:
                raise SandboxError(f"The layer {layer} is not in its image any more.", "Build the image again.")
        return self.state.tar(layer)

    async def _leave(self, image: str) -> None:
        """Take every layer of ours out of an image: the archive is the expensive part."""
        wanted = {layer: record for layer, record in self.state.layer_records().items() if record.image}
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.state.layers) as folder:
            whole = Path(folder, "image.tar")
            with await asyncio.to_thread(whole.open, "wb") as file:
                async for chunk in self.api.download(f"/images/{image}/get"):
                    await asyncio.to_thread(file.write, chunk)
            targets = {record.diff_id: Path(folder, f"{layer}.cut") for layer, record in wanted.items()}
            found = await asyncio.to_thread(cut_out, whole, targets)
            await asyncio.to_thread(whole.unlink)
            for layer, record in wanted.items():
                if record.diff_id in found:
                    await asyncio.to_thread(_keep_cut, self.state, layer, record, targets[record.diff_id])
                    with contextlib.suppress(SandboxError):
                        await self.api.delete(f"/images/{record.image}")

    def volume(self, layer: LayerId) -> str:
        """The name of the volume of a layer."""
        return f"{self._repository()}-{layer}"

    def _repository(self) -> str:
        return f"outrider-{self.state.home()}"

    async def _links_there(self, chain: Sequence[str]) -> int:
        """How many links from the bottom on the daemon has, as the beginning of whichever image."""
        known = set((await self._known_chains()).values())
        return max((n for n in range(len(chain) + 1) if any(k[:n] == tuple(chain[:n]) for k in known)), default=0)

    async def _load(self, layers: Sequence[LayerId], chain: Sequence[str], there: int, reference: str) -> None:
        parts = [Part(diff_id, None) for diff_id in chain[:there]]
        for layer in layers[there:]:
            tar = await self.tar(layer)
            parts.append(Part(self.state.complete(layer).diff_id, tar))
        config = {"Labels": {HOME_LABEL: self.state.home()}}
        said = await self.api.upload("POST", "/images/load", {"quiet": True}, image_archive(parts, config, reference))
        failures = [row["error"] for line in said.splitlines() if line and "error" in (row := json.loads(line))]
        if failures:
            raise SandboxError(f"Docker could not take the image in: {failures[0]}.")

    async def _known_chains(self) -> dict[str, tuple[str, ...]]:
        """The links of every image of ours that the daemon has, by its reference."""
        rows = await self.api.get("/images/json", {"filters": {"label": [f"{HOME_LABEL}={self.state.home()}"]}})
        tags = [tag for row in rows or () for tag in row.get("RepoTags") or ()]
        for tag in tags:
            if tag not in self._chains:
                image = await self.api.get(f"/images/{tag}/json")
                self._chains[tag] = tuple(image["RootFS"].get("Layers") or ())
        self._chains = {tag: chain for tag, chain in self._chains.items() if tag in tags}
        return self._chains

    async def _rescue(self, doomed: LayerId, record: LayerRecord) -> None:
        """Take out of a doomed layer's images the layers that lie above it in one and are kept."""
        for layer, other in self.state.layer_records().items():
            if layer != doomed and other.image:
                chain = (await self._known_chains()).get(other.image, ())
                if record.diff_id in chain:
                    await self.tar(layer)


def _keep_cut(state: StateFolder, layer: LayerId, record: LayerRecord, cut: Path) -> None:
    """A layer that has left its image is a tar from now on, and may have another hash."""
    if record.strip:
        without_rights(cut)
    kept = cut.with_name(f"{layer}.kept")
    diff_id, size = take_in(cut, kept)
    kept.rename(state.tar(layer))
    state.keep_layer(layer, LayerRecord(diff_id=diff_id, bytes=size))
