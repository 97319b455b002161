"""What benchmarks compute from what they measured."""

import math

from benchmarks.at_rest import Crowd, Sizes
from benchmarks.at_rest import size_figures as crowd_figures
from benchmarks.density import engine_figures, why_no_more
from benchmarks.fan_out_figures import FLOOR, Round, cpu_figures, delay_figures
from benchmarks.floors.feed_peers import Published, Received
from benchmarks.hibernate import Course, Size, size_figures
from benchmarks.reconnect import Storm, numbers_in
from benchmarks.resume import Attached, attach_figures, storm_figure
from benchmarks.session_ready import Bare, image_figures
from benchmarks.snapshot import _Times, restore_figure
from benchmarks.stalls import Stalls, session_sandboxes
from outrider.fleet.pool.memory import Memory


def metrics(*counts: int) -> str:
    buckets = zip(("0.005", "0.05", "0.1", "+Inf"), counts, strict=True)
    rows = [f'outrider_loop_stall_seconds_bucket{{le="{bound}"}} {count}' for bound, count in buckets]
    return "\n".join(("# TYPE outrider_loop_stall_seconds histogram", *rows, ""))


def test_stalls_are_those_between_two_looks_at_the_server() -> None:
    stalls = Stalls()
    stalls.add(metrics(5, 5, 9, 9), metrics(103, 105, 109, 109))
    assert stalls.looks == 100
    assert stalls.bound_ms(98) == 5
    assert stalls.bound_ms(99) == stalls.bound_ms(100) == 50
    assert stalls.figure("B0").ok
    stalls.add(metrics(0, 0, 0, 0), metrics(0, 0, 1, 2))
    assert stalls.bound_ms(99) == 100
    assert stalls.bound_ms(100) == math.inf
    assert stalls.figure("B0").ok is False
    assert stalls.figure("B0", judged=False).ok is None


def test_no_look_is_no_figure() -> None:
    figure = Stalls().figure("B0")
    assert (figure.ours, figure.ok) == (None, None)


def test_sandboxes_of_sessions_are_counted_alone() -> None:
    rows = ('purpose="pool",running="true"', 'purpose="session",running="true"', 'purpose="session",running="false"')
    assert session_sandboxes("".join(f"outrider_sandboxes{{{row}}} 2\n" for row in rows)) == 4


def test_an_image_is_judged_beside_the_start_of_the_engine_alone() -> None:
    bare = Bare(clone=[10.0], start=[2.0])
    judged, with_clone, _ = image_figures("", [2.4], bare)
    assert (judged.beside, judged.ok) == (2.0, True)
    assert (with_clone.beside, with_clone.ok) == (12.0, None)
    assert image_figures("", [2.6], bare)[0].ok is False


def a_round(cpu_us: float, p50_us: int, undelivered_us: float = 0) -> Round:
    return Round(Published(cpu_us, 0), Received(10, p50_us, p50_us, p50_us, 1, 1, 0, 0), undelivered_us)


def test_a_delivery_is_judged_beside_the_floor_and_a_delay_by_itself() -> None:
    rounds = {"ours": [a_round(500, 900, 180)], FLOOR: [a_round(100, 100)], "Node ws": []}
    ours, whole, floor, node = cpu_figures("", "", rounds)
    assert (ours.ours, ours.beside, ours.ok) == (32, 10, True)
    assert (whole.ours, whole.ok, floor.ok, node.ours) == (50, None, None, None)
    assert [figure.ok for figure in delay_figures("", "", rounds, 1.0)] == [True, None]
    assert delay_figures("", "", rounds, 0.5)[0].ok is False


def test_the_whole_of_a_session_is_judged_beside_the_bare_read() -> None:
    attached = [Attached(9.0, 39.0)]
    assert [one.ok for one in attach_figures("", "", attached, read=[11.0], most_ms=40)] == [True, True, True]
    assert [one.ok for one in attach_figures("", "", attached, read=[9.0])] == [True, None, False]
    assert storm_figure([Storm(1000.1, 1)]).ok is False


def test_numbers_are_read_from_frames_of_every_size() -> None:
    def frame(body: bytes) -> bytes:
        size = bytes([len(body)]) if len(body) < 126 else b"\x7e" + len(body).to_bytes(2, "big")
        return b"\x81" + size + body

    page = b'{"kind":"events","events":[{"seq":%d,"event":{"text":"%s"}}]}'
    heard = frame(page % (1, b"")) + frame(page % (2, b"x" * 500)) + frame(b'{"kind":"live"}')
    assert numbers_in(heard) == [1, 2]


def test_memory_may_neither_grow_nor_shrink() -> None:
    def judged(after: int) -> bool | None:
        course = Course(
            Size(100, 1), Size(100, 1), before=Size(100, 1), cycles=[Size(100, 1)] * 3, after=Size(after, 1)
        )
        return size_figures("", course)[2].ok

    assert [judged(97), judged(98), judged(102), judged(103)] == [False, True, True, False]


def test_what_one_session_and_one_client_cost() -> None:
    sizes = Sizes(empty=0, taken_up=20_000, rest=5_000, awake=65_000, watched=85_000)
    rest, known, awake, client = crowd_figures(Crowd(sessions=10, awake=1, clients=1), sizes, 100)
    assert (rest.ours, known.ours, awake.ours, client.ours) == (0.5, 2, 60, 20)
    assert all(figure.ok for figure in (rest, awake, client))


def test_engines_are_started_until_memory_or_time_is_over() -> None:
    total = 10 << 30
    assert why_no_more(Memory(total=total, left=total // 2), 1) is None
    assert why_no_more(Memory(total=total, left=total // 5), 1) == "the next would use more than 80% of memory"
    assert why_no_more(Memory(total=total, left=total // 2), 0) == "the time for it was over"
    assert engine_figures([5.0], [90.0], 100, "")[2].ok
    assert engine_figures([6.0], [200.0], 100, "")[2].ok is False
    assert engine_figures([], [], 100, "")[0].ours is None


def test_restoring_is_judged_beside_the_faster_of_the_plain_ways_and_a_sandbox() -> None:
    times = _Times(restore=[1.2], fresh=[0.5], layer_copy=[0.5], layer_unpack=[9.0])
    assert restore_figure("", "", times).ok
    assert restore_figure("", "", _Times(restore=[1.3], fresh=[0.5], layer_copy=[0.5], layer_unpack=[9.0])).ok is False
    assert restore_figure("", "", _Times([], [1], [], [], [], [1], [math.inf], [math.inf])).ours is None
