"""The log of a build: what is kept of how much, in what form."""

from pathlib import Path

from outrider.fleet.images.log import LAST_LINES, LINE_CHARACTERS, LOG_BYTES, BuildLogs
from outrider.model.ids import BuildId

BUILD = BuildId("build-aaaa")


def logs(folder: Path) -> BuildLogs:
    return BuildLogs(folder / "builds", lambda text: text.replace("hunter2", "[redacted]"))


async def test_lines_are_plain_and_without_secrets_however_they_come(tmp_path: Path) -> None:
    kept = logs(tmp_path)
    changes: list[None] = []
    with kept.open(BUILD, lambda: changes.append(None)) as log:
        log.say("Begin.")
        for chunk in (
            b"10 %\r50 %\rall \x1b[31mred\x1b[0m\npass",
            b"word hun",
            b"ter2\n",
            "é\u2028\n".encode(),
            b"rest",
        ):
            log.output(chunk)
    lines, offset = await kept.read(BUILD, 0)
    assert lines == ["==> Begin.", "all red", "password [redacted]", "é\u2028", "rest"]
    assert await kept.read(BUILD, offset) == ([], offset)
    assert len(changes) > len(lines)


async def test_of_a_long_log_the_beginning_and_the_last_lines_are_kept(tmp_path: Path) -> None:
    kept = logs(tmp_path)
    count = LOG_BYTES // 1000 + 500
    with kept.open(BUILD, lambda: None) as log:
        for number in range(count):
            log.output(f"{number} {'x' * 1000}\n".encode())
        log.output(b"y" * (3 * LINE_CHARACTERS) + b"\nlast\n")
        assert log.tail().endswith("last")
    lines: list[str] = []
    offset = 0
    while page := await kept.read(BUILD, offset):
        lines, offset = [*lines, *page[0]], page[1]
        if not page[0]:
            break
    assert lines[0].startswith("0 x")
    assert lines[-1] == "last"
    assert len(lines[-2]) <= LINE_CHARACTERS
    assert sum(line.endswith("lines are not kept …]") for line in lines) == 1
    assert offset < LOG_BYTES + (LAST_LINES + 2) * LINE_CHARACTERS


async def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert await logs(tmp_path).read(BUILD, 0) == ([], 0)
    await logs(tmp_path).delete(BUILD)
