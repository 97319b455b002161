"""Foreign bases: any OCI image with glibc and apt becomes the base of sandboxes, made once on this machine.

Two layers come of it: the image as it is, and over it what every sandbox needs, installed by the image's own package
manager. That runs in a sandbox on the image itself, which has no way in yet: for that one run a third layer, the
door-step, lends it our own base's sshd, socat and setpriv, with their libraries out of the way of the image's own.
"""

import asyncio
import hashlib
import re
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outrider.fleet.base_image import PACKAGES, SUITE
from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.commands import Progress, run_command
from outrider.fleet.generations import Generation, generation_id, generations, mark_of
from outrider.fleet.images.layer_build import LayerBuild, build_layer
from outrider.fleet.images.layers import OneAtATime, layer_id, tar_of
from outrider.fleet.images.oci import Tree, flatten
from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId
from outrider.model.sandbox import GUEST_HOME, GUEST_UID, GUEST_USER, TOOLBOX, WORKSPACE
from outrider.ports.clock import Clock, SystemClock
from outrider.ports.sandbox import SandboxProvider

PROGRAM, REMEDY = "skopeo", "Run: sudo apt-get install -y skopeo"

APT_SOURCES = "/etc/apt/sources.list"

LOCAL = "local/"
"""References that begin so name an OCI layout or archive in the deployment's folder of images; others a registry's."""

DIGITS = 16
"""Hex digits of a digest that name a generation."""

OLDEST_GLIBC = (2, 28)
"""What the toolbox's node needs."""

NEEDED = tuple(name for name in PACKAGES if name not in ("python3-pytest", "python3-venv"))
"""What is installed: as in our own base, but that its Python for the work is the image's own."""

STEP = "/usr/lib/outrider-step"
USERS_BYTES_LIMIT = 1 << 20
SSHD_LINE = "sshd:x:996:65534::/run/sshd:/usr/sbin/nologin\n"

_STEP = f"""set -eu
mkdir -p {STEP}/lib
for program in /usr/sbin/sshd /usr/bin/socat /usr/bin/setpriv; do
  cp "$program" {STEP}/
  ldd "$program" | grep -o '/[^ ]*' | xargs cp -L -n -t {STEP}/lib
done
loader=$(ls {STEP}/lib/ld-linux*)
for program in /usr/sbin/sshd /usr/bin/socat /usr/bin/setpriv; do
  rm "$program"
  printf '#!/bin/sh\\nexec %s --library-path %s %s "$@"\\n' \
    "$loader" {STEP}/lib "{STEP}/${{program##*/}}" >"$program"
  chmod 755 "$program"
done
"""

_INSTALL = f"""set -eu
fail() {{ echo "$*"; exit 90; }}
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || fail "It has no glibc."
glibc=${{glibc#glibc }}
[ "$(printf '%s\\n' {".".join(map(str, OLDEST_GLIBC))} "$glibc" | sort -V | head -n 1)" = \\
  {".".join(map(str, OLDEST_GLIBC))} ] || fail "Its glibc is $glibc."
. /etc/os-release
if [ "$ID" = debian ] && [ -n "${{VERSION_CODENAME:-}}" ] && [ -n "$1" ]; then
  printf '%s' "$1" | sed "s/\\b{SUITE}\\b/$VERSION_CODENAME/g" >{APT_SOURCES}
  rm -f {APT_SOURCES}.d/debian.sources
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends {" ".join(NEEDED)}
old=$(getent passwd {GUEST_UID} | cut -d: -f1)
oldgroup=$(getent group {GUEST_UID} | cut -d: -f1)
if [ -z "$oldgroup" ]; then groupadd --gid {GUEST_UID} {GUEST_USER}
elif [ "$oldgroup" != {GUEST_USER} ]; then groupmod --new-name {GUEST_USER} "$oldgroup"; fi
mkdir -p {GUEST_HOME}
if [ -z "$old" ]; then useradd --uid {GUEST_UID} --gid {GUEST_UID} --home-dir {GUEST_HOME} --shell /bin/sh {GUEST_USER}
else usermod --login {GUEST_USER} --gid {GUEST_UID} --home {GUEST_HOME} --shell /bin/sh "$old"; fi
sed -i /^tty:/d /etc/group /etc/gshadow
mkdir -p {WORKSPACE} {TOOLBOX}
chown {GUEST_UID}:{GUEST_UID} {WORKSPACE} {GUEST_HOME}
rm -f /etc/resolv.conf /etc/hosts
printf '127.0.0.1 localhost outrider\\n::1 localhost\\n' >/etc/hosts
: >/etc/resolv.conf
apt-get clean
rm -rf /etc/ssh/ssh_host_* /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt/* /var/log/dpkg.log
"""


