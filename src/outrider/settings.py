"""Settings: read once from the environment, frozen, handed on as plain values. Nothing else reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator

from outrider.model.attachment import MOST_ATTACHMENTS
from outrider.model.base import Model
from outrider.model.engine import ModelRef
from outrider.model.errors import BadRequest
from outrider.model.limits import MAX_PROMPT_BYTES, HouseLimits, PromptLimits, QueueRules, RateLimits, WorkLimits
from outrider.model.sandbox import Limits, Totals

DEFAULT_PORT = 4100
"""First port tried; where another home has it, the next free one is taken."""

_NAMES = {
    "OUTRIDER_HOME": "home",
    "OUTRIDER_CONFIG": "config",
    "OUTRIDER_SERVER": "server",
    "OUTRIDER_PORT": "port",
    "OUTRIDER_MODEL": "model",
    "OUTRIDER_SANDBOX": "sandbox",
    "OUTRIDER_SANDBOX_MEMORY_BYTES": "sandbox_memory_bytes",
    "OUTRIDER_SANDBOX_CPUS": "sandbox_cpus",
    "OUTRIDER_SANDBOX_PROCESSES": "sandbox_processes",
    "OUTRIDER_SANDBOX_DISK_BYTES": "sandbox_disk_bytes",
    "OUTRIDER_SANDBOX_SECONDS": "sandbox_seconds",
    "OUTRIDER_MAX_SANDBOXES": "max_sandboxes",
    "OUTRIDER_TOTAL_CPUS": "total_cpus",
    "OUTRIDER_TOTAL_MEMORY_BYTES": "total_memory_bytes",
    "OUTRIDER_TOTAL_DISK_BYTES": "total_disk_bytes",
    "OUTRIDER_FREE_DISK_BYTES": "free_disk_bytes",
    "OUTRIDER_FREE_MEMORY_BYTES": "free_memory_bytes",
    "OUTRIDER_IDLE_SECONDS": "idle_seconds",
    "OUTRIDER_DEFAULT_ROLE": "default_role",
    "OUTRIDER_POOL_SANDBOXES": "pool_sandboxes",
    "OUTRIDER_POOL_TARGET": "pool_target",
    "OUTRIDER_CHILD_DEPTH": "child_depth",
    "OUTRIDER_CHILDREN": "children",
    "OUTRIDER_TREE_SESSIONS": "tree_sessions",
    "OUTRIDER_BUDGET_USD": "budget_usd",
    "OUTRIDER_BUDGET_TOKENS": "budget_tokens",
    "OUTRIDER_BLOBS": "blobs",
    "OUTRIDER_SNAPSHOTS_KEPT": "snapshots_kept",
    "OUTRIDER_OWNERS_FIRST": "owners_first",
    "OUTRIDER_LIMIT_SESSIONS_AT_WORK": "limit_sessions_at_work",
    "OUTRIDER_LIMIT_PERSON_SESSIONS_AT_WORK": "limit_person_sessions_at_work",
    "OUTRIDER_LIMIT_SESSIONS_PER_HOUR": "limit_sessions_per_hour",
    "OUTRIDER_LIMIT_PERSON_SESSIONS_PER_HOUR": "limit_person_sessions_per_hour",
    "OUTRIDER_LIMIT_PERSON_UPLOADS_PER_HOUR": "limit_person_uploads_per_hour",
    "OUTRIDER_LIMIT_QUEUE": "limit_queue",
    "OUTRIDER_LIMIT_PERSON_QUEUE": "limit_person_queue",
    "OUTRIDER_LIMIT_TRANSCRIPT_EVENTS": "limit_transcript_events",
    "OUTRIDER_LIMIT_PROMPT_BYTES": "limit_prompt_bytes",
    "OUTRIDER_LIMIT_ATTACHMENTS": "limit_attachments",
    "OUTRIDER_LIMIT_ATTACHMENT_BYTES": "limit_attachment_bytes",
    "OUTRIDER_ALLOWED_HOSTS": "allowed_hosts",
    "OUTRIDER_ALLOWED_NETWORKS": "allowed_networks",
    "OUTRIDER_IMAGE_BUILDS": "image_builds",
    "OUTRIDER_IMAGE_SECONDS": "image_seconds",
    "OUTRIDER_IMAGE_DAYS": "image_days",
    "OUTRIDER_BASE_DAYS": "base_days",
    "OUTRIDER_IMAGES_KEPT": "images_kept",
    "OUTRIDER_SETUP_DAYS": "setup_days",
    "OUTRIDER_WEBHOOK_SECRET": "webhook_secret",
    "OUTRIDER_OCI_FOLDER": "oci_folder",
    "OUTRIDER_REHEARSAL_SCRIPTS": "rehearsal_scripts",
    "OUTRIDER_REHEARSAL_TOKENS_PER_SECOND": "rehearsal_tokens_per_second",
    "DOCKER_HOST": "docker_host",
    "ANTHROPIC_API_KEY": "anthropic_api_key",
    "ANTHROPIC_BASE_URL": "anthropic_base_url",
    "OPENAI_API_KEY": "openai_api_key",
    "OPENAI_BASE_URL": "openai_base_url",
}

DEFAULT_MODELS = {"anthropic": "claude-sonnet-4-5", "openai": "gpt-5.1"}
"""The model that is used when a vendor's key or address is set and no model is named."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor of models that can be used here. `key` is None for an endpoint that needs none."""

    provider: str
    url: str
    key: SecretStr | None
    variables: tuple[str, ...]
    """The environment variables that say so."""


