"""A session's whole story as Markdown, whichever engine worked in it: for an archive, a review, another tool."""

from collections.abc import AsyncIterator, Awaitable, Callable

from outrider.model import events as e
from outrider.model.engine import Speaker, ToolCallUpdate, ToolStatus
from outrider.model.events import RECORDED, Recorded
from outrider.model.feed import PAGE_EVENTS
from outrider.model.ids import PromptId, ToolCallId
from outrider.model.person import VIA_GUEST
from outrider.model.prompt import Prompt
from outrider.model.proof import CheckResult
from outrider.session.export_children import kin
from outrider.session.export_people import deed

ReadPage = Callable[[int, int], Awaitable[list[bytes]]]
"""After, limit: stored events of one session, encoded."""


class Markdown:
    """Tells events in order. Holds only what a later event refers to."""

    _prompts: dict[PromptId, Prompt]
    _titles: dict[ToolCallId, str]
    _ended: set[ToolCallId]

    def __init__(self) -> None:
        self._prompts = {}
        self._titles = {}
        self._ended = set()
        self._session = ""
        self._in_prose = False

    def tell(self, recorded: Recorded) -> str:
        """What one event adds; nothing for most."""
        text = self._conversation(recorded) or _outcome(recorded.event)
        after_prose, self._in_prose = self._in_prose, self._in_prose and not text
        if isinstance(recorded.event, e.TextSealed):
            self._in_prose = after_prose or bool(text)
            return text
        return f"\n\n{text}" if after_prose and text else text

    def _conversation(self, recorded: Recorded) -> str:
        match recorded.event:
            case e.SessionCreated() as created:
                self._session = created.session
                return _heading(created, recorded)
            case e.PromptQueued(prompt=prompt):
                self._prompts[prompt.id] = prompt
            case e.PromptEdited(prompt=prompt_id, text=text, by=by, attachments=files) if prompt_id in self._prompts:
                edited = {"text": text, "attachments": files, "edited_by": by}
                self._prompts[prompt_id] = self._prompts[prompt_id].model_copy(update=edited)
            case e.TurnStarted(prompt=prompt_id) if prompt_id in self._prompts:
                return _asked(self._prompts.pop(prompt_id), recorded, self._session)
            case e.TextSealed(speaker=Speaker.AGENT, text=text):
                return text
            case e.ToolCallChanged(update=update):
                return self._tool(update)
        return ""

    def _tool(self, update: ToolCallUpdate) -> str:
        """One line when it has ended."""
        call = update.tool_call
        title = self._titles.setdefault(call, "a tool") if update.title is None else update.title
        self._titles[call] = title
        if update.status not in (ToolStatus.COMPLETED, ToolStatus.FAILED) or call in self._ended:
            return ""
        self._ended.add(call)
        return f"- `{_one_line(title)}`{' (failed)' if update.status is ToolStatus.FAILED else ''}\n"


async def markdown(read: ReadPage) -> AsyncIterator[str]:
    """The story in pieces, a page of events at a time: never all of it in memory."""
    story, after = Markdown(), 0
    while page := await read(after, PAGE_EVENTS):
        records = [RECORDED.validate_json(body) for body in page]
        after = records[-1].seq
        yield "".join(map(story.tell, records))


async def json_lines(read: ReadPage) -> AsyncIterator[bytes]:
    """Every event as it is stored, one a line."""
    after = 0
    while page := await read(after, PAGE_EVENTS):
        after += len(page)
        yield b"\n".join(page) + b"\n"


def _outcome(event: e.Event) -> str:
    match event:
        case e.WorkCollected(commits=commits):
            lines = (f"- commit {commit.sha[:12]} by {commit.author.name}: {commit.subject}\n" for commit in commits)
            return "".join(lines)
        case e.ProofFinished(proof=proof):
            return f"\n### Evidence\n\n{proof.summary}\n\n{_table(proof.results)}\n"
        case e.PullRequestOpened(pull_request=opened):
            return f"\nPull request #{opened.number}: {opened.title} <{opened.url}>\n"
        case e.TurnInterrupted(reason=reason):
            return f"\n*Interrupted: {reason}*\n\n"
        case e.ProblemReported(sentence=sentence, remedy=remedy):
            return f"\n*{' '.join(filter(None, (sentence, remedy)))}*\n\n"
        case e.TurnEnded(message=message):
            return f"\n{message}\n\n"
    told = deed(event) or kin(event)
    return f"\n*{told}*\n\n" if told else ""


def _asked(prompt: Prompt, recorded: Recorded, session: str) -> str:
    who = prompt.author.person.name
    if prompt.edited_by and prompt.edited_by != prompt.author.person:
        who += f" (edited by {prompt.edited_by.name})"
    if prompt.author.via == VIA_GUEST:
        who += " (a guest)"
    return f"## {who}, {recorded.at:%Y-%m-%d %H:%M} UTC\n\n{_quoted(prompt.text)}\n\n{_files(prompt, session)}"


def _files(prompt: Prompt, session: str) -> str:
    """Names and addresses on the server that has them."""
    lines = (
        f"- [{f.name}](/api/sessions/{session}/attachments/{f.id}), {f.size:,} bytes\n" for f in prompt.attachments
    )
    return "".join(lines) + ("\n" if prompt.attachments else "")


def _heading(created: e.SessionCreated, recorded: Recorded) -> str:
    return (
        f"# {created.title}\n\n"
        f"- Session: {created.session}, begun by {created.created_by.person.name} on {recorded.at:%Y-%m-%d %H:%M} UTC\n"
        f"- Repository: {created.repository.name}, {created.base_branch} at {created.base_commit[:12]}\n"
        f"- Model: {created.model}\n\n"
    )


def _table(results: tuple[CheckResult, ...]) -> str:
    if not results:
        return ""
    rows = [
        f"| {result.name} | {result.phase} | {result.commit[:12]} | `{_one_line(result.command)}` "
        f"| {result.exit_code} | {result.verdict} |"
        for result in results
    ]
    head = "| check | run | commit | command | exit code | verdict |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _one_line(text: str) -> str:
    return " ".join(text.replace("`", "'").replace("|", "\\|").split())[:200]
