"""OCI images as one tar: their layers laid over one another, whiteouts applied, without what our layers may not hold.

An image is hostile input: its layers are read, never unpacked here. Paths are resolved in the tree of the image itself,
so that no entry, whatever symbolic links lie on its way, ends up outside of it. Devices, pipes and extended attributes
are left out; ids beyond those of a guest belong to nobody.
"""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outrider.model.errors import SandboxError

ENTRIES_LIMIT = 2_000_000
BYTES_LIMIT = 30 << 30
LAYERS_LIMIT = 127
MANIFEST_BYTES_LIMIT = 4 << 20
LINKS_LIMIT = 40
NOBODY = 65534
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(slots=True)
class Node:
    """One path of the image. `source` is the archive and the entry that its content comes from."""

    entry: tarfile.TarInfo | None = None
    source: tuple[int, tarfile.TarInfo] | None = None
    children: "dict[str, Node]" = field(default_factory=dict)


class Tree:
    """The files of an image, layer by layer, the lowest first."""

    def __init__(self) -> None:
        self.root = Node()
        self._entries = 0
        self._bytes = 0

    def add(self, number: int, archive: tarfile.TarFile) -> None:
        """Lay the layer of this number over what is there. Raises SandboxError."""
        entries = list(self._counted(archive))
        for entry in entries:
            self._white_out(_parts(entry.name))
        for entry in entries:
            parts = _parts(entry.name)
            if parts and not parts[-1].startswith(WHITEOUT):
                self._put(number, entry, parts)

    def find(self, path: str) -> Node | None:
        """The node at a path, symbolic links followed."""
        parts = self._resolved(_parts(path), follow_last=True)
        node: Node | None = self.root
        for part in parts:
            node = node.children.get(part) if node else None
        return node

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Every path that an entry was made for, parents first."""
        rest = [("", self.root)]
        while rest:
            path, node = rest.pop()
            if node.entry is not None:
                yield path, node
            rest += [(f"{path}/{name}".lstrip("/"), child) for name, child in sorted(node.children.items())[::-1]]

    def _counted(self, archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        for entry in archive:
            self._entries += 1
            self._bytes += entry.size
            if self._entries > ENTRIES_LIMIT or self._bytes > BYTES_LIMIT:
                raise SandboxError(
                    f"The image is too large: more than {ENTRIES_LIMIT} files or {BYTES_LIMIT >> 30} GB.",
                    "Use a smaller one.",
                )
            yield entry

    def _white_out(self, parts: list[str]) -> None:
        """What a layer says is gone is gone from the layers below it."""
        if not parts or not parts[-1].startswith(WHITEOUT):
            return
        folder = self._node(self._resolved(parts[:-1], follow_last=True))
        if folder is None:
            return
        if parts[-1] == OPAQUE:
            folder.children.clear()
        else:
            folder.children.pop(parts[-1].removeprefix(WHITEOUT), None)

    def _put(self, number: int, entry: tarfile.TarInfo, parts: list[str]) -> None:
        if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
            return
        parts = [*self._resolved(parts[:-1], follow_last=True), parts[-1]]
        folder = self.root
        for part in parts[:-1]:
            folder = folder.children.setdefault(part, Node(entry=_folder()))
            if folder.entry is not None and not folder.entry.isdir():
                folder.entry, folder.source = _folder(), None
        old = folder.children.get(parts[-1])
        source = (number, entry)
        if entry.islnk():
            linked = self._node(self._resolved(_parts(entry.linkname), follow_last=False))
            if linked is None or linked.source is None:
                return
            entry, source = linked.source[1], linked.source
        children = old.children if old is not None and entry.isdir() else {}
        folder.children[parts[-1]] = Node(entry, source, children)

    def _node(self, parts: list[str]) -> Node | None:
        node: Node | None = self.root
        for part in parts:
            node = node.children.get(part) if node else None
        return node

    def _resolved(self, parts: list[str], *, follow_last: bool) -> list[str]:
        """The path with the symbolic links of the tree followed, never above its root. Raises SandboxError."""
        done: list[str] = []
        rest, links = list(reversed(parts)), 0
        while rest:
            part = rest.pop()
            if part == "..":
                done = done[:-1]
                continue
            node = self._node([*done, part])
            if node is None or node.entry is None or not node.entry.issym() or not (rest or follow_last):
                done.append(part)
                continue
            links += 1
            if links > LINKS_LIMIT:
                raise SandboxError(f"The image has a loop of symbolic links at {'/'.join([*done, part])[:200]}.")
            target = node.entry.linkname
            done = [] if target.startswith("/") else done
            rest += reversed([name for name in target.split("/") if name not in ("", ".")])
        return done


def flatten(folder: Path, target: Path) -> Tree:
    """Write the image that skopeo left in a `dir:` folder as one tar. Raises SandboxError."""
    tree = Tree()
    try:
        with _Archives(folder) as archives:
            for number, archive in enumerate(archives.opened):
                tree.add(number, archive)
            with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as out:
                _write(tree, archives.opened, out)
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
        raise SandboxError(
            f"The image could not be read: {error}", "Check that it is an OCI or Docker image."
        ) from error
    return tree


class _Archives:
    """The layers of an image, open for reading, the lowest first."""

    def __init__(self, folder: Path) -> None:
        manifest: Any = _read_manifest(folder)
        digests = [str(layer["digest"]).partition(":")[2] for layer in manifest["layers"]]
        if len(digests) > LAYERS_LIMIT or not all(digest.isalnum() for digest in digests):
            raise SandboxError("The image has too many layers, or names them in no way that is known.")
        self._paths = [folder / digest for digest in digests]
        self.opened: list[tarfile.TarFile] = []

    def __enter__(self) -> "_Archives":
        self.opened = [tarfile.open(path, "r:*", errorlevel=1) for path in self._paths]  # noqa: SIM115 - closed below
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self.opened:
            archive.close()


def _read_manifest(folder: Path) -> Any:
    path = folder / "manifest.json"
    if path.stat().st_size > MANIFEST_BYTES_LIMIT:
        raise SandboxError("The image's manifest is too large.")
    return json.loads(path.read_bytes())


def _write(tree: Tree, archives: list[tarfile.TarFile], out: tarfile.TarFile) -> None:
    written: dict[int, str] = {}
    for path, node in tree.walk():
        entry = node.entry
        assert entry is not None
        made = _cleaned(entry, path)
        if not entry.isreg() or node.source is None:
            out.addfile(made)
            continue
        number, original = node.source
        first = written.setdefault(id(original), path)
        if first != path:
            made.type, made.linkname, made.size = tarfile.LNKTYPE, first, 0
            out.addfile(made)
        else:
            out.addfile(made, archives[number].extractfile(original))


def _cleaned(entry: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    """The entry under its final path, with nothing that is not ours to keep."""
    made = tarfile.TarInfo(path)
    made.type = entry.type if entry.issym() or entry.isdir() else tarfile.REGTYPE
    made.mode, made.mtime, made.size = entry.mode & 0o7777, max(0, int(entry.mtime)), entry.size
    made.uid, made.gid = (number if 0 <= number < NOBODY else NOBODY for number in (entry.uid, entry.gid))
    if entry.issym():
        made.linkname, made.size = entry.linkname, 0
    return made


def _folder() -> tarfile.TarInfo:
    """A folder that no entry spoke of."""
    made = tarfile.TarInfo("")
    made.type, made.mode = tarfile.DIRTYPE, 0o755
    return made


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