@dataclass(frozen=True, slots=True)
class ForeignBases:
    """Makes bases of OCI images. `folder` holds the deployment's own layouts and archives; `environment` is what skopeo
    may see of the host's: proxy and CA variables and HOME for its credentials, nothing else."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)
    makers: OneAtATime = field(default_factory=OneAtATime)
    asked: dict[str, "Foreign"] = field(default_factory=dict)
    """What was asked for since the start, with what it was made on."""
    known: dict[str, LayerId] = field(default_factory=dict)
    """The generation of a reference that is in force, as far as this process knows."""

    async def ensure(self, reference: str, on: "Foreign", say: Progress) -> tuple[LayerId, ...]:
        """The layers of the newest generation of the image that is ready, made where there is none. Raises
        SandboxError."""
        async with self.makers.making(layer_id("foreign", reference)):
            rootfs = await self._in_force(reference, on)
            layers = await self._made_ready(reference, rootfs, on, say)
            self.known[reference], self.asked[reference] = rootfs, on
        return layers

    async def renew(self, reference: str, say: Progress) -> bool:
        """Look what a reference that was asked for stands for now, and have that ready; whether it is another image
        than before, which stays. Raises SandboxError."""
        on = self.asked[reference]
        digest = await self._digest(reference)
        there = await self.generations(reference, on.sandboxes.provider)
        newest = there[0].layer if there else None
        rootfs = newest if newest and mark_of(newest) == digest else self._fresh(reference, digest)
        await self._made_ready(reference, rootfs, on, say)
        before, self.known[reference] = self.known[reference], rootfs
        return before != rootfs

    async def generations(self, reference: str, provider: SandboxProvider) -> list[Generation]:
        """What was fetched under a reference, the newest first."""
        return generations(layer_id("foreign", reference), await provider.list_layers())

    def in_force(self) -> set[LayerId]:
        """The layers of every image that was asked for since the start, as they are made now."""
        known = [(self.known[reference], on) for reference, on in self.asked.items()]
        return {layer for rootfs, on in known for layer in (rootfs, _ready_id(rootfs, on))}

    async def _in_force(self, reference: str, on: "Foreign") -> LayerId:
        """The newest generation that is ready; else the newest; else that which will be made. Raises SandboxError."""
        provider = on.sandboxes.provider
        known = self.known.get(reference)
        if known is not None and await provider.has_layer(known):
            return known
        there = [row.layer for row in await self.generations(reference, provider)]
        ready = [layer for layer in there if await provider.has_layer(_ready_id(layer, on))]
        if ready or there:
            return (*ready, *there)[0]
        return self._fresh(reference, await self._digest(reference))

    def _fresh(self, reference: str, digest: str) -> LayerId:
        return generation_id(layer_id("foreign", reference), self.clock.now(), digest)

    async def _made_ready(self, reference: str, rootfs: LayerId, on: "Foreign", say: Progress) -> tuple[LayerId, ...]:
        users, ready = users_layer(rootfs), _ready_id(rootfs, on)
        provider = on.sandboxes.provider
        async with self.makers.making(ready):
            if not await on.sandboxes.has_layer(rootfs):
                await self._fetch(reference, rootfs, users, provider, say)
            if not await on.sandboxes.has_layer(ready):
                say(f"Installing what every sandbox needs into {reference}.")
                step = await self._door_step(on, say)
                build = LayerBuild(
                    ready,
                    _INSTALL,
                    f"The image {reference} cannot be a base",
                    "Use a Debian or Ubuntu with glibc 2.28 or newer, whose package mirrors this machine reaches.",
                    (on.sources,),
                )
                await build_layer(on.sandboxes, build, (rootfs, users, step, *on.clients), say)
        return (rootfs, ready)

    async def _digest(self, reference: str) -> str:
        """The first digits of a digest of what a reference stands for now. Raises SandboxError."""
        lines: list[str] = []
        with tempfile.TemporaryDirectory(prefix="outrider-oci-") as name:
            argv = [_program(reference), "--insecure-policy", "inspect", "--raw", self.source(reference)]
            what = f"The image {reference} could not be fetched"
            await run_command(argv, what, lines.append, environment=self.environment, folder=Path(name))
        told = [line for line in lines if not line.startswith("time=")]  # else a warning with its moment
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:DIGITS]

    def source(self, reference: str) -> str:
        """What skopeo is to read. Raises SandboxError where a local image is not there."""
        if not reference.startswith(LOCAL):
            first = reference.partition("/")[0]
            return f"docker://{reference}" if re.search(r"[.:]", first) else f"docker://docker.io/{_hub(reference)}"
        name, _, tag = reference.removeprefix(LOCAL).partition(":")
        path = self.folder / name
        if "/" in name or not path.exists():
            raise SandboxError(
                f"There is no image “{name}” among the deployment's own.",
                f"Put an OCI layout or archive of that name into {self.folder}.",
            )
        return f"{'oci' if path.is_dir() else 'oci-archive'}:{path}{f':{tag}' if tag else ''}"

    async def _fetch(
        self, reference: str, rootfs: LayerId, users: LayerId, provider: SandboxProvider, say: Progress
    ) -> None:
        program, source = _program(reference), self.source(reference)
        say(f"Fetching the image {reference}.")
        with tempfile.TemporaryDirectory(prefix="outrider-oci-") as name:
            folder = Path(name)
            # Without a policy of the machine's own, what a name stands for is taken on trust, as docker does.
            argv = [program, "--insecure-policy", "copy", "--quiet", "--dest-decompress", source, f"dir:{folder}/image"]
            what = f"The image {reference} could not be fetched"
            await run_command(argv, what, say, environment=self.environment, folder=folder)
            say(f"Unpacking the image {reference}.")
            tree = await asyncio.to_thread(flatten, folder / "image", folder / "root.tar")
            refuse_others(tree, reference)
            await asyncio.to_thread(_write_users, folder / "root.tar", folder / "users.tar")
            await provider.add_layer(users, folder / "users.tar")
            await provider.add_layer(rootfs, folder / "root.tar")

    async def _door_step(self, on: "Foreign", say: Progress) -> LayerId:
        """The way in, taken from our own base. The same for all images."""
        step = layer_id("door-step", on.ours, _STEP)
        async with self.makers.making(step):
            if not await on.sandboxes.has_layer(step):
                build = LayerBuild(step, _STEP, "The way into foreign images could not be made", "Check the disk.")
                await build_layer(on.sandboxes, build, (on.ours,), say)
        return step


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a foreign base is made with: our own base, which lends the way in; the settings of package clients, and
    apart from them the lines of apt's sources, which are for our own base's release."""

    sandboxes: CleanSandboxes
    ours: LayerId
    clients: tuple[LayerId, ...]
    sources: str = ""


