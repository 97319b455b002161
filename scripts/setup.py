#!/usr/bin/env python3
"""Makes a bare Debian ready to run Outrider from this clone. Only what is missing is done; it never asks.

Each step says what it does, why, and how long it takes. A step that has nothing to do says nothing. What every step
printed is kept in `.state/setup.log`. Standard library only: this runs before anything is installed.

usage: scripts/setup.py [--tests]     --tests adds what only the tests need
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

if sys.version_info < (3, 11):  # noqa: UP036 -- this file runs on whatever Python there is, to say so
    sys.exit("Outrider needs Python 3.11 or newer. Debian 12 and 13 have it: sudo apt-get install -y python3")

from setup_steps import debian, environment, images, web
from setup_steps.step import SetupError, Step, carry_out


def steps(*, tests: bool) -> list[Step]:
    """Everything, in the order in which one needs the other."""
    return [
        debian.packages(tests=tests),
        debian.subordinate_ids(),
        debian.apparmor(),
        environment.installer(),
        environment.packages(),
        web.packages(),
        web.build(),
        images.build(),
    ]


def main() -> None:
    """Carry out the steps; end with one sentence on what stands in the way, if anything does."""
    parser = argparse.ArgumentParser(
        description="Make this machine ready to run Outrider. Only what is missing is done."
    )
    parser.add_argument("--tests", action="store_true", help="add what only the tests need")
    arguments = parser.parse_args()
    try:
        for step in steps(tests=arguments.tests):
            carry_out(step)
    except SetupError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run it again: it goes on where it was.")


if __name__ == "__main__":
    main()
