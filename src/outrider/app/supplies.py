"""What sandboxes are made from on this machine: the base image, the toolbox. Also for `setup` and `doctor`, which need
no running server."""

from collections.abc import Mapping

from outrider.fleet.base_image import BaseImage
from outrider.fleet.clean import CleanSandboxes
from outrider.fleet.floors import Floors, measure
from outrider.fleet.images.foreign_base import ForeignBases
from outrider.fleet.images.machine import Images
from outrider.fleet.images.renewal import Bases
from outrider.fleet.pool.memory import MemoryGauge
from outrider.fleet.toolbox import Toolbox
from outrider.ports.layer_blobs import LayerBlobs
from outrider.settings import Settings
from outrider.storage.layer_blobs import open_layer_blobs

BUILD_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_REGISTRY",
    "HOME",
)
"""What the tools that build layers may see of the environment: proxies, certificates, where npm's settings are."""


def make_floors(settings: Settings) -> Floors:
    """The floors of free space on the disk of the home and in memory."""
    home, gauge = settings.home, MemoryGauge()
    return Floors(
        lambda: measure(home, lambda: gauge.read().left), settings.free_disk_bytes, settings.free_memory_bytes
    )


def make_base_image(settings: Settings) -> BaseImage:
    """The base layer's recipe."""
    return BaseImage(environment=_build_environment(settings.environment))


def make_toolbox(settings: Settings) -> Toolbox:
    """The toolbox layer's recipe."""
    return Toolbox(environment=_build_environment(settings.environment))


def make_foreign_bases(settings: Settings) -> ForeignBases:
    """How bases are made of OCI images."""
    folder = settings.oci_folder or settings.home / "oci"
    return ForeignBases(folder.absolute(), _build_environment(settings.environment))


def make_machine_images(settings: Settings, sandboxes: CleanSandboxes) -> tuple[Bases, Images]:
    """The bases, and what makes machine images above them."""
    bases = Bases(sandboxes, make_base_image(settings), make_foreign_bases(settings))
    return bases, Images(sandboxes, bases.ours, make_toolbox(settings), bases.foreign)


def _build_environment(environment: Mapping[str, str]) -> dict[str, str]:
    wanted = {*BUILD_VARIABLES, *(name.lower() for name in BUILD_VARIABLES)}
    return {name: value for name, value in environment.items() if name in wanted}


def make_layer_blobs(settings: Settings) -> LayerBlobs:
    """Where snapshots are stored."""
    return open_layer_blobs(settings.blobs or str(settings.home / "layer-blobs"), settings.environment)
