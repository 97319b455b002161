"""OCI images as one tar: whiteouts, links, and what an image may not do to us."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from outrider.fleet.images.oci import flatten
from outrider.model.errors import SandboxError

Entry = tuple[str, bytes | str | None]
"""A path with its content, the target of a symbolic link (`-> x`) or of a hard link (`= x`), or None for a folder."""


def layer(*entries: Entry) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, what in entries:
            made = tarfile.TarInfo(path)
            made.uid, made.mode = 33, 0o750
            if what is None:
                made.type = tarfile.DIRTYPE
            elif isinstance(what, str):
                made.type = tarfile.SYMTYPE if what.startswith("->") else tarfile.LNKTYPE
                made.linkname = what[3:] if what.startswith("->") else what[2:]
            else:
                made.size = len(what)
            tar.addfile(made, io.BytesIO(what if isinstance(what, bytes) else b""))
    return packed.getvalue()


def image(folder: Path, *layers: bytes) -> Path:
    """What skopeo leaves in a `dir:` folder."""
    folder.mkdir()
    names = []
    for content in layers:
        names.append(hashlib.sha256(content).hexdigest())
        (folder / names[-1]).write_bytes(content)
    manifest = {"schemaVersion": 2, "layers": [{"digest": f"sha256:{name}"} for name in names]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def flat(tmp_path: Path, *layers: bytes) -> dict[str, str]:
    """Paths of the flattened image, with content or kind."""
    target = tmp_path / "root.tar"
    flatten(image(tmp_path / "image", *layers), target)
    found = {}
    with tarfile.open(target) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() or member.islnk() else None
            link = f"-> {member.linkname}" if member.issym() else "folder"
            found[member.name] = file.read().decode() if file else link
    return found


def test_upper_layers_win_and_whiteouts_are_applied(tmp_path: Path) -> None:
    lower = layer(("etc", None), ("etc/a", b"1"), ("etc/b", b"1"), ("opt", None), ("opt/x", b"1"), ("opt/y/z", b"1"))
    upper = layer(("etc/a", b"2"), ("etc/.wh.b", b""), ("opt/.wh..wh..opq", b""), ("opt/new", b"2"))
    assert flat(tmp_path, lower, upper) == {
        "etc": "folder",
        "etc/a": "2",
        "opt": "folder",
        "opt/new": "2",
    }


def test_a_file_takes_the_place_of_a_folder_and_back(tmp_path: Path) -> None:
    found = flat(tmp_path, layer(("a/b", b"1"), ("c", b"1")), layer(("a", b"2"), ("c/d", b"2")))
    assert found == {"a": "2", "c": "folder", "c/d": "2"}


def test_hard_links_keep_what_they_were_linked_to(tmp_path: Path) -> None:
    lower = layer(("a", b"one"), ("b", "= a"), ("c", "= ./a"))
    found = flat(tmp_path, lower, layer(("a", b"two"), (".wh.c", b"")))
    assert found == {"a": "two", "b": "one"}


def test_nothing_ends_up_outside_of_the_image(tmp_path: Path) -> None:
    lower = layer(("lib", "-> usr/lib"), ("out", "-> /../../etc"), ("usr/lib/a", b"1"))
    upper = layer(("lib/b", b"2"), ("out/passwd", b"2"), ("../../escape", b"2"), ("/abs", b"2"))
    found = flat(tmp_path, lower, upper)
    assert found["usr/lib/b"] == "2"
    assert found["etc/passwd"] == "2"
    assert found["abs"] == "2"
    assert found["escape"] == "2"
    assert not [name for name in found if name.startswith(("/", "..")) or "/../" in name]


def test_devices_and_foreign_ids_are_left_out(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind in (("null", tarfile.CHRTYPE), ("pipe", tarfile.FIFOTYPE), ("file", tarfile.REGTYPE)):
            made = tarfile.TarInfo(name)
            made.type, made.uid, made.gid = kind, 400_000, 7
            made.pax_headers = {"SCHILY.xattr.security.capability": "x", "SCHILY.xattr.user.overlay.opaque": "y"}
            tar.addfile(made)
    flatten(image(tmp_path / "image", packed.getvalue()), tmp_path / "root.tar")
    with tarfile.open(tmp_path / "root.tar") as tar:
        members = tar.getmembers()
    assert [(made.name, made.uid, made.gid, made.pax_headers) for made in members] == [("file", 65534, 7, {})]


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([layer(("a", "-> b"), ("b", "-> a"), ("a/x", b"1"))], "loop of symbolic links"),
        ([b"no tar at all"], "could not be read"),
    ],
)
def test_what_cannot_be_an_image_is_refused(tmp_path: Path, layers: list[bytes], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        flat(tmp_path, *layers)
