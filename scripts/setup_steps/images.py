"""What sandboxes start from: the base root file system and the toolbox. The product itself builds and keeps them."""

import subprocess

from setup_steps.environment import PYTHON
from setup_steps.step import SetupError, Step


def build() -> Step:
    """`outrider setup`, which shows its own progress."""
    command = [str(PYTHON), "-m", "outrider.cli", "setup"]

    def missing() -> str:
        done = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (", ".join(done.stdout.split("\n")[:-1]) or "to be built")

    def do() -> None:
        if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
            raise SetupError(
                "What sandboxes start from could not be built. `.venv/bin/outrider doctor` says what works."
            )

    return Step(
        title="Sandbox images",
        why="Every sandbox starts from a bare Debian and a toolbox with the engine, kept in Outrider's home.",
        takes="About 90 s, with a download of 200 MB.",
        missing=missing,
        do=do,
    )