class Settings(Model):
    """The values of one deployment."""

    home: Path = Field(description="Where everything is kept: sessions, forge, layers, keys")
    config: Path = Field(
        default=Path("~/.config/outrider"), description="What the terminal keeps of servers elsewhere: logins"
    )
    server: str | None = Field(default=None, description="The server that the terminal goes to; `here`: the home's own")
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65_535, description="First port to try on the loopback; 0: any")
    model: str | None = Field(default=None, description="PROVIDER/NAME used where a session names none")
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = "https://api.anthropic.com"
    openai_api_key: SecretStr | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    sandbox: Literal["auto", "namespaces", "docker", "microsandbox"] = Field(
        default="auto", description="What makes the sandboxes; `auto`: the strongest that works here"
    )
    docker_host: str = Field(
        default="unix:///var/run/docker.sock", description="The Docker daemon's Unix socket; no other kind is used"
    )
    sandbox_memory_bytes: int = Field(default=4 << 30, ge=256 << 20, description="Memory of one sandbox, in bytes")
    sandbox_cpus: float = Field(default=2, gt=0, le=1024, description="CPUs of one sandbox")
    sandbox_processes: int = Field(default=1024, ge=64, le=1 << 20, description="Processes and threads of one sandbox")
    sandbox_disk_bytes: int = Field(default=10 << 30, ge=64 << 20, description="What one sandbox may write, in bytes")
    sandbox_seconds: float = Field(default=6 * 3600, ge=60, description="How long one sandbox may run at a stretch")
    total_cpus: float | None = Field(default=None, gt=0, description="CPUs of all sandboxes of sessions together")
    total_memory_bytes: int | None = Field(default=None, ge=256 << 20, description="The same for memory, in bytes")
    total_disk_bytes: int | None = Field(default=None, ge=64 << 20, description="The same for disk, in bytes")
    free_disk_bytes: int = Field(
        default=1 << 30, ge=0, description="Below so much free disk no sandbox is started and no image built"
    )
    free_memory_bytes: int = Field(default=256 << 20, ge=0, description="The same for memory")
    max_sandboxes: int = Field(
        default=16, ge=1, le=1000, description="Sandboxes of sessions at once, and as many for checks"
    )
    default_role: Literal["none", "viewer", "prompter"] = Field(
        default="prompter", description="What a person who is logged in may in a session that they are no member of"
    )
    pool_sandboxes: int = Field(
        default=4, ge=0, le=100, description="Warm sandboxes at once, within the sandboxes of sessions; 0: none"
    )
    pool_target: int | None = Field(
        default=None, ge=0, le=100, description="Warm sandboxes of each repository in use; without it, by demand"
    )
    idle_seconds: float = Field(default=600, gt=0, description="After this long without a turn a sandbox goes to sleep")
    child_depth: int = Field(default=2, ge=0, le=10, description="How deep sessions may start sessions; 0: not at all")
    children: int = Field(default=8, ge=0, le=1000, description="Sessions that one session may start")
    tree_sessions: int = Field(default=20, ge=0, le=1000, description="Sessions below the first one, in the whole tree")
    budget_usd: float | None = Field(
        default=None, gt=0, description="What a session and all below it may cost together, in dollars"
    )
    budget_tokens: int | None = Field(default=None, gt=0, description="The same in tokens")
    blobs: str | None = Field(default=None, description="Where snapshots are stored: a folder, or s3://BUCKET/PREFIX")
    snapshots_kept: int = Field(default=20, ge=1, le=1000, description="Turns that a session can be rewound to")
    owners_first: bool = Field(default=False, description="Whether an owner's prompts go before those of others")
    limit_sessions_at_work: int | None = Field(default=None, ge=1, description="Sessions at work at once; more wait")
    limit_person_sessions_at_work: int | None = Field(default=None, ge=1, description="The same, of one person")
    limit_sessions_per_hour: int | None = Field(default=None, ge=1, description="Sessions started within an hour")
    limit_person_sessions_per_hour: int | None = Field(default=None, ge=1, description="The same, by one person")
    limit_person_uploads_per_hour: int = Field(default=200, ge=1, description="Files one person uploads in an hour")
    limit_queue: int = Field(default=100, ge=1, le=10_000, description="Prompts that wait in one session")
    limit_person_queue: int | None = Field(default=None, ge=1, description="Prompts of one person that wait in one")
    limit_transcript_events: int = Field(
        default=50_000, ge=100, description="Events of one session; with more it takes no more prompts"
    )
    limit_prompt_bytes: int = Field(
        default=MAX_PROMPT_BYTES, ge=1, le=MAX_PROMPT_BYTES, description="Longest prompt, in UTF-8 bytes"
    )
    limit_attachments: int = Field(default=10, ge=0, le=MOST_ATTACHMENTS, description="Files that come with one prompt")
    limit_attachment_bytes: int = Field(
        default=20 << 20, ge=1, le=1 << 30, description="Size of one such file, in bytes"
    )
    allowed_hosts: str = Field(default="", description="More hosts that every sandbox may reach, separated by commas")
    allowed_networks: str = Field(
        default="", description="Private networks that allowed hosts may be in, separated by commas: 10.0.0.0/8"
    )
    image_builds: int = Field(default=1, ge=0, le=100, description="Images of repositories built at once; 0: none")
    image_seconds: float = Field(default=1800, ge=10, description="How often is looked whether an image is out of date")
    image_days: float = Field(default=14, gt=0, description="After its last session a branch is looked at for so long")
    base_days: float = Field(default=7, ge=0, description="How old a base may get before it is built anew; 0: any age")
    images_kept: int = Field(default=3, ge=1, le=1000, description="Images kept of each branch")
    setup_days: float = Field(default=7, ge=0, description="How long a layer that nothing needs is kept unused")
    webhook_secret: SecretStr | None = Field(
        default=None, min_length=16, description="What code hosts sign their webhooks with; without it none are taken"
    )
    oci_folder: Path | None = Field(
        default=None, description="A folder of OCI layouts and archives that recipes name as `local/NAME:TAG`"
    )
    rehearsal_scripts: Path | None = Field(default=None, description="A folder of scripts for the rehearsal model")
    rehearsal_tokens_per_second: float = Field(default=240, ge=0, description="Pace of the rehearsal model; 0: none")
    environment: Mapping[str, str] = Field(default={}, repr=False, description="For the package clients' own settings")

    @field_validator("model")
    @classmethod
    def _model_is_a_reference(cls, value: str | None) -> str | None:
        return None if value is None else str(ModelRef.parse(value))

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """From the environment. Raises BadRequest that names the variable."""
        environment = os.environ if environment is None else environment
        given = {field: environment[name] for name, field in _NAMES.items() if environment.get(name)}
        given.setdefault("home", str(_default_home(environment)))
        given.setdefault("config", str(_default_config(environment)))
        try:
            settings = cls.model_validate({**given, "environment": dict(environment)}, strict=False)
        except ValidationError as error:
            raise _explain(error) from None
        folders = {name: getattr(settings, name).expanduser().absolute() for name in ("home", "config")}
        return settings.model_copy(update=folders)

    @staticmethod
    def environment_names() -> tuple[str, ...]:
        """Every variable that is read."""
        return tuple(_NAMES)

    @property
    def docker_socket(self) -> Path:
        """The path in `docker_host`."""
        return Path(self.docker_host.removeprefix("unix://"))

    @property
    def default_model(self) -> ModelRef:
        """The model of a session that names none: the one that is set, else that of the first vendor with a key, else
        of the first with an address of its own, else rehearsal."""
        if self.model:
            return ModelRef.parse(self.model)
        for vendor in sorted(self.vendors, key=lambda vendor: vendor.key is None):
            return ModelRef(provider=vendor.provider, name=DEFAULT_MODELS[vendor.provider])
        return ModelRef(provider="rehearsal", name="demo")

    @property
    def chosen_model(self) -> str | None:
        """The default model where the environment says which; None where nothing does."""
        return str(self.default_model) if self.model or self.vendors else None

    @property
    def vendors(self) -> tuple[Vendor, ...]:
        """Whose models can be used: a key is set, or the address was changed, as for a server of one's own that needs
        no key."""
        known = (
            ("anthropic", self.anthropic_api_key, self.anthropic_base_url),
            ("openai", self.openai_api_key, self.openai_base_url),
        )
        found = []
        for provider, key, url in known:
            keyed, moved = key is not None, url != type(self).model_fields[f"{provider}_base_url"].default
            variables = (*(("API_KEY",) if keyed else ()), *(("BASE_URL",) if moved else ()))
            if variables:
                found.append(Vendor(provider, url, key, tuple(f"{provider.upper()}_{name}" for name in variables)))
        return tuple(found)

    @property
    def limits(self) -> Limits:
        """What one sandbox may use."""
        return Limits(
            cpus=self.sandbox_cpus,
            memory_bytes=self.sandbox_memory_bytes,
            processes=self.sandbox_processes,
            disk_bytes=self.sandbox_disk_bytes,
            wall_seconds=self.sandbox_seconds,
        )

    @property
    def totals(self) -> Totals:
        """What all sandboxes may use together."""
        return Totals(cpus=self.total_cpus, memory_bytes=self.total_memory_bytes, disk_bytes=self.total_disk_bytes)

    @property
    def house_limits(self) -> HouseLimits:
        """What people may do."""
        prompt = PromptLimits(self.limit_prompt_bytes, self.limit_attachments, self.limit_attachment_bytes)
        return HouseLimits(
            queue=QueueRules(
                self.limit_queue, self.limit_person_queue, self.limit_transcript_events, self.owners_first, prompt
            ),
            rates=RateLimits(
                self.limit_sessions_per_hour, self.limit_person_sessions_per_hour, self.limit_person_uploads_per_hour
            ),
            work=WorkLimits(self.limit_sessions_at_work, self.limit_person_sessions_at_work),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that may never be stored or shown."""
        keys = (self.anthropic_api_key, self.openai_api_key, self.webhook_secret)
        given = [key.get_secret_value() for key in keys if key is not None]
        aws = [self.environment.get(name, "") for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")]
        return tuple(filter(None, (*given, *aws)))


def _default_home(environment: Mapping[str, str]) -> Path:
    data = environment.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "outrider"


def _default_config(environment: Mapping[str, str]) -> Path:
    config = environment.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path("~/.config")) / "outrider"


def _explain(error: ValidationError) -> BadRequest:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    name = next((name for name, known in _NAMES.items() if known == field), field)
    return BadRequest(f"{name} is not valid: {first['msg']}.", "Correct it in the environment and start again.")
