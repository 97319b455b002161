"""What requests carry and answers hold, beside the types of the model."""

from datetime import datetime
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, computed_field

from outrider.model.attachment import AttachmentRef
from outrider.model.base import Model
from outrider.model.ids import PromptId, SessionId, TurnId
from outrider.model.limits import LimitUse
from outrider.model.membership import Role
from outrider.model.person import Person
from outrider.model.prompt import Prompt
from outrider.model.repository import BranchName, Commit, PullRequest, Repository
from outrider.model.services import PreviewSpec, ServiceChanged
from outrider.ports.search import PassageKind

RawPrompt = Annotated[str, Field(max_length=8 << 20, description="Checked by `check_prompt_text`")]
Files = Annotated[tuple[AttachmentRef, ...], Field(max_length=100, description="What was uploaded before")]
ModelName = Annotated[str, Field(max_length=240, description="PROVIDER/NAME")]


class Demo(Model):
    """A first job that always works: the rehearsal's prompt and the repository that it plays in."""

    repository: str
    prompt: str


class Me(Model):
    """Who is logged in, and what this deployment can do."""

    person: Person
    version: str
    rehearsal: bool = Field(description="Whether sessions that name no model run on the rehearsal model")
    default_model: str
    models: tuple[str, ...]
    provider: str | None = Field(default=None, description="What makes the sandboxes; null where none works")
    isolation: str | None
    limit_tier: str | None
    most_attachments: int = Field(default=10, description="Files that come with one prompt")
    attachment_bytes: int = Field(default=20 << 20, description="Size of one of them")
    demo: Demo | None = None
    guest: bool = Field(default=False, description="Whether you were invited to single sessions and nothing else")


class NewSession(Model):
    """Start a session."""

    repository: str = Field(min_length=1, max_length=4096, description="Path, URL, or the name of a known repository")
    branch: str | None = Field(default=None, max_length=200)
    model: ModelName | None = None
    prompt: RawPrompt
    title: str | None = Field(default=None, min_length=1, max_length=200)
    attachments: Files = ()
    key: str | None = Field(default=None, max_length=100, description="The same key again is the same session")
    author: Person | None = Field(default=None, description="Only with the owner's token")


class Typing(Model):
    """Somebody is about to start a session."""

    repository: str = Field(min_length=1, max_length=4096, description="Name or source of a known repository")
    branch: BranchName | None = Field(default=None, description="The default one without it")
    model: ModelName | None = None
    author: Person | None = Field(default=None, description="Only with the owner's token")


class Held(Model):
    """What is held for the person."""

    held: bool = Field(description="False where nothing can be held: the session starts without")
    ready: bool = Field(description="False while it still starts")
    seconds: float = Field(ge=0, description="After this it is anybody's again, unless typing is told once more")


class SessionStarted(Model):
    """The session that was started."""

    session: SessionId


DAMAGED_LOG = "Its log cannot be read. It was put aside; `outrider doctor` says where, and what to do."


