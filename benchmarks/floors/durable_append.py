"""The physical floor of a durable append, in C, built on the spot where there is a compiler."""

import shutil
import subprocess
from pathlib import Path

APPENDS = 500


def durable_append_us(folder: Path) -> float | None:
    """Median time of an append with fdatasync on this folder's disk, in µs; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = folder / "append"
    source = Path(__file__).with_suffix(".c")
    subprocess.run((compiler, "-O2", "-o", str(program), str(source)), check=True, timeout=60)
    printed = subprocess.run((str(program), str(folder / "file"), str(APPENDS)), check=True, capture_output=True)
    return float(printed.stdout)
