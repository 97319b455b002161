"""What is in the toolbox, before it is a layer."""

import json
import subprocess
from pathlib import Path

from outrider.fleet.toolbox import PACKAGES, Toolbox, copy_node


def test_every_locked_package_has_a_hash_and_no_registry() -> None:
    lock = json.loads((PACKAGES / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert not [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")]
    assert not [name for name, entry in packages.items() if "resolved" in entry]


def test_the_engine_and_its_plugin_package_are_one_version() -> None:
    wanted = json.loads((PACKAGES / "package.json").read_text())
    versions = {*wanted["dependencies"].values(), *wanted["optionalDependencies"].values()}
    assert len(versions) == 1


def test_the_same_recipe_is_the_same_layer() -> None:
    assert Toolbox().layer_id() == Toolbox(environment={"HOME": "/elsewhere"}).layer_id()


def test_node_runs_and_npm_is_called_through_its_place_in_the_guest(tmp_path: Path) -> None:
    copy_node(tmp_path / "root")
    done = subprocess.run([tmp_path / "root/bin/node", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("v24.")
    assert (
        "exec /opt/outrider/bin/node /opt/outrider/lib/node_modules/npm/bin/npm-cli.js"
        in (tmp_path / "root/bin/npm").read_text()
    )
