"""Scripts that run inside a sandbox, as whatever runs there would."""

from outrider.model.ids import new_id
from outrider.ports.sandbox import ExecSpec, Guest

CANARY = f"canary-{new_id('c', 24)}"


async def python(guest: Guest, script: str) -> str:
    """What a Python script prints in the guest."""
    done = await guest.run(ExecSpec(argv=["python3", "-I", "-"]), stdin=script.encode())
    assert done.exit_code == 0, done.output.decode()
    return done.output.decode()


async def sh(guest: Guest, script: str) -> str:
    """What a shell script prints in the guest, its errors included."""
    return (await guest.run(ExecSpec(argv=["sh", "-c", script]))).output.decode()
