"""What the control plane says: the sentences for people and the texts for engines, made from state. Pure."""

import re
from collections.abc import Iterable, Sequence

from outrider.fleet.snapshots import MADE_AGAIN
from outrider.model.commands import EffectFailed
from outrider.model.events import SyncFinished
from outrider.model.membership import person_key
from outrider.model.prompt import Prompt
from outrider.model.proof import CheckResult, CheckVerdict, Phase, Proof, ProofVerdict
from outrider.model.turn import KeptWork
from outrider.session.kept import Kept
from outrider.session.state import State, Turn

LONGEST_SENTENCE = 4096
LONGEST_TEXT = 60_000
FEW = 3
"""Files that a sentence names."""
INSTRUCTION_TAIL = 3000
"""Characters of a red check's log that the engine is shown."""


CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would obey. Sentences are read in terminals too, and may quote what a guest has printed."""


def sentence(text: str) -> str:
    """Plain, and within the limit of a stored sentence."""
    text = CONTROL.sub("", text)
    return text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 1] + "…"


def attached(places: Iterable[str]) -> str:
    """Tells an engine which files came with its prompt."""
    lines = "\n".join(f"- {place}" for place in places)
    return f"These files came with the prompt. They lie in the workspace and are no part of the repository:\n{lines}"


def failed(command: EffectFailed) -> str:
    """What went wrong and what to do about it."""
    return sentence(f"{command.sentence} {command.remedy}".strip())


def not_collected(command: EffectFailed, turn: Turn) -> str:
    """The commits could not be fetched."""
    before = f"{turn.failure} " if turn.failure else ""
    return sentence(f"{before}The commits could not be fetched: {failed(command)} They are kept in the workspace.")


def stopped_without_work(turn: Turn) -> str:
    """A stop where the workspace could not be looked at."""
    if not turn.stopped_by:
        return sentence(turn.failure)
    done = "What had been done is kept in the workspace." if turn.begun else "The work had not begun."
    return sentence(f"Stopped by {turn.stopped_by}. {done}")


def stopped_with_sandbox(turn: Turn) -> str:
    """A stop that needed the sandbox to be stopped."""
    how = "The turn did not end by itself, so its sandbox was stopped."
    return sentence(f"{stopped_without_work(turn)} {how}")


def not_stopped(turn: Turn) -> str:
    """A stop that failed, of the sandbox too."""
    asked = f"{turn.stopped_by} stopped it, but its" if turn.stopped_by else f"{turn.failure} Its"
    return sentence(f"{asked} sandbox could not be stopped: {turn.stop_failed} Something of it may still run.")


def turn_stopped(state: State, turn: Turn) -> str:
    """A stop, and what it kept."""
    return sentence(f"Stopped by {turn.stopped_by}. {_kept(kept(state, turn))}")


def turn_failed(state: State, turn: Turn) -> str:
    """A failure, and what is kept."""
    failure = turn.failure if turn.failure.endswith((".", "!", "?", "…")) else f"{turn.failure}."
    return sentence(f"{failure} {_kept(kept(state, turn))}")


def turn_completed(state: State, turn: Turn) -> str:
    """The result in a sentence or three."""
    if state.head == turn.head_before:
        return "Nothing was changed." if not state.has_commits else "Nothing more was changed."
    parts = [_proof_sentence(state.head_proof, turn)]
    if state.pull_request:
        parts.append(f"Pull request #{state.pull_request.number}: {state.pull_request.url}")
    return sentence(" ".join(parts))


def _proof_sentence(proof: Proof | None, turn: Turn) -> str:
    if proof is None:
        return "The work is not verified."
    if proof.verdict is ProofVerdict.RED and turn.round > 1:
        return f"The checks are still red after {turn.round} rounds. {proof.summary}"
    return proof.summary


def kept(state: State, turn: Turn) -> KeptWork:
    """What is there of a turn that did not end well."""
    work = state.work
    made = [commit.sha for commit in work.commits] if work else []
    before = made.index(turn.head_before) + 1 if turn.head_before in made else 0
    return KeptWork(
        head=state.head,
        commits=len(made) - before if state.head != turn.head_before else 0,
        branch=state.branch if state.pushed == state.head else "",
        uncommitted=work.uncommitted if work else 0,
        files=work.uncommitted_files if work else (),
    )


def _kept(work: KeptWork) -> str:
    parts = []
    if work.commits:
        pushed = f", pushed to {work.branch}" if work.branch else ""
        parts.append(f"{count(work.commits, 'commit')} up to {work.head[:12]}{pushed}")
    if work.uncommitted:
        named = ", ".join(work.files[:FEW]) + (", …" if work.uncommitted > FEW else "")
        parts.append(f"uncommitted changes to {count(work.uncommitted, 'file')}" + (f" ({named})" if named else ""))
    return f"Kept in the workspace: {' and '.join(parts)}." if parts else "Nothing had been changed."


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def red_checks(proof: Proof) -> str:
    """What the engine is told when the checks came back red: what ran, where it failed, the end of each log."""
    text = (
        "Your commits were checked in a clean sandbox, and the checks are red. "
        "Find the cause, mend it, and commit. Do not weaken or skip tests.\n\n"
        f"{red_logs(proof, Phase.AFTER) or proof.summary}"
    )
    return text[:LONGEST_TEXT]


def red_logs(proof: Proof, phase: Phase) -> str:
    """The red checks of a phase, each with the end of its log."""
    return "\n\n".join(_red_check(result) for result in proof.results if result.phase is phase and _is_red(result))


def _is_red(result: CheckResult) -> bool:
    return result.verdict is not CheckVerdict.PASSED


def _red_check(result: CheckResult) -> str:
    counts = f", {result.failed} failed" if result.failed else ""
    tail = result.tail[-INSTRUCTION_TAIL:]
    return (
        f"## {result.name}: {result.verdict.value} (exit code {result.exit_code}{counts})\n$ {result.command}\n{tail}"
    )


def resumed(turn: Turn) -> str:
    """What the engine is told before the prompt of an attempt after the first."""
    return (
        f"Your work on the following was interrupted: {turn.interruption} Every process you had started is dead; the "
        "files are as you left them. Look at the state of the workspace (git status, git log), then go on to the end."
    )


def moved(sync: SyncFinished) -> str:
    """What the engine is told where it may have read files that are older than those it works on."""
    named = "".join(f"\n- {path}" for path in sync.files)
    more = f"\n- … and {sync.files_changed - len(sync.files)} more" if sync.files_changed > len(sync.files) else ""
    changed = f" These files differ from what you may have read:{named}{more}" if named else ""
    return sentence(
        f"While you were reading, the workspace was brought from commit {sync.from_commit[:12]} to "
        f"{sync.commit[:12]}, the newest of the branch.{changed}\nNothing that you wanted to do in between was done. "
        "Read again what you need, then go on."
    )


def leftovers(state: State, turn: Turn) -> str:
    """The message of a commit of what the engine left uncommitted."""
    first_line = turn.prompt.text.strip().splitlines()[0][:60]
    trailers = [f"Outrider-Session: {state.session}", *co_authors(turn.prompt)]
    return f"Finish: {first_line}\n\nChanges that were left uncommitted.\n\n" + "\n".join(trailers) + "\n"


def co_authors(prompt: Prompt) -> list[str]:
    """The trailers of commits that answer a prompt: its author is theirs, and whoever else has worded it."""
    other = prompt.edited_by
    if other is None or person_key(other.email) == person_key(prompt.author.person.email):
        return []
    return [f"Co-authored-by: {other.name} <{other.email}>"]


def name_co_authors(prompt: Prompt) -> list[str]:
    """What the engine is told of them; nothing where there are none."""
    trailers = co_authors(prompt)
    return ["End the message of each commit of this turn with this line:\n" + "\n".join(trailers)] if trailers else []


def pull_request_title(state: State, turn: Turn) -> str:
    """The first commit's subject, else the prompt's first line."""
    subject = state.work.commits[0].subject if state.work and state.work.commits else ""
    first_line = turn.prompt.text.strip().splitlines()[0]
    return (subject.strip() or first_line)[:300]


def pull_request_body(state: State, turn: Turn) -> str:
    """Who asked for what, and the commits that answer it."""
    quoted = "\n".join(f"> {line}" for line in turn.prompt.text.strip().splitlines())
    commits = state.work.commits if state.work else ()
    listed = "\n".join(f"- {commit.sha[:12]} {commit.subject}" for commit in commits[:100])
    return (
        f"{turn.prompt.author.person.name} asked:\n\n{quoted[:20_000]}\n\nCommits:\n\n{listed[: LONGEST_TEXT // 2]}\n\n"
        f"Made by Outrider in session {state.session}."
    )


MACHINE_STOPPED = "The machine stopped without warning, and what the sandbox wrote last may be damaged"


def given_up(kept: Kept | None) -> str:
    """A sandbox that nobody needs at the moment cannot be trusted."""
    on = f"the snapshot taken after turn {kept.number}" if kept else "what was pushed"
    return f"{MACHINE_STOPPED}, so its files were given up. The session goes on from {on}; what came later is lost."


def fresh_engine_home(why: str) -> str:
    """The engine started again without its own memory; `why` is what it said when it did not start."""
    return " ".join(
        part
        for part in (
            why,
            "The engine did not work with its own folder, which something in the sandbox may have spoiled. That was "
            "put aside, and the engine was told from the transcript what has happened in this session.",
        )
        if part
    )


def restored_from(number: int, *, crashed: bool) -> str:
    """The sandbox went away, and not by our doing."""
    why = f"{MACHINE_STOPPED}, so its files were not used." if crashed else "The sandbox with its files is gone."
    return (
        f"{why} They were restored from the snapshot taken after turn {number}; what was "
        "written later and not pushed is lost."
    )


def snapshot_is_gone(number: int, missing: Sequence[str]) -> str:
    """There is no way back to the files; none for now, where all that is missing is what a release makes for itself."""
    what = f"The snapshot taken after turn {number} cannot be restored: {', '.join(missing)}"
    if all(layer.startswith(MADE_AGAIN) for layer in missing):
        return sentence(
            f"{what} is not on this machine, is not stored, and is not what this release of Outrider makes here. "
            "The session goes on from what was pushed. Its files are in the blob store: start a session on this "
            f"repository with the release that it ran on before, then rewind this one to turn {number}."
        )
    return sentence(
        f"{what} is neither on this machine nor in the blob store. Its files and the engine's memory are lost; "
        "commits that were pushed are not."
    )
