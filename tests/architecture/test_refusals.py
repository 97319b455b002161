"""Every refusal of a limit says which limit, its value, and who can change it."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import outrider
from outrider.fleet.floors import Floors, Free
from outrider.model import commands as c
from outrider.model.attachment import MOST_ATTACHMENTS, expect_few, expect_size
from outrider.model.child_commands import Caps
from outrider.model.egress import HOSTS_LIMIT
from outrider.model.errors import LimitReached
from outrider.model.limits import FIXED, QueueRules, raised_by
from outrider.model.membership import MOST_MEMBERS, Member
from outrider.model.person import Author, Person
from outrider.model.prompt import MAX_PROMPT_BYTES, Prompt, check_prompt_text
from outrider.model.sandbox import Limits
from outrider.sandboxes.watchdog import memory_sentence, stopped
from outrider.session.decide.children import MOST_PROMPTS
from outrider.session.decide.outcome import MOST_PROOFS
from outrider.session.family import expect_budget
from outrider.session.policy import Budget
from outrider.session.state import Spending
from outrider.settings import Settings
from outrider.testing.children import CHILD, child_prompt, child_spec, spawn
from outrider.testing.playbook import ADA, BOB, Playbook, play, prompt_id

SOURCE = Path(outrider.__file__).parent
REFUSALS = {"LimitReached", "QuotaReached", "TooManyAttempts"}
FORMS = {"limit_reached": 2, "quota_reached": 2, "raised_by": 0}
"""What forms a refusal, and which argument of it is the setting."""

ELSEWHERE = {"storage/session_log.py": "a full disk is the machine's limit and not ours"}

LIMITING = tuple(f"OUTRIDER_{word}" for word in ("LIMIT_", "CHILD", "TREE_", "BUDGET_", "MAX_", "TOTAL_", "FREE_"))
"""How the names of settings begin that limit what people and sessions may do."""


Calls = list[tuple[str, str, ast.Call]]


@pytest.fixture(scope="module")
def calls() -> Calls:
    """Every call of production code, with its file and the name that is called."""
    return [
        (path.relative_to(SOURCE).as_posix(), node.func.id, node)
        for path in sorted(SOURCE.rglob("*.py"))
        if path.relative_to(SOURCE).parts[0] != "testing"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def test_limits_are_refused_in_one_form(calls: Calls) -> None:
    made = {file for file, called, _ in calls if called in REFUSALS}
    assert made - set(ELSEWHERE) == {"model/limits.py"}, "form it by limit_reached or quota_reached of model.limits"


def test_the_settings_that_refusals_name_exist(calls: Calls) -> None:
    for file, called, call in calls:
        if called in FORMS and len(call.args) > FORMS[called]:
            setting = call.args[FORMS[called]]
            if isinstance(setting, ast.Constant):
                assert setting.value in Settings.environment_names(), f"{file}:{call.lineno}"


def test_every_setting_that_limits_is_named_where_it_refuses() -> None:
    listed = {SOURCE / "settings.py", SOURCE / "app" / "limits.py"}
    sources = {path: path.read_text() for path in SOURCE.rglob("*.py") if path not in listed}
    for setting in Settings.environment_names():
        if setting.startswith(LIMITING):
            assert any(f'"{setting}"' in text for text in sources.values()), f"no refusal names {setting}"


def with_hosts() -> Playbook:
    session = play("look")
    for number in range(HOSTS_LIMIT):
        session.ask(c.AllowHost(f"h{number}.example.org", ADA))
    return session


def with_members() -> Playbook:
    session = play("look")
    crowd = {f"p{n}@example.org": Person(name="P", email=f"p{n}@example.org") for n in range(MOST_MEMBERS)}
    members = {email: Member(person=person, role="owner") for email, person in crowd.items()}
    session.state = replace(session.state, members={ADA.email: Member(person=ADA, role="owner"), **members})
    return session


def send(session: Playbook, **rules: Any) -> Callable[[], object]:
    prompt = Prompt(id=prompt_id(9), author=Author(person=ADA), text="more")
    return lambda: session.ask(c.QueuePrompt(prompt, QueueRules(**rules)))


def spawning(**caps: int) -> Callable[[], object]:
    session = play("share")
    return lambda: session.ask(c.SpawnChild(child_spec(), ADA, None, 0, Caps(**caps)))


def prompts_to_a_child() -> None:
    session = play("share")
    spawn(session)
    for number in range(MOST_PROMPTS):
        prompt = child_prompt(1).model_copy(update={"key": f"k{number}"})
        session.ask(c.PromptChild(CHILD, prompt, None))


def proofs() -> None:
    session = play("check")
    assert session.state.turn is not None
    session.state = replace(session.state, turn=replace(session.state.turn, proofs_asked=MOST_PROOFS))
    session.ask(c.AskProof(session.state.head))


def short_of(**free: int) -> Callable[[], object]:
    left = Free(**{"disk_bytes": 9 << 30, "memory_bytes": 9 << 30, **free})
    return lambda: Floors(lambda: left, 3 << 20, 5 << 20).expect("a session")


USED = Spending(input_tokens=500, cost_usd=2.5)

TABLE: dict[str, tuple[Callable[[], object], str, str]] = {
    "prompt bytes": (lambda: check_prompt_text("x" * 9, 8), "8 is the most", "OUTRIDER_LIMIT_PROMPT_BYTES"),
    "stored prompt": (lambda: check_prompt_text("x" * (MAX_PROMPT_BYTES + 1)), f"{MAX_PROMPT_BYTES:,}", FIXED),
    "attachments": (lambda: expect_few(4, 3), "may have 3", "OUTRIDER_LIMIT_ATTACHMENTS"),
    "most attachments": (lambda: expect_few(99, MOST_ATTACHMENTS), f"may have {MOST_ATTACHMENTS}", FIXED),
    "attachment bytes": (lambda: expect_size("a", 9, 8), "8 bytes", "OUTRIDER_LIMIT_ATTACHMENT_BYTES"),
    "queue": (send(play("a", "b"), queue=1), "1 is the most", "OUTRIDER_LIMIT_QUEUE"),
    "person's queue": (send(play("a", "b"), person_queue=1), "1 is the most", "OUTRIDER_LIMIT_PERSON_QUEUE"),
    "transcript": (send(play("a"), transcript_events=1), "1 are the most", "OUTRIDER_LIMIT_TRANSCRIPT_EVENTS"),
    "hosts": (lambda: with_hosts().ask(c.AllowHost("more.example.org", ADA)), f"{HOSTS_LIMIT} hosts", FIXED),
    "members": (lambda: with_members().ask(c.SetRole(BOB, "viewer", ADA)), f"{MOST_MEMBERS} people", FIXED),
    "depth": (spawning(depth=0), "0 deep", "OUTRIDER_CHILD_DEPTH"),
    "children": (spawning(children=0), "0 sessions", "OUTRIDER_CHILDREN"),
    "tree": (spawning(tree=0), "0 sessions", "OUTRIDER_TREE_SESSIONS"),
    "prompts to a child": (prompts_to_a_child, f"{MOST_PROMPTS} prompts", FIXED),
    "proofs": (proofs, f"{MOST_PROOFS} times", FIXED),
    "dollars": (lambda: expect_budget(USED, Budget(usd=2.5)), "$2.50", "OUTRIDER_BUDGET_USD"),
    "tokens": (lambda: expect_budget(USED, Budget(tokens=500)), "500 tokens", "OUTRIDER_BUDGET_TOKENS"),
    "free disk": (short_of(disk_bytes=1 << 20), "below 3 MB", "OUTRIDER_FREE_DISK_BYTES"),
    "free memory": (short_of(memory_bytes=1 << 20), "below 5 MB", "OUTRIDER_FREE_MEMORY_BYTES"),
}


@pytest.mark.parametrize("limit", TABLE)
def test_a_refusal_says_which_limit_its_value_and_who_can_change_it(limit: str) -> None:
    reach, value, setting = TABLE[limit]
    with pytest.raises(LimitReached) as refused:
        reach()
    assert value in refused.value.sentence
    how = "lower" if "FREE" in setting else "raise"
    assert refused.value.remedy.endswith(raised_by(setting, how))


@pytest.mark.parametrize(
    ("told", "setting"),
    [
        (memory_sentence(Limits()), "OUTRIDER_SANDBOX_MEMORY_BYTES"),
        (stopped("it has run for its limit of 6 hours.", "SECONDS"), "OUTRIDER_SANDBOX_SECONDS"),
        (stopped("it wrote 2 MB of disk and may write 1 MB.", "DISK_BYTES"), "OUTRIDER_SANDBOX_DISK_BYTES"),
    ],
)
def test_what_ends_a_sandbox_says_so_too(told: str, setting: str) -> None:
    assert raised_by(setting) in told
    assert setting in Settings.environment_names()
    assert "outrider.toml" in told
