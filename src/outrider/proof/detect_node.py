"""Node: the test script of package.json, with the packages of its lock file."""

import json
import re
from typing import Any

from outrider.proof.found import Found
from outrider.proof.recipe import CheckSpec

_SIMPLE = re.compile(r"[^&|;<>`$()]+")
_LIFECYCLE = ("preinstall", "install", "postinstall", "prepare", "prepublish")
_INPUTS = ("**/package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "**/.npmrc")
_INSTALL = (
    ("package-lock.json", "npm ci"),
    ("npm-shrinkwrap.json", "npm ci"),
    ("pnpm-lock.yaml", "npx --yes pnpm install --frozen-lockfile"),
    (".yarnrc.yml", "npx --yes --package @yarnpkg/cli-dist yarn install --immutable"),
    ("yarn.lock", "npx --yes yarn@1 install --frozen-lockfile"),
)
_NODE_REPORT = (
    "node --test --test-reporter=spec --test-reporter-destination=stdout"
    ' --test-reporter=junit --test-reporter-destination="$OUTRIDER_JUNIT"'
)
_VITEST_REPORT = 'npm test -- --reporter=default --reporter=junit --outputFile.junit="$OUTRIDER_JUNIT"'
_JEST_REPORT = 'JEST_JUNIT_OUTPUT_FILE="$OUTRIDER_JUNIT" npm test -- --reporters=default --reporters=jest-junit'


def detect_node(paths: frozenset[str], package_json: bytes) -> Found | None:
    """How a Node package is checked; None where it has no test script or its package.json cannot be read."""
    try:
        package = json.loads(package_json)
    except (ValueError, RecursionError):
        return None
    scripts = _table(package, "scripts")
    script = scripts.get("test")
    if not isinstance(script, str) or "no test specified" in script:
        return None
    install, read_from = _install(paths, package)
    return Found(
        source="package.json" if read_from is None else f"package.json with {read_from}",
        check=CheckSpec(name="npm test", command=_command(script, scripts, package)),
        setup=(install,) if install else (),
        setup_inputs=None if any(name in scripts for name in _LIFECYCLE) else _INPUTS,
    )


def _install(paths: frozenset[str], package: Any) -> tuple[str | None, str | None]:
    """The command that installs the packages, and the lock file that it follows."""
    for lock, command in _INSTALL:
        if lock in paths:
            return command, lock
    needs_packages = _table(package, "dependencies") or _table(package, "devDependencies")
    return ("npm install" if needs_packages else None), None


def _command(script: str, scripts: dict[str, Any], package: Any) -> str:
    """The test script with a JUnit report where its runner can write one, else as it is."""
    if "pretest" in scripts or "posttest" in scripts or not _SIMPLE.fullmatch(script):
        return "npm test"
    if script.startswith("node --test ") or script == "node --test":
        return _NODE_REPORT + script.removeprefix("node --test")
    if re.match(r"vitest\b", script):
        return _VITEST_REPORT
    if re.match(r"jest\b", script) and "jest-junit" in _table(package, "devDependencies"):
        return _JEST_REPORT
    return "npm test"


def _table(parent: Any, key: str) -> dict[str, Any]:
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}
