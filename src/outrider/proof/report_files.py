"""Getting the JUnit reports of a check out of the guest. Read as plain bytes: no archive of the guest's is unpacked."""

import asyncio

from outrider.model.proof import CaseOutcome
from outrider.model.sandbox import WORKSPACE
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.proof.clean_run import remove
from outrider.proof.globs import Globs, fixed_folder
from outrider.proof.junit import REPORT_BYTES_LIMIT, ReportRefused, parse_junit, worse
from outrider.proof.recipe import CheckSpec

REPORT_VARIABLE = "OUTRIDER_JUNIT"
"""Names the file that a check may write its JUnit report to."""

REPORT_FILE = "/tmp/outrider-junit.xml"
REPORTS_LIMIT = 200
LIST_BYTES = 256 << 10
READ_SECONDS = 60.0


def report_path(check: CheckSpec) -> str:
    """The absolute path that the check finds in OUTRIDER_JUNIT."""
    if check.junit is None or fixed_folder(check.junit) != check.junit:
        return REPORT_FILE
    return f"{WORKSPACE}/{check.junit}"


async def forget_reports(guest: Guest, check: CheckSpec) -> None:
    """Delete reports that are there before the check runs: they would be somebody else's."""
    await remove(guest, await _report_paths(guest, check))


async def read_reports(guest: Guest, check: CheckSpec) -> dict[str, CaseOutcome] | None:
    """The tests of all reports that the check wrote; None where it wrote none. Raises ReportRefused, SandboxLost."""
    cases: dict[str, CaseOutcome] | None = None
    left = REPORT_BYTES_LIMIT
    for path in await _report_paths(guest, check):
        content = await _read(guest, path, left)
        if content is None:
            continue
        left -= len(content)
        for case, outcome in (await asyncio.to_thread(parse_junit, content)).items():
            cases = cases or {}
            cases[case] = worse(outcome, cases.get(case, outcome))
    return cases


async def _report_paths(guest: Guest, check: CheckSpec) -> list[str]:
    if check.junit is None or fixed_folder(check.junit) == check.junit:
        return [report_path(check)]
    argv = ["find", fixed_folder(check.junit), "-type", "f", "-name", "*.xml", "-print0"]
    found = await guest.run(ExecSpec(argv=argv, cwd=WORKSPACE), timeout_seconds=READ_SECONDS, output_limit=LIST_BYTES)
    globs = Globs([check.junit])
    paths = [path for path in found.output.decode(errors="replace").split("\0") if globs.match(path)]
    return sorted(paths)[:REPORTS_LIMIT]


async def _read(guest: Guest, path: str, limit: int) -> bytes | None:
    """A plain file of the guest, None where there is none."""
    content = bytearray()
    process = await guest.start(
        ExecSpec(argv=["sh", "-c", 'test -f "$1" && exec cat -- "$1"', "sh", path], cwd=WORKSPACE)
    )
    await process.close_stdin()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in process.stdout():
                content += chunk
                if len(content) > limit:
                    raise ReportRefused(f"The JUnit reports are larger than {REPORT_BYTES_LIMIT >> 20} MB.")
            return None if await process.wait() else bytes(content)
    except TimeoutError:
        raise ReportRefused(f"The JUnit report could not be read within {READ_SECONDS:.0f} s.") from None
    finally:
        await process.signal("KILL")