class SessionSummary(BaseModel):
    """A row of the list of sessions."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    id: SessionId
    title: str
    repository: str
    branch: str
    author: str
    model: str
    status: str
    pull_request: int | None
    pull_request_state: str | None
    verdict: str | None
    cost_usd: float
    created_at: datetime
    updated_at: datetime
    pinned: bool = Field(default=False, description="At the top of the list, for everybody")
    parent: SessionId | None = Field(default=None, description="The session that started it")
    seq: int = Field(
        default=0,
        validation_alias=AliasChoices("seq", "projected_seq"),
        description="The newest event in here: of two rows of a session the one with the larger number is newer",
    )

    @computed_field(description="What is wrong with the session as a whole; empty for most")  # type: ignore[prop-decorator]
    @property
    def problem(self) -> str:
        """A sentence for the list."""
        return DAMAGED_LOG if self.status == "damaged" else ""


class SessionList(Model):
    """Sessions: pinned ones first, then the newest change first."""

    sessions: tuple[SessionSummary, ...]


class SnippetText(Model):
    """Some text round a find; `hit` where it is one of the words looked for."""

    text: str
    hit: bool


class SearchHit(Model):
    """A passage of a session that was found."""

    session: SessionId
    title: str
    status: str
    repository: str
    kind: PassageKind
    seq: int = Field(description="The event that holds it, or its beginning")
    at: datetime
    snippet: tuple[SnippetText, ...]


class SearchHits(Model):
    """What was found, best first."""

    hits: tuple[SearchHit, ...]


class TurnView(Model):
    """The running turn."""

    id: str
    prompt: PromptId
    phase: str


class SnapshotView(Model):
    """A turn that the session can be rewound to or forked from."""

    turn: TurnId
    number: int
    commit: str
    stored: bool = Field(description="Whether it was brought to the blob store, or tried in vain")


class SessionView(SessionSummary):
    """One session as it is now."""

    queue: tuple[Prompt, ...]
    turn: TurnView | None
    commits: tuple[Commit, ...]
    branch_name: str
    services: tuple[ServiceChanged, ...] = Field(description="The services of the sandbox, as it last was with each")
    previews: tuple[PreviewSpec, ...] = Field(description="Ports of the sandbox that are worth looking at")
    snapshots: tuple[SnapshotView, ...] = Field(description="The turns that can be rewound to or forked from")


class TurnToRewind(Model):
    """Which turn to go back to the end of."""

    turn: str = Field(min_length=1, max_length=60, description="Its id, or its number from 1")


class TurnToFork(Model):
    """Where a new session begins."""

    turn: str | None = Field(default=None, min_length=1, max_length=60, description="As for rewind; None: the newest")
    author: Person | None = Field(default=None, description="Only with the owner's token")


class NewTitle(Model):
    """What a session is to be called."""

    title: str = Field(min_length=1, max_length=1000)


class ToStop(Model):
    """What is to stop."""

    children: bool = Field(default=False, description="The sessions that it started too, and theirs")


class ToArchive(Model):
    """How a session is put away."""

    stop: bool = Field(default=False, description="Stop its turn first, and take back what waits")
    children: bool = Field(default=False, description="The sessions that it started too, and theirs")


class NewPrompt(Model):
    """Queue a prompt."""

    text: RawPrompt
    attachments: Files = ()
    key: str | None = Field(default=None, max_length=100)
    author: Person | None = Field(default=None, description="Only with the owner's token")


class NewText(Model):
    """Give a queued prompt another text."""

    text: RawPrompt
    attachments: Files | None = Field(default=None, description="Without it they stay as they are")
    revision: int = Field(ge=1, description="Of the text that the person has seen, as the queue says it")
    author: Person | None = Field(default=None, description="Who edits. Only with the owner's token")


class LimitList(Model):
    """What the deployment lets people do."""

    limits: tuple[LimitUse, ...]


class PromptAccepted(Model):
    """The prompt is in the queue. The same key again is answered as before."""

    prompt: PromptId
    seq: int


class NewPlace(Model):
    """Where in the queue; 0 is next."""

    position: int = Field(ge=0, le=10_000)


class Accepted(Model):
    """It was done; `seq` is the number of its first event, 0 for none."""

    seq: int


class RepositoryList(Model):
    """Repositories by name."""

    repositories: tuple[Repository, ...]


class PullRequestList(Model):
    """Pull requests, newest first."""

    pull_requests: tuple[PullRequest, ...]


class PullRequestAnswer(Model):
    """The pull request as it is now."""

    pull_request: PullRequest


class LoginLink(Model):
    """A link that logs a browser in, once, within ten minutes."""

    url: str


class NewLoginLink(Model):
    """Whom the link is for; the owner where nobody is named."""

    person: Person | None = None
    role: Role | None = Field(default=None, description="In sessions of which they are no member; owner: everywhere")
