"""Images, builds and the doctor's page of a repository, drawn."""

import io
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from outrider.cli.image_table import (
    age,
    draw_bases,
    draw_build,
    draw_collected,
    draw_diagnosis,
    draw_images,
    draw_renewed,
    size,
)
from outrider.model.ids import LayerId
from outrider.model.image import BaseState, BuildState, CheckFinding, Collected, Diagnosis, Renewed
from outrider.model.proof import CheckVerdict
from outrider.testing.image_catalog_contract import MORNING, build_of, image_of

GREEN = CheckFinding(
    name="tests", command="pytest", verdict=CheckVerdict.PASSED, exit_code=0, seconds=4.1, passed=31, skipped=2
)
RED = CheckFinding(
    name="lint",
    command="ruff check",
    verdict=CheckVerdict.FAILED,
    exit_code=127,
    seconds=0.1,
    missing_tools=("ruff",),
    tail="sh: 1: ruff: not found\x1b[2J\n",
)
FOUND = Diagnosis(checks=(GREEN, RED), skipped_services=("redis",), at=MORNING, seconds=4.4)


def console(width: int = 120) -> Console:
    return Console(file=io.StringIO(), width=width, color_system=None)


def said(screen: Console) -> list[str]:
    assert isinstance(screen.file, io.StringIO)
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]


def row(**values: Any) -> dict[str, Any]:
    whole = {"repository": "bakery", "branch": "main", "image": None, "build": None, **values}
    return {
        name: value.model_dump(mode="json") if hasattr(value, "model_dump") else value for name, value in whole.items()
    }


def test_each_branch_is_a_row_and_a_failure_says_why() -> None:
    screen = console()
    image = image_of(0, bytes=84_000_000, diagnosis=FOUND)
    failed = build_of(1, state=BuildState.FAILED, detail="The setup command `npm ci`\nended with exit code 1.")
    rows = [row(image=image, build=failed), row(repository="shop", build=build_of(2, repository="shop"))]
    draw_images(screen, rows, MORNING + timedelta(hours=3))
    head, bakery, shop, why = said(screen)
    assert head.split() == ["repository", "branch", "commit", "age", "state", "size", "checks", "build"]
    assert bakery.split()[:8] == ["bakery", "main", "000000000000", "3", "h", "failed", "84.0", "MB"]
    assert bakery.split()[8:10] == ["red:", "lint"]
    assert shop.split()[:4] == ["shop", "main", "none", "waiting"]
    assert why == "  ✗ bakery main: The setup command `npm ci` ended with exit code 1."


def test_a_wide_terminal_says_what_asked_for_the_build() -> None:
    screen = console(160)
    draw_images(screen, [row(image=image_of(0), build=build_of(1, why="somebody pushed to it"))], MORNING)
    head, bakery = said(screen)
    assert head.split()[-1] == "because"
    assert bakery.endswith("somebody pushed to it")


def test_bases_have_an_age_and_a_renewal_says_what_came_of_it() -> None:
    screen = console(80)
    rows = [BaseState(name="Debian bookworm", layer=LayerId("base-a"), made_at=MORNING)]
    rows.append(BaseState(name="local/bare:one", layer=LayerId("foreign-a")))
    draw_bases(screen, rows, MORNING + timedelta(days=3))
    draw_renewed(screen, [Renewed(name="a", changed=True), Renewed(name="b", changed=False)])
    draw_renewed(screen, [Renewed(name="c", changed=False, problem="The mirror is away.")])
    assert [line.split() for line in said(screen)[1:3]] == [
        ["Debian", "bookworm", "3", "d", "base-a"],
        ["local/bare:one", "unknown", "foreign-a"],
    ]
    assert said(screen)[3:] == [
        "✓ a is new; images above it are rebuilt in the background.",
        "✓ b stays as it is.",
        "✗ c stays as it is. The mirror is away.",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_a_narrow_terminal_gets_no_longer_lines(width: int) -> None:
    screen = console(width)
    draw_images(screen, [row(image=image_of(0, diagnosis=FOUND), build=build_of(1))], MORNING)
    draw_diagnosis(screen, image_of(0, diagnosis=FOUND))
    assert max(map(len, said(screen))) <= width


def test_the_doctor_says_what_was_red_before_anybody_touched_it() -> None:
    screen = console()
    draw_diagnosis(screen, image_of(0, diagnosis=FOUND))
    assert said(screen) == [
        "bakery main at 000000000000",
        "  ✓ tests: green, 4.1 s  31 passed, 2 skipped",
        "  ✗ lint: red, 0.1 s",
        "      sh: 1: ruff: not found",
        "  ! lint was red before anybody touched it.",
        "  ! ruff was not found: name its Debian package in outrider.toml.",
        "  ! The service redis did not get ready.",
        "  1 of 2 checks are green. Red before anybody touched it: lint. Not found: ruff. Not ready: redis. "
        "It took 4.4 s.",
    ]
    empty = console()
    draw_diagnosis(empty, image_of(0))
    assert said(empty)[1] == "  Its checks have not been run."


def test_how_a_build_ended_is_one_line() -> None:
    screen = console()
    draw_build(screen, build_of(0, state=BuildState.DONE, seconds=61.0, detail="The image of 0000 is ready."))
    assert said(screen) == ["● ready (1 min 1 s): The image of 0000 is ready."]


def test_ages_and_sizes_are_short() -> None:
    spans = [age(timedelta(seconds=seconds)) for seconds in (0, 59, 60, 7200, 200_000)]
    assert spans == ["new", "new", "1 min", "2 h", "2 d"]
    assert [size(number) for number in (0, 999, 12_345, 84_200_000, 3_000_000_000_000)] == [
        "0 B", "999 B", "12 kB", "84.2 MB", "3000.0 GB",
    ]  # fmt: skip


def test_what_was_collected_is_a_line() -> None:
    screen = console()
    for layers, taken, hours in ((3, 412_000_000, 2), (1, 90, 0)):
        draw_collected(screen, Collected(at=MORNING, layers=layers, bytes=taken), MORNING + timedelta(hours=hours))
    assert said(screen) == ["3 old layers were deleted 2 h ago: 412.0 MB.", "1 old layer was deleted just now: 90 B."]
