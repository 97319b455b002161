"""A list of layers is quick, whatever is in them."""

import asyncio
from pathlib import Path

from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.provider import NamespaceProvider


def test_layers_are_listed_by_name_alone_without_a_process(tmp_path: Path) -> None:
    layers = tmp_path / "guest" / "layers"
    for name in ("base-a", "snap-b", ".new-c"):
        (layers / name).mkdir(parents=True)
    provider = NamespaceProvider(tmp_path, SystemClock())
    rows = asyncio.run(provider.list_layers())
    assert [(row.id, row.used, row.made_at is not None) for row in rows] == [
        ("base-a", False, True),
        ("snap-b", False, True),
    ]
    # Whatever looks into layers starts the helper, which makes its folders first.
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".new-c", "base-a", "guest", "layers", "snap-b"]
