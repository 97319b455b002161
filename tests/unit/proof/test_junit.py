"""JUnit reports of several runners, and hostile ones."""

from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.model.proof import CaseOutcome
from outrider.proof.junit import CASES_LIMIT, DEPTH_LIMIT, REPORT_BYTES_LIMIT, ReportRefused, parse_junit, worse

PASSED, FAILED, ERROR, SKIPPED = CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.ERROR, CaseOutcome.SKIPPED

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="2">
<testcase classname="test_a" name="test_ok" time="0.001"><system-out>&lt;failure&gt;</system-out></testcase>
<testcase classname="test_a" name="test_bad" time="0.001"><failure message="assert 0">trace</failure></testcase>
<testcase classname="test_a" name="test_s"><skipped type="pytest.skip" message="no"/></testcase>
<testcase classname="test_a" name="test_fixture"><error message="failed on setup">boom</error></testcase>
<testcase classname="test_a.TestC" name="test_p[x/y]" />
<testcase classname="test_a" name="test_late"><failure message="assert 0"/></testcase>
<testcase classname="test_a" name="test_late"><error message="failed on teardown"/></testcase>
<testcase classname="" name="sub.test_imp"><error message="collection failure">ImportError</error></testcase>
</testsuite></testsuites>"""

NODE = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites>
  <testcase name="top ok" time="0.0009" classname="test" file="/workspace/a.test.js"/>
  <testsuite name="suite" tests="3" failures="1">
    <testcase name="inner" classname="test" file="/workspace/a.test.js" failure="1 == 2">
      <failure type="testCodeFailure" message="1 == 2">trace</failure>
    </testcase>
    <testsuite name="deep"><testcase name="x" classname="test" file="/workspace/a.test.js"/></testsuite>
    <testcase name="td" classname="test" file="/workspace/a.test.js"><skipped type="todo" message="true"/></testcase>
  </testsuite>
  <testcase name="sub/b.test.js" classname="test" file="/workspace/sub/b.test.js" failure="test failed">
    <failure type="testCodeFailure" message="test failed">exit 1</failure>
  </testcase>
  <!-- tests 5 -->
</testsuites>"""

VITEST = b"""<testsuites name="vitest tests"><testsuite name="src/a.test.ts" tests="1">
<testcase classname="src/a.test.ts" name="math &gt; adds" time="0.1"></testcase></testsuite>
<testsuite name="src/b.test.ts"><testcase classname="src/b.test.ts" name="src/b.test.ts">
<failure message="Cannot find module">trace</failure></testcase></testsuite></testsuites>"""

JEST = b"""<testsuites name="jest tests"><testsuite name="math" errors="0">
<testcase classname="math adds" name="math adds" time="0.1"><failure>no</failure></testcase></testsuite></testsuites>"""


def test_pytest() -> None:
    assert parse_junit(PYTEST) == {
        "test_a::test_ok": PASSED,
        "test_a::test_bad": FAILED,
        "test_a::test_s": SKIPPED,
        "test_a::test_fixture": ERROR,
        "test_a.TestC::test_p[x/y]": PASSED,
        "test_a::test_late": FAILED,
        "sub.test_imp": ERROR,
    }


def test_node_nests_suites_below_the_file() -> None:
    assert parse_junit(NODE) == {
        "a.test.js > top ok": PASSED,
        "a.test.js > suite > inner": FAILED,
        "a.test.js > suite > deep > x": PASSED,
        "a.test.js > suite > td": SKIPPED,
        "sub/b.test.js": ERROR,
    }


def test_vitest_and_jest() -> None:
    assert parse_junit(VITEST) == {"src/a.test.ts::math > adds": PASSED, "src/b.test.ts": ERROR}
    assert parse_junit(JEST) == {"math adds": FAILED}


def laughs(depth: int) -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, depth))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><testsuite>&a{depth - 1};</testsuite>'.encode()


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (laughs(10), "declares a document type or entities"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', "declares a document type"),
        (b"<testsuites>" + b" " * (50 << 20), "larger than 10 MB"),
        (b"<a>" * (DEPTH_LIMIT + 1), "nested more than"),
        (b"<testsuite><testcase></testsuite>", "not valid XML"),
        (b"", "not valid XML"),
        (b"\x00\xff\xfe", "not valid XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "not valid XML"),
        (b"<a>" + b"".join(b'<testcase name="%d"/>' % n for n in range(CASES_LIMIT + 1)) + b"</a>", "more than 50000"),
    ],
    ids=["laughs", "external", "50 MB", "deep", "unclosed", "empty", "binary", "encoding", "many"],
)
def test_hostile_reports_are_refused_with_a_sentence(report: bytes, said: str) -> None:
    with pytest.raises(ReportRefused, match=said):
        parse_junit(report)


def test_long_names_are_cut_and_still_differ() -> None:
    name = "x" * REPORT_BYTES_LIMIT.bit_length() * 100
    report = f'<a><testcase name="{name}1"/><testcase name="{name}2"/></a>'.encode()
    cases = parse_junit(report)
    assert len(cases) == 2
    assert all(len(case) <= 500 for case in cases)


OUTCOMES = st.sampled_from(CaseOutcome)
TAGS = {FAILED: "<failure/>", ERROR: "<error/>", SKIPPED: "<skipped/>", PASSED: ""}
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=12)


@given(st.lists(st.tuples(NAMES, OUTCOMES), max_size=20))
def test_each_id_has_the_worst_of_its_outcomes(cases: list[tuple[str, CaseOutcome]]) -> None:
    body = "".join(f"<testcase name={quoteattr(name)}>{TAGS[outcome]}</testcase>" for name, outcome in cases)
    expected: dict[str, CaseOutcome] = {}
    for name, outcome in cases:
        expected[name] = worse(outcome, expected.get(name, outcome))
    assert parse_junit(f"<testsuite>{body}</testsuite>".encode()) == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(report: bytes) -> None:
    try:
        cases = parse_junit(report)
    except ReportRefused:
        return
    assert set(cases.values()) <= set(CaseOutcome)
