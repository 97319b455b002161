"""Layers: how they are named, packed, and made once however many ask for them."""

import asyncio
import base64
import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from outrider.model.ids import LayerId


class OneAtATime:
    """Lets one caller at a time make the layer of an id; the others wait and then find it made."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[LayerId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def making(self, layer: LayerId) -> AsyncIterator[None]:
        """Hold the making of a layer."""
        lock = self._locks.setdefault(layer, asyncio.Lock())
        async with lock:
            yield


def layer_id(kind: str, *parts: str) -> LayerId:
    """The id of the layer that these parts make: the same parts, the same layer."""
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return LayerId(f"{kind}-{base64.b32encode(digest).decode().lower()[:26]}")


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A tar of files by absolute path, owned by guest root. The same files make the same tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
