"""Services: databases and daemons that run beside the work in a sandbox, and ports that people may look at."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from outrider.model.base import Model
from outrider.model.sandbox import BROKER_PORT, EGRESS_PORT

ShellCommand = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]


def _not_the_brokers(port: int) -> int:
    if port in (BROKER_PORT, EGRESS_PORT):
        raise ValueError(f"port {port} in the sandbox is taken by Outrider itself")
    return port


Port = Annotated[int, Field(ge=1, le=65535), AfterValidator(_not_the_brokers)]
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

SERVICE_ROLE = "service"
"""OUTRIDER_ROLE of a service and all that it starts: a stopped turn leaves it running."""

SERVICE_SECONDS = 60.0


class ServiceSpec(Model):
    """One service, and how it is known that it is ready."""

    name: ServiceName = Field(description="Lower case letters, digits and dashes; unique")
    command: ShellCommand = Field(
        description="Run by `sh -c` in the checkout, as the guest's user. It stays in the foreground: when it ends, "
        "the service has ended"
    )
    ready: ShellCommand | None = Field(
        default=None,
        description="Asked by `sh -c` again and again; exit code 0 means that the service is ready. Without it the "
        "service is ready when its port answers, and without a port as soon as it runs",
    )
    port: Port | None = Field(default=None, description="The loopback port on which it answers")
    timeout_seconds: float = Field(
        default=SERVICE_SECONDS, gt=0, le=900, description="If it is not ready after this, it has failed"
    )


class PreviewSpec(Model):
    """A port on which what is being built can be looked at."""

    name: ServiceName = Field(description="Lower case letters, digits and dashes; unique")
    port: Port = Field(description="The loopback port in the sandbox")


class Beside(Model):
    """What runs beside the work in a sandbox. The services of stacks are there before setup; those of the repository
    itself, which may need what setup made, come after it, and the start commands last."""

    stack_services: tuple[ServiceSpec, ...] = ()
    services: tuple[ServiceSpec, ...] = ()
    start: tuple[ShellCommand, ...] = ()
    start_timeout_seconds: float = 120
    environment: Mapping[str, str] = Field(default={}, description="What every command of the sandbox finds in it")


class ServiceStatus(StrEnum):
    """How a service does."""

    READY = "ready"
    FAILED = "failed"


class ServiceState(Model):
    """A service after it was asked to start. `detail` is a sentence, with the last lines of its log where it failed."""

    name: ServiceName
    status: ServiceStatus
    port: int | None = None
    detail: str = Field(default="", max_length=4096)
    seconds: float = Field(default=0, ge=0)


class ServiceChanged(Model):
    """A service of the sandbox is ready, or could not be made ready; the session goes on either way."""

    type: Literal["service_changed"] = "service_changed"
    name: ServiceName
    state: ServiceStatus
    port: int | None = None
    detail: str = Field(default="", max_length=4096)
    seconds: float = Field(default=0, ge=0, description="How long it took to be ready")


class PreviewsNamed(Model):
    """The repository's recipe names these ports of the sandbox as worth looking at."""

    type: Literal["previews_named"] = "previews_named"
    previews: tuple[PreviewSpec, ...] = Field(max_length=20)
