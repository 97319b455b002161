"""The evidence card: what each check said on base, before and after, red to green as a pair."""

from itertools import groupby

from rich.box import ROUNDED, Box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from outrider.cli import words
from outrider.cli.clean import clean_line
from outrider.cli.layout import Hanging, beside
from outrider.cli.scene import Scene
from outrider.model.proof import CheckResult, CheckVerdict, Proof, ProofVerdict

CASES = 8
PHASE_AND_VERDICT = 16
"""Cells of a run's line before its facts."""

NARROW = 60
DASHED = Box("╭╌╌╮\n┆ ┆┆\n├╌┼┤\n┆ ┆┆\n├╌┼┤\n├╌┼┤\n┆ ┆┆\n╰╌┴╯")
"""What is not proved has a dashed frame, as on the page."""

PROVED = {ProofVerdict.FIX_PROVED, ProofVerdict.STILL_GREEN}
_COLOUR = {
    ProofVerdict.FIX_PROVED: "green",
    ProofVerdict.FIX_PROVED_WEAKLY: "yellow",
    ProofVerdict.STILL_GREEN: "green",
    ProofVerdict.RED: "red",
    ProofVerdict.NOT_RUN: "yellow",
}


def card(proof: Proof, scene: Scene) -> RenderableType:
    """The whole card: solid where the proof stands, dashed where it does not."""
    colour = _COLOUR[proof.verdict]
    parts: list[RenderableType] = [Text(clean_line(proof.summary))]
    ordered = sorted(proof.results, key=lambda result: result.name)
    for _name, results in groupby(ordered, key=lambda result: result.name):
        parts += [Text(), *_check(list(results), narrow=scene.width < NARROW)]
    parts += [*_cases(proof), *_warnings(proof)]
    return Panel(
        Group(*parts),
        title=Text(f"Evidence · {words.VERDICT[proof.verdict]}", style=f"bold {colour}"),
        title_align="left",
        subtitle=Text(f"checks from {clean_line(proof.recipe_source)}", style="dim") if proof.recipe_source else None,
        subtitle_align="left",
        border_style=colour,
        box=ROUNDED if proof.verdict in PROVED else DASHED,
        width=scene.width,
    )


def check_line(result: CheckResult, *, narrow: bool = False) -> Text:
    """One run of one check: phase, verdict, counts, exit code, duration."""
    good = result.verdict is CheckVerdict.PASSED
    line = Text(f"{words.PHASE[result.phase]:<7}")
    line.append(f"{'✓' if good else '✗'} {words.CHECK[result.verdict]:<5}", style="green" if good else "red")
    facts = [_counts(result), f"exit {result.exit_code}"]
    if not narrow:
        facts += [words.seconds(result.seconds), _commit(result)]
    return line.append("  ").append(" · ".join(fact for fact in facts if fact), style="dim")


def _check(results: list[CheckResult], *, narrow: bool) -> list[RenderableType]:
    first = results[0]
    order = {phase: place for place, phase in enumerate(words.PHASE)}
    title = beside(clean_line(first.name), Text(f"$ {clean_line(first.command)}", style="dim"), "bold", indent=0)
    runs = sorted(results, key=lambda result: order[result.phase])
    return [title, *(_hang(check_line(result, narrow=narrow)) for result in runs)]


def _hang(line: Text) -> Hanging:
    """The facts of a run, wrapped below one another."""
    lead, facts = line.divide([PHASE_AND_VERDICT])
    return Hanging(lead, facts)


def _counts(result: CheckResult) -> str:
    named = {"passed": result.passed, "failed": result.failed, "errors": result.errors, "skipped": result.skipped}
    told = [f"{number:,} {word}" for word, number in named.items() if number]
    return ", ".join(told) or ("exit code only" if result.passed is None else "")


def _commit(result: CheckResult) -> str:
    laid_over = f" with tests of {result.tests_from[:8]}" if result.tests_from else ""
    return f"{result.commit[:8]}{laid_over}"


def _cases(proof: Proof) -> list[RenderableType]:
    if not proof.red_to_green:
        return []
    lines: list[RenderableType] = [Text(), Text("red → green", style="bold")]
    for case in proof.red_to_green[:CASES]:
        pair = Text("✗", style="red").append(" → ", style="dim").append("✓ ", style="green")
        lines.append(Hanging(pair, Text(clean_line(case.case))))
    left = len(proof.red_to_green) - CASES
    return [*lines, *([Text(f"… {words.count(left, 'test')} more", style="dim")] if left > 0 else [])]


def _warnings(proof: Proof) -> list[RenderableType]:
    """What makes the proof weaker than it looks."""
    named = {
        "These tests are gone": proof.vanished,
        "These tests are skipped now": proof.newly_skipped,
        "These files say how checks run; the base's were used": proof.marked_files,
    }
    lines: list[RenderableType] = []
    for sentence, names in named.items():
        if names:
            more = f" and {len(names) - CASES} more" if len(names) > CASES else ""
            told = ", ".join(clean_line(name) for name in names[:CASES])
            lines += [Text(), beside("!", Text(f"{sentence}: {told}{more}", style="yellow"), indent=0)]
    return lines
