"""Layers with deletions become one layer that shows the same."""

import io
import tarfile
from pathlib import Path

import pytest

from outrider.sandboxes.merge import merge, without_rights

Layer = dict[str, bytes | tuple[str, str] | None]
"""Files; None is a folder; a pair is a link: its kind and its target."""


def write(path: Path, layer: Layer) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in layer.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
            elif isinstance(content, tuple):
                info.type = tarfile.LNKTYPE if content[0] == "hard" else tarfile.SYMTYPE
                info.linkname = content[1]
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def shown(tars: list[Path]) -> dict[str, bytes]:
    """What an overlay of these layers shows: files only, as a plain reading of the format has it."""
    files: dict[str, bytes] = {}
    for tar in tars:
        with tarfile.open(tar) as archive:
            members = archive.getmembers()
            for member in members:
                folder, _, name = member.name.rpartition("/")
                if name == ".wh..wh..opq":
                    files = {path: data for path, data in files.items() if not path.startswith(f"{folder}/")}
                elif name.startswith(".wh."):
                    gone = f"{folder}/{name[4:]}".lstrip("/")
                    files = {p: d for p, d in files.items() if p != gone and not p.startswith(f"{gone}/")}
            for member in members:
                if not member.name.rpartition("/")[2].startswith(".wh.") and not member.isdir():
                    files = {p: d for p, d in files.items() if not p.startswith(f"{member.name}/")}
                    file = archive.extractfile(member)
                    files[member.name] = file.read() if file else b"?"
    return files


LAYERS: list[Layer] = [
    {"a": None, "a/old": b"1", "a/kept": b"2", "b": None, "b/x": b"3", "c": b"file",
     "twin": b"t", "again": ("hard", "twin")},
    {"a": None, "a/.wh.old": b"", "a/new": b"4", ".wh.b": b"", "c": None, "c/inside": b"5"},
    {"b": None, "b/y": b"6", "a": None, "a/old": b"back", "twin": b"other"},
    {"a": None, "a/.wh..wh..opq": b"", "a/only": b"7", "c": b"file again"},
]  # fmt: skip


@pytest.mark.parametrize(("first", "last"), [(first, last) for first in range(4) for last in range(first + 1, 5)])
def test_one_layer_shows_the_same_as_several(tmp_path: Path, first: int, last: int) -> None:
    tars = [write(tmp_path / f"{number}.tar", layer) for number, layer in enumerate(LAYERS)]
    merge(tars[first:last], tmp_path / "merged.tar", tars[:first])
    assert shown([*tars[:first], tmp_path / "merged.tar", *tars[last:]]) == shown(tars)


def test_rights_are_taken_off_where_the_tar_stands(tmp_path: Path) -> None:
    path = tmp_path / "layer.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, mode in (("plain", 0o644), ("n" * 150, 0o4750), ("folder", 0o2755)):
            info = tarfile.TarInfo(name)
            info.mode, info.size, info.type = mode, 0 if name == "folder" else 3, b"5" if name == "folder" else b"0"
            archive.addfile(info, io.BytesIO(b"abc"))
    without_rights(path)
    with tarfile.open(path) as archive:
        assert [oct(member.mode) for member in archive] == ["0o644", "0o750", "0o2755"]
        assert archive.extractfile("n" * 150).read() == b"abc"  # type: ignore[union-attr]
