"""No secret enters a sandbox: canaries stand where the operator's keys, tokens and cookies stand, and are looked for
from inside a session, in every file, environment and command line."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from outrider.rehearsal.demo import write_demo_repository
from tests.e2e.deployment import Deployment

pytestmark = [pytest.mark.e2e, pytest.mark.sandbox]

PLANTED = "canary-planted-for-the-search"
KEYS = {"ANTHROPIC_API_KEY": "canary-anthropic-5f1d", "OPENAI_API_KEY": "canary-openai-77ab"}

SEARCH = """
import base64, glob, json, os, socket
wanted = json.loads(base64.b64decode({wanted!r}))
def holds(path):
    try:
        with open(path, "rb") as file:
            data = file.read(4 << 20)
    except OSError:
        return []
    return [name for name, value in wanted.items() if value.encode() in data]
found, seen = set(), 0
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "dev", "usr", "opt")]
    for name in files:
        seen += 1
        found |= {{(hit, os.path.join(folder, name)) for hit in holds(os.path.join(folder, name))}}
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    seen += 1
    found |= {{(hit, path) for hit in holds(path)}}
routes = open("/proc/net/route").read().count(chr(10)) - 1
links = sorted(os.listdir("/sys/class/net")) if os.path.isdir("/sys/class/net") else []
listening = sorted({{int(line.split()[1].split(":")[1], 16) for line in open("/proc/net/tcp").readlines()[1:]
                    if line.split()[3] == "0A"}})
def reaches(address, port):
    try:
        socket.create_connection((address, port), timeout=2).close()
        return True
    except OSError:
        return False
print("REPORT" + json.dumps({{
    "seen": seen, "found": sorted(found), "routes": routes, "listening": listening,
    "server": reaches("127.0.0.1", {port}), "metadata": reaches("169.254.169.254", 80),
}}))
"""


def write_script(folder: Path, search: str) -> None:
    encoded = base64.b64encode(search.encode()).decode()
    command = f"echo {encoded} | base64 -d | python3 -"
    step = {"command": command, "description": "Search", "timeout": 300_000}
    folder.mkdir()
    (folder / "search.toml").write_text(
        'name = "search"\ntitle = "Search"\nprompt = "Search for secrets."\nmatch = "Search for secrets"\n\n'
        '[[steps]]\ntext = "I look everywhere."\n[[steps.calls]]\ntool = "bash"\n'
        f'input = {{ command = {json.dumps(step["command"])}, description = "Search", timeout = 300000 }}\n\n'
        '[[steps]]\ntext = "That is all."\n'
    )


async def a_cookie(deployment: Deployment) -> str:
    """A browser's login."""
    async with deployment.client() as client:
        link = (await client.post("/api/login-links", json={})).json()["url"]
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(link)
    return re.search(r"outrider_login=([^;]+)", answer.headers["set-cookie"]).group(1)  # type: ignore[union-attr]


async def test_no_secret_of_the_operator_is_in_a_sandbox(
    make_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    scripts = tmp_path / "scripts"
    deployment = make_deployment(OUTRIDER_MODEL="rehearsal/demo", **KEYS)
    await deployment.start()
    wanted = {**KEYS, "token": deployment.home.token(), "cookie": await a_cookie(deployment), "planted": PLANTED}
    (tmp_path / "host-file").write_text(" ".join(wanted.values()))
    port = deployment.server.url.rpartition(":")[2]
    await deployment.stop()

    write_script(scripts, SEARCH.format(wanted=base64.b64encode(json.dumps(wanted).encode()).decode(), port=port))
    deployment.variables = {**deployment.variables, "OUTRIDER_PORT": port, "OUTRIDER_REHEARSAL_SCRIPTS": str(scripts)}
    await deployment.start()
    assert deployment.server.url.endswith(port)
    repository = tmp_path / "bakery"
    write_demo_repository(repository)
    done = await deployment.run_cli("run", "Search for secrets.", "--repo", str(repository), "--json")
    assert done.code == 0, done.out[-2000:] + done.err
    report = json.loads(re.search(r"REPORT(\{.*?\})\\n", done.out).group(1).replace('\\"', '"'))  # type: ignore[union-attr]
    assert report["seen"] > 500
    assert report["found"] == []
    assert report["routes"] == 0
    assert not report["server"]
    assert not report["metadata"]
    assert {4180, 4181} <= set(report["listening"])
    logged = (deployment.home.path / "server.log").read_text() + done.out
    assert not [value for name, value in wanted.items() if name in KEYS and value in logged]