def users_layer(rootfs: LayerId) -> LayerId:
    """The layer with the users of an image that was fetched: what is installed into the image is installed above it."""
    return layer_id("foreign-users", rootfs)


def _ready_id(rootfs: LayerId, on: Foreign) -> LayerId:
    return layer_id("foreign-ready", rootfs, _INSTALL, on.sources)


def _program(reference: str) -> str:
    program = shutil.which(PROGRAM)
    if program is None:
        raise SandboxError(f"The image {reference} needs skopeo, which is not installed here.", REMEDY)
    return program


def _write_users(root: Path, target: Path) -> None:
    """The image's users and one for sshd, as a layer. Raises SandboxError where the image has none."""
    with tarfile.open(root) as tar:
        try:
            file = tar.extractfile("etc/passwd")
        except KeyError:
            file = None
        known = file.read(USERS_BYTES_LIMIT).decode(errors="replace") if file else "root:x:0:0:root:/root:/bin/sh\n"
    lines = known if re.search("^sshd:", known, re.M) else f"{known.rstrip()}\n{SSHD_LINE}"
    target.write_bytes(tar_of({"/etc/passwd": lines.encode()}))


def _hub(reference: str) -> str:
    """A name without a registry is Docker Hub's, and one without a folder its own."""
    return reference if "/" in reference else f"library/{reference}"


def refuse_others(tree: Tree, reference: str) -> None:
    """Refuse what is known from its files alone. Raises SandboxError."""
    remedy = "Use an image of a Debian or Ubuntu with glibc 2.28 or newer, such as `…:bookworm` instead of `…:alpine`."
    if any(name.startswith("ld-musl") for folder in ("lib", "usr/lib") for name in _names(tree, folder)):
        raise SandboxError(f"The image {reference} is built on musl, where the engine does not run.", remedy)
    for path, what in (("bin/sh", "a shell"), ("usr/bin/apt-get", "apt")):
        if tree.find(path) is None:
            raise SandboxError(f"The image {reference} has no {path}: a base needs {what}.", remedy)


def _names(tree: Tree, folder: str) -> Sequence[str]:
    node = tree.find(folder)
    return list(node.children) if node else []
