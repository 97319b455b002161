"""Services in a guest: started detached, each under a keeper that outlives our connection, and asked until ready.

A keeper is a shell that holds a lock for as long as its command runs and then writes down how it ended, so that
whoever comes later (another connection, another process) knows without trusting a stale pid whether it runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from outrider.fleet.commands import Progress
from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.sandbox import GUEST_HOME, WORKSPACE
from outrider.model.services import SERVICE_ROLE, ServiceSpec, ServiceState, ServiceStatus
from outrider.ports.clock import Clock
from outrider.ports.sandbox import ExecResult, ExecSpec, Guest

FOLDER = f"{GUEST_HOME}/.outrider/services"
"""Where keepers hold their locks and logs, in the guest."""

ASK_SECONDS = 10.0
"""How long one question whether a service is ready may take."""

PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.5)
"""Between questions; the last one again and again."""

SETTLE_SECONDS = 0.2
"""A command that is asked nothing counts as running if it has not ended after this."""

LOG_BYTES = 3000
END_SECONDS = 15.0
"""How long services may take to end by themselves before a sandbox is frozen."""

_START = f"""set -eu
folder={FOLDER}/$1
mkdir -p "$folder"
exec 9>"$folder/lock"
flock -n 9 || exit 0
rm -f "$folder/ended" "$folder/pid"
OUTRIDER_ROLE={SERVICE_ROLE} setsid -f sh -c '
  sh -c "$1" 9>&- &
  echo $! >"$2/pid"
  wait $!
  echo $? >"$2/ended"
' sh "$2" "$folder" >"$folder/log" 2>&1 </dev/null
tries=0
while [ ! -e "$folder/pid" ] && [ $tries -lt 500 ]; do sleep 0.01; tries=$((tries + 1)); done
"""
"""The lock goes to the keeper with its descriptor, and not to the command: it is free as soon as the command ended. It
returns when the command has begun: on a busy machine that takes longer than a command that fails at once."""

_ENDED = f"""exec 9>>"{FOLDER}/$1/lock"
flock -n 9 || exit 0
cat "{FOLDER}/$1/ended" 2>/dev/null || echo killed
"""

_LOG = f'tail -c {LOG_BYTES} "{FOLDER}/$1/log"'

_END = f"""cd {FOLDER} 2>/dev/null || exit 0
for folder in */; do
  flock -n "$folder/lock" true || kill -TERM "$(cat "$folder/pid")" || true
done
for folder in */; do flock -w {END_SECONDS:.0f} "$folder/lock" true || true; done
"""


async def start_services(
    guest: Guest, specs: Sequence[ServiceSpec], environment: Mapping[str, str], clock: Clock, say: Progress
) -> tuple[ServiceState, ...]:
    """Start what does not run, in this order, each when the one before it is ready; one that runs is left. What goes
    wrong with a service is in its state, and the next is tried all the same. Raises SandboxLost."""
    states = []
    for spec in specs:
        say(f"Starting {spec.name}.")
        started = clock.monotonic()
        why = await _Start(guest, spec, environment, clock).run()
        seconds = round(clock.monotonic() - started, 3)
        status = ServiceStatus.FAILED if why else ServiceStatus.READY
        detail = f"The service {spec.name} {why}" if why else ""
        states.append(ServiceState(name=spec.name, status=status, port=spec.port, detail=detail, seconds=seconds))
    return tuple(states)


async def end_services(guest: Guest) -> None:
    """Ask every service to end, wait for it, then kill what is left of them: before the sandbox becomes a layer, so
    that a database's files are whole in it. Raises SandboxError."""
    spec = ExecSpec(argv=["sh", "-c", _END], cwd=GUEST_HOME)
    await guest.run(spec, timeout_seconds=4 * END_SECONDS, output_limit=LOG_BYTES)
    await guest.kill_everything()


@dataclass(frozen=True, slots=True)
class _Start:
    """One service that is being made ready."""

    guest: Guest
    spec: ServiceSpec
    environment: Mapping[str, str]
    clock: Clock

    async def run(self) -> str:
        """Returns why it is not ready, empty where it is. Raises SandboxLost."""
        made = await self.shell(_START, self.spec.name, self.spec.command)
        if made.exit_code != 0:
            return f"could not be started: {_words(made.output)}"
        until = self.clock.monotonic() + self.spec.timeout_seconds
        for pause in chain(PAUSES_SECONDS, repeat(PAUSES_SECONDS[-1])):
            ready = await self.is_ready()
            if ready and self.spec.ready:
                return ""
            ended = await self.ended()
            if ended or ready:
                return ended
            if self.clock.monotonic() + pause > until:
                break
            await self.clock.sleep(pause)
        return f"was not ready after {self.spec.timeout_seconds:g} s. {await self.log()}"

    async def is_ready(self) -> bool:
        """Whether it says so itself, or its port answers."""
        if self.spec.ready:
            return (await self.shell(self.spec.ready)).exit_code == 0
        if self.spec.port is None:
            await self.clock.sleep(SETTLE_SECONDS)
            return True
        try:
            _, writer = await self.guest.dial(self.spec.port)
        except SandboxLost:
            raise
        except SandboxError:
            return False
        writer.close()
        return True

    async def ended(self) -> str:
        """How its command ended; empty while it runs."""
        how = (await self.shell(_ENDED, self.spec.name)).output.decode(errors="replace").strip()
        if not how:
            return ""
        said = "was killed" if how == "killed" else f"ended with exit code {how[:10]}"
        return f"{said}. {await self.log()}".strip()

    async def log(self) -> str:
        """Its last words."""
        said = _words((await self.shell(_LOG, self.spec.name)).output)
        return f"It said: {said}" if said else "It said nothing."

    async def shell(self, script: str, *arguments: str) -> ExecResult:
        """Run a script in the checkout, as the service is run."""
        spec = ExecSpec(argv=["sh", "-c", script, "sh", *arguments], cwd=WORKSPACE, env=self.environment)
        return await self.guest.run(spec, timeout_seconds=ASK_SECONDS, output_limit=LOG_BYTES)


def _words(output: bytes) -> str:
    """What a guest printed, as text of a bounded length."""
    return output.decode(errors="replace").strip()[-LOG_BYTES:]
