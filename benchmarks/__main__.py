"""`python -m benchmarks [--only B4] [--quick]`: run the benchmarks, print a table, write results.json."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from benchmarks.append import append
from benchmarks.density import density
from benchmarks.fan_out import fan_out
from benchmarks.figures import Figure, keep, machine, progress, show
from benchmarks.first_token import first_token
from benchmarks.hibernate import hibernate
from benchmarks.resume import resume
from benchmarks.session_ready import session_ready
from benchmarks.snapshot import snapshot
from benchmarks.stop import stop

RESULTS = Path(__file__).with_name("results.json")

BENCHMARKS: Mapping[str, Callable[..., Coroutine[Any, Any, list[Figure]]]] = {
    "B1": first_token,
    "B2": session_ready,
    "B3": snapshot,
    "B4": append,
    "B5": fan_out,
    "B6": resume,
    "B7": hibernate,
    "B8": density,
    "B12": stop,
}


def main() -> None:
    """Run what was asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Outrider beside what it is built on.")
    parser.add_argument("--only", choices=list(BENCHMARKS), help="one of them")
    parser.add_argument("--quick", action="store_true", help="fewer repeats: to see that it works, not to quote")
    asked = parser.parse_args()
    facts = {**machine(), "quick": asked.quick}
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    if not facts["quiet"]:
        print("This machine is not quiet: ratios within this run mean something, milliseconds do not.")
    asyncio.run(_run([asked.only] if asked.only else list(BENCHMARKS), facts, quick=asked.quick))
    print(f"\nWritten to {RESULTS}")


async def _run(names: list[str], facts: dict[str, object], *, quick: bool) -> None:
    """What is done is shown and kept at once: all of them take an hour."""
    figures: list[Figure] = []
    for name in names:
        progress(f"Running {name}")
        measured = await BENCHMARKS[name](quick=quick)
        for figure in measured:
            if figure.ours is None:
                print(f"{figure.name}: {figure.workload}")
        print(f"\n{show(measured)}\n", flush=True)
        figures += measured
        keep(RESULTS, figures, facts)


if __name__ == "__main__":
    main()
