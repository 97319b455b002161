"""The base layer: a small Debian with what every sandbox needs, built once by mmdebstrap."""

import asyncio
import base64
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from outrider.fleet.commands import Progress, run_command
from outrider.fleet.generations import Generation, generation_id, generations
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.sandbox import GUEST_HOME, GUEST_UID, GUEST_USER, TOOLBOX, WORKSPACE
from outrider.ports.sandbox import SandboxProvider

SUITE = "bookworm"

PACKAGES = (
    "ca-certificates", "curl", "file", "git", "jq", "less", "make", "openssh-server", "patch",
    "procps", "python3", "python3-pytest", "python3-venv", "ripgrep", "socat", "unzip", "util-linux", "xz-utils",
)  # fmt: skip
"""openssh-server, socat and util-linux carry us in; python3 ends what a turn left running; the rest is for the work."""

FALLBACK_MIRROR = "http://deb.debian.org/debian"


def customize_script() -> str:
    """What is done to the fresh root, as its root. `$1` is its path."""
    return f"""set -eu
# The login shell is sh: bash would read ~/.bashrc for each command over SSH, and a repository may write that file.
chroot "$1" groupadd --gid {GUEST_UID} {GUEST_USER}
chroot "$1" useradd --uid {GUEST_UID} --gid {GUEST_UID} --create-home --home-dir {GUEST_HOME} \\
  --shell /bin/sh {GUEST_USER}
# sshd gives a terminal to the group tty where there is one, which an unprivileged sshd may not do.
sed -i /^tty:/d "$1/etc/group" "$1/etc/gshadow"
mkdir -p "$1{WORKSPACE}" "$1{TOOLBOX}"
chown {GUEST_UID}:{GUEST_UID} "$1{WORKSPACE}"
printf '127.0.0.1 localhost outrider\\n::1 localhost\\n' >"$1/etc/hosts"
: >"$1/etc/resolv.conf"
rm -rf "$1"/etc/ssh/ssh_host_* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/usr/share/doc/*/changelog*
"""


@dataclass(frozen=True, slots=True)
class BaseImage:
    """How the base layer is made on this host. `environment` is what package tools may see of the host's: proxy and CA
    variables, nothing else."""

    apt_folder: Path = Path("/etc/apt")
    os_release: Path = Path("/etc/os-release")
    environment: Mapping[str, str] = field(default_factory=dict)
    known: dict[LayerId, LayerId] = field(default_factory=dict)
    """The newest generation of a recipe, as far as this process knows: every sandbox that is made asks for it."""

    name = f"Debian {SUITE}"

    def layer_id(self) -> LayerId:
        """Of the first generation: the same for the same recipe, on every machine."""
        recipe = json.dumps([SUITE, PACKAGES, customize_script()])
        return LayerId("base-" + base64.b32encode(hashlib.sha256(recipe.encode()).digest()).decode().lower()[:20])

    async def ensure(self, provider: SandboxProvider, say: Progress = lambda _line: None) -> LayerId:
        """The newest generation, or the first one, built if the provider has none. Raises SandboxError."""
        layer = await self.newest(provider)
        if layer is None:
            say(f"Building the base image: {self.name} with {len(PACKAGES)} packages. It takes about a minute, once.")
            layer = await self._build(self.layer_id(), provider, say)
        return layer

    async def newest(self, provider: SandboxProvider) -> LayerId | None:
        """The newest generation that the provider has."""
        first = self.layer_id()
        layer = self.known.get(first)
        if layer is None or not await provider.has_layer(layer):
            found = await self.generations(provider)
            layer = found[0].layer if found else None
        if layer is not None:
            self.known[first] = layer
        return layer

    async def generations(self, provider: SandboxProvider) -> list[Generation]:
        """All that the provider has, the newest first."""
        return generations(self.layer_id(), await provider.list_layers())

    async def renew(self, provider: SandboxProvider, now: datetime, say: Progress) -> LayerId:
        """One more generation, with the packages that the mirrors have now; the one before stays. Raises
        SandboxError."""
        say(f"Building the base image anew: {self.name}.")
        layer = await self._build(generation_id(self.layer_id(), now), provider, say)
        self.known[self.layer_id()] = layer
        return layer

    async def _build(self, layer: LayerId, provider: SandboxProvider, say: Progress) -> LayerId:
        with tempfile.TemporaryDirectory(prefix="outrider-base-") as folder:
            tar = Path(folder) / "base.tar"
            await self._mmdebstrap(tar, say)
            say("Unpacking the base image.")
            await provider.add_layer(layer, tar)
        return layer

    async def _mmdebstrap(self, tar: Path, say: Progress) -> None:
        program = shutil.which("mmdebstrap")
        if program is None:
            raise SandboxError("mmdebstrap is not installed.", "Run: sudo apt-get install -y mmdebstrap")
        options = tar.with_name("apt.conf")
        options.write_text(await self._apt_options())
        argv = [
            program, "--format=tar", "--variant=minbase", f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
            f"--include={','.join(PACKAGES)}", f"--customize-hook={customize_script()}", f"--aptopt={options}",
            "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            "--dpkgopt=path-exclude=/usr/share/doc/*", SUITE, str(tar), *self.mirrors(),
        ]  # fmt: skip
        what = "The base image could not be built"
        await run_command(argv, what, lambda line: _say(line, say), environment=self.environment, folder=tar.parent)

    def mirrors(self) -> Sequence[str]:
        """The host's own source files where it is a Debian of our suite, else Debian's mirror."""
        release = self.os_release.read_text() if self.os_release.exists() else ""
        if not re.search(r"^ID=debian$", release, re.M) or f"VERSION_CODENAME={SUITE}" not in release:
            return [FALLBACK_MIRROR]
        files = [self.apt_folder / "sources.list", *sorted((self.apt_folder / "sources.list.d").glob("*"))]
        return [str(file) for file in files if file.is_file() and _only_debian(file.read_text())] or [FALLBACK_MIRROR]

    async def _apt_options(self) -> str:
        """How the host's apt reaches its mirrors: proxies, certificates, retries."""
        program = shutil.which("apt-config")
        if program is None:
            return ""
        process = await asyncio.create_subprocess_exec(
            program, "dump", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        kept = [line for line in output.decode().splitlines() if re.match(r"Acquire::(https?|Retries)\b", line)]
        return "".join(f"{line}\n" for line in kept)


def _say(line: str, say: Progress) -> None:
    """Pass on what mmdebstrap says of its steps, without the text of our own script, which it prints too."""
    if line.startswith("I: ") and "hook" not in line:
        say(line.removeprefix("I: ").rstrip("."))


def _only_debian(sources: str) -> bool:
    """Whether a source file names our suite and no archive but Debian's."""
    lines = [line.partition("#")[0] for line in sources.splitlines()]
    uris = re.findall(r"\b\w+://\S+", "\n".join(lines))
    ours = all(re.search(r"/debian(-security)?/?$", uri) for uri in uris)
    return bool(uris) and ours and any(SUITE in line for line in lines)
