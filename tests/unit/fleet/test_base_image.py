"""How the base image is made on a given host."""

from pathlib import Path

import pytest

from outrider.fleet.base_image import FALLBACK_MIRROR, BaseImage, customize_script
from outrider.model.errors import SandboxError
from outrider.testing.fake_sandbox import FakeProvider

DEBIAN = "ID=debian\nVERSION_CODENAME=bookworm\n"
OURS = "Types: deb\n# a comment with https://elsewhere.example/\nURIs: http://mirror.example/debian\nSuites: bookworm\n"
FOREIGN = "deb https://packages.example/apt bookworm main\n"


def image(tmp_path: Path, release: str, **sources: str) -> BaseImage:
    apt = tmp_path / "apt"
    (apt / "sources.list.d").mkdir(parents=True)
    for name, text in sources.items():
        (apt / "sources.list.d" / f"{name}.sources").write_text(text)
    (tmp_path / "os-release").write_text(release)
    return BaseImage(apt_folder=apt, os_release=tmp_path / "os-release")


def test_a_debian_host_lends_its_own_mirrors_and_no_foreign_archive(tmp_path: Path) -> None:
    chosen = image(tmp_path, DEBIAN, debian=OURS, tools=FOREIGN).mirrors()
    assert [Path(path).name for path in chosen] == ["debian.sources"]


@pytest.mark.parametrize(
    "release", ["ID=ubuntu\nVERSION_CODENAME=bookworm\n", DEBIAN.replace("bookworm", "trixie"), ""]
)
def test_another_host_uses_debians_mirror(tmp_path: Path, release: str) -> None:
    assert image(tmp_path, release, debian=OURS).mirrors() == [FALLBACK_MIRROR]


def test_the_same_recipe_is_the_same_layer() -> None:
    assert BaseImage().layer_id() == BaseImage(environment={"https_proxy": "http://proxy.example"}).layer_id()
    assert BaseImage().layer_id().startswith("base-")


def test_the_guest_has_no_group_tty_and_a_login_shell_that_reads_no_file() -> None:
    assert "/^tty:/d" in customize_script()
    assert "--shell /bin/sh" in customize_script()


async def test_a_build_that_fails_says_so_and_leaves_no_layer(tmp_path: Path) -> None:
    broken = image(tmp_path, DEBIAN, debian=OURS.replace("mirror.example", "127.0.0.1:9"))
    provider, said = FakeProvider(tmp_path / "fake"), []
    with pytest.raises(SandboxError, match="base image could not be built"):
        await broken.ensure(provider, said.append)
    assert said[0].startswith("Building the base image")
    assert not await provider.has_layer(broken.layer_id())
