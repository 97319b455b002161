"""JUnit XML as pytest, node, vitest, jest and surefire write it: which test came to what.

The report is written by what is examined, so it is hostile input: no DTD, no entities, and limits on bytes, tests and
depth. It can also lie; that is why changed test and check files are shown beside every proof.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import Protocol, Self

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from outrider.model.errors import OutriderError
from outrider.model.proof import CaseOutcome
from outrider.model.sandbox import WORKSPACE

REPORT_BYTES_LIMIT = 10 << 20
"""About 30,000 tests as pytest writes them."""

CASES_LIMIT = 50_000
DEPTH_LIMIT = 64
CASE_ID_LIMIT = 500

Cases = Mapping[str, CaseOutcome]
"""What became of each test, by its id."""

_MARKS = {"failure": CaseOutcome.FAILED, "error": CaseOutcome.ERROR, "skipped": CaseOutcome.SKIPPED}
_WORST_FIRST = (CaseOutcome.FAILED, CaseOutcome.ERROR, CaseOutcome.SKIPPED, CaseOutcome.PASSED)


class ReportRefused(OutriderError):
    """A report that is not read; the check is judged by its exit code alone."""


class Element(Protocol):
    """What is used of an XML element."""

    tag: str

    def get(self, key: str, default: str, /) -> str:
        """An attribute."""

    def remove(self, child: Self, /) -> None:
        """Drop a child."""


def parse_junit(report: bytes) -> dict[str, CaseOutcome]:
    """The tests of a report. Where an id stands twice the worse outcome counts. Raises ReportRefused."""
    if len(report) > REPORT_BYTES_LIMIT:
        raise ReportRefused(f"The JUnit report is larger than {REPORT_BYTES_LIMIT >> 20} MB.")
    cases: dict[str, CaseOutcome] = {}
    try:
        for case, outcome in _walk(report):
            cases[case] = worse(outcome, cases.get(case, outcome))
            if len(cases) > CASES_LIMIT:
                raise ReportRefused(f"The JUnit report names more than {CASES_LIMIT} tests.")
    except DefusedXmlException as error:
        raise ReportRefused(
            "The JUnit report declares a document type or entities, which reports never need."
        ) from error
    except (ParseError, UnicodeError, LookupError, ValueError) as error:
        raise ReportRefused(f"The JUnit report is not valid XML: {error!s:.200}.") from error
    return cases


def worse(one: CaseOutcome, other: CaseOutcome) -> CaseOutcome:
    """The outcome that tells more against a test."""
    return min(one, other, key=_WORST_FIRST.index)


def _walk(report: bytes) -> Iterator[tuple[str, CaseOutcome]]:
    """Each test case as it ends. Finished elements are dropped at once, so that memory stays far below the report's."""
    open_elements: list[Element] = []
    outcome = CaseOutcome.PASSED
    for moment, element in iterparse(io.BytesIO(report), events=("start", "end"), forbid_dtd=True):
        if moment == "start":
            open_elements.append(element)
            if len(open_elements) > DEPTH_LIMIT:
                raise ReportRefused(f"The JUnit report is nested more than {DEPTH_LIMIT} deep.")
            if element.tag == "testcase":
                outcome = CaseOutcome.PASSED
            elif len(open_elements) > 1 and open_elements[-2].tag == "testcase" and element.tag in _MARKS:
                outcome = worse(outcome, _MARKS[element.tag])
            continue
        open_elements.pop()
        if element.tag == "testcase":
            yield _named(element, [parent for parent in open_elements if parent.tag == "testsuite"], outcome)
        if open_elements:
            open_elements[-1].remove(element)


def _named(case: Element, suites: list[Element], outcome: CaseOutcome) -> tuple[str, CaseOutcome]:
    """The id of a case and its outcome; a case that stands for a whole file that did not load is an error."""
    name = case.get("name", "")
    group = case.get("classname", "")
    file = case.get("file", "").removeprefix(f"{WORKSPACE}/")
    inner_suite = suites[-1].get("name", "") if suites else ""
    if name and (file == name or file.endswith(f"/{name}") or name == group == inner_suite):
        return _short(file or name), CaseOutcome.ERROR if outcome is CaseOutcome.FAILED else outcome
    if group in ("", "test") and file:  # node's runner: the file is the module, suites nest
        return _short(" > ".join([file, *(suite.get("name", "") for suite in suites), name])), outcome
    in_words = group == name and " " in name  # jest-junit writes the whole title twice
    return _short(name if in_words or not group else f"{group}::{name}"), outcome


def _short(case: str) -> str:
    """The id within its limit; what is cut off still tells two ids apart."""
    if len(case) <= CASE_ID_LIMIT:
        return case
    digest = hashlib.sha256(case.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{case[: CASE_ID_LIMIT - 20]}… {digest}"
