"""The benchmark's maths and its table, and an echo through the relay. Nothing is timed."""

import subprocess
import sys

import pytest

from benchmarks import bench, loads, report, visits
from benchmarks.client import Frames, PageError, action, client_frame, close_pages, open_pages
from benchmarks.figures import FIGURES, Figure, Results, percentile
from benchmarks.relay import __main__ as relay_main
from benchmarks.servers import ROOT, command_line, running


def server_frame(payload: bytes, opcode: int = 1) -> bytes:
    """What a server sends: as the client's frame, without the mark and the key of the mask."""
    frame = client_frame(payload, opcode=opcode)
    head = len(frame) - len(payload) - 4
    return frame[:1] + bytes([frame[1] & 127]) + frame[2:head] + payload


# -- maths -----------------------------------------------------------------------------------------


def test_percentile_is_the_least_sample_that_reaches_the_share():
    samples = [float(i) for i in range(100, 0, -1)]
    assert percentile(samples, 0.5) == 50
    assert percentile(samples, 0.99) == 99
    assert percentile(samples, 1.0) == 100
    assert percentile([7.0], 0.0) == 7


def test_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


def results(key: str, ours: list[float], reference: list[float]) -> Results:
    made = Results()
    for value in ours:
        made.add(key, "databench", value)
    for value in reference:
        made.add(key, "reference", value)
    return made


def test_ratio_is_that_of_the_medians_and_the_spread_that_of_the_rounds():
    made = results("echo", [1.0, 9.0, 3.0], [1.0, 2.0, 4.0])
    assert made.ratio("echo") == 1.5
    assert made.ratio_spread("echo") == (0.75, 4.5)


def test_ratio_without_a_reference_is_none():
    made = results("start", [0.4], [])
    assert made.ratio("start") is None
    assert made.ratio_spread("start") is None
    assert made.median("nothing", "databench") is None


@pytest.mark.parametrize(
    ("figure", "ours", "reference", "is_met"),
    [
        (Figure("f", "", "ms", 1.3), 1.3, 1.0, True),
        (Figure("f", "", "ms", 1.3), 1.31, 1.0, False),
        (Figure("f", "", "/s", 3.0, is_more_better=True), 30.0, 10.0, True),
        (Figure("f", "", "/s", 3.0, is_more_better=True), 29.0, 10.0, False),
        (Figure("f", "", "KiB", 40.0, is_ratio=False), 40.0, 1.0, True),
        (Figure("f", "", "KiB", 40.0, is_ratio=False), 41.0, 100.0, False),
        (Figure("f", "", "ms"), 1.0, 1.0, None),
    ],
)
def test_target_is_met_up_to_its_limit(figure, ours, reference, is_met):
    assert results("f", [ours], [reference]).is_met(figure) is is_met


def test_unknown_side_is_refused():
    with pytest.raises(ValueError, match="neither databench nor reference"):
        Results().add("echo_p50", "databnech", 1.0)


def test_each_target_of_the_table_is_a_figure():
    limits = {figure.key: figure.limit for figure in FIGURES if figure.limit is not None}
    assert limits == {
        "echo_p50": 1.3,
        "pipelined_1": 1.0,
        "pipelined_32": 1.0,
        "stream": 3.0,
        "payload": 0.85,
        "other_coroutine": 2.0,
        "other_plain": 2.0,
        "same_coroutine": 25.0,
        "same_plain": 25.0,
        "lock_other": 2.0,
        "lock_index": 2.0,
        "gallery_new": 1.5,
        "gallery_again": 1.5,
        "page_new": 1.5,
        "page_again": 1.5,
        "loading_html": 1.5,
        "loading_assets": 1.5,
        "connections": 0.7,
        "joins": 0.7,
        "memory": 40.0,
        "share": 1.5,
        "revival": 0.3,
        "revival_alone": 0.3,
        "preheated": 50.0,
        "reload": 0.3,
        "start": 0.5,
    }


# -- table -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.1234, "0.123 ms"),
        (1.234, "1.23 ms"),
        (12.34, "12.3 ms"),
        (15632.4, "15,632 ms"),
    ],
)
def test_numbers_keep_three_digits(value, text):
    assert report.number(value, "ms") == text


def test_row_says_what_was_missed():
    made = results("stream", [50_000.0, 50_000.0], [25_000.0, 20_000.0])
    (row,) = report.rows(made)
    assert row[1:] == ["22,500 /s", "50,000 /s", "2.22", "2.00 to 2.50", "≥ 3 ×", "**missed**"]


def test_page_names_the_machine_and_holds_the_rows():
    text = report.page(results("start", [0.25], []), [["echo", "relay", "1", "2", "3"]], "Quiet.")
    assert "| start to first page" in text
    assert "≤ 0.5 s" in text
    assert "Python 3" in text
    assert "Quiet." in text
    assert str(ROOT) not in text


@pytest.mark.parametrize(("spent_s", "is_quiet"), [(0.1, True), (1.5, False)])
def test_busy_machine_is_told(monkeypatch, spent_s, is_quiet):
    monkeypatch.setattr(bench.os, "cpu_count", lambda: 1)
    monkeypatch.setattr(bench, "_own_s", lambda: 7.0)
    monkeypatch.setattr(bench, "_busy_s", lambda: 100.0)
    monkeypatch.setattr(bench.time, "monotonic", lambda: 50.0)
    others = bench.Others()
    monkeypatch.setattr(bench, "_busy_s", lambda: 100.0 + spent_s)
    monkeypatch.setattr(bench.time, "monotonic", lambda: 52.0)
    text, told = others.describe()
    assert told is is_quiet
    assert f"{50 * spent_s:.0f} %" in text
    assert ("Too busy" in text) is not is_quiet


def test_page_of_a_quiet_run_is_not_replaced_by_one_of_a_busy_run(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    page = tmp_path / "docs" / "performance.md"
    bench._write("first, busy", False)
    assert page.read_text() == "first, busy"
    bench._write("quiet", True)
    bench._write("busy again", False)
    assert page.read_text() == "quiet"


# -- load generator --------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 3, 1000, 10**6])
def test_frames_come_out_whole_whatever_the_pieces(step):
    payloads = [b"", b"a", b"b" * 125, b"c" * 126, b"d" * 65_535, b"e" * 65_536, b"f"]
    wire = b"".join(server_frame(payload) for payload in payloads)
    frames = Frames()
    got = [p for i in range(0, len(wire), step) for p in frames.feed(wire[i : i + step])]
    assert got == payloads


def test_control_frames_are_kept_apart():
    frames = Frames()
    assert frames.feed(server_frame(b"p", 9) + server_frame(b"a") + server_frame(b"", 8)) == [b"a"]
    assert frames.pings == [b"p"]
    assert frames.is_closed


@pytest.fixture
def relay():
    with running("relay") as servers:
        yield servers["relay"]


@pytest.fixture
def pages(relay):
    opened = open_pages(relay.port, 3)
    yield opened
    close_pages(opened)


@pytest.mark.process
def test_relay_serves_each_visit(relay):
    visits.visit_new(relay.port, "/", 2)
    visits.visit_again(relay.port, "/", 2)
    assert visits.connections_s(relay.port, "/", 32) > 0
    with visits.visiting(relay.port, 50.0, 0.5, ["/", "/assets/databench.css"]):
        pass
    with pytest.raises(PageError, match="404 Not Found"):
        visits.visit(relay.port, ["/", "/assets/none"])


@pytest.mark.process
def test_visits_that_fail_are_no_figure(relay, capfd):
    with (
        pytest.raises(PageError, match=r"no visits in 0\.1 s"),
        visits.visiting(relay.port, 50.0, 0.1, ["/assets/none"]),
    ):
        pass
    assert "404 Not Found" in capfd.readouterr().err


@pytest.mark.process
def test_assets_of_a_page_are_found():
    with running("databench") as servers:
        names = visits.find_assets(servers["databench"].port, "/bench/")
    plain = {name.partition("?v=")[0] for name in names}
    assert plain == {"favicon.ico", "logo.svg", "databench.css", "databench.js"}
    assert len(names) == 4
    assert all(
        relay_main.ASSETS.is_dir() and (relay_main.ASSETS / name).is_file() for name in plain
    )


@pytest.mark.process
def test_relay_serves_each_exchange(pages):
    assert len(loads.echo_latencies_s(pages[0], 20)) == 20
    assert loads.stream_s(pages[0], 500) > 0
    assert loads.payload_s(pages[0], 3) > 0
    assert loads.pipelined_rate(pages, 8, 0.05)[0] > 0
    assert loads.share_s(pages, 42) > 0


@pytest.mark.process
def test_wrong_answer_is_not_counted_as_an_echo(pages):
    pages[0].send(action("echo", "1"))
    with pytest.raises(PageError, match="was answered with"):
        loads.echo_latencies_s(pages[0], 5)


@pytest.mark.process
def test_server_ends_with_all_its_processes():
    with running("relay") as servers:
        tree = servers["relay"].tree()
        assert len(tree) == 2
    assert [pid for pid in tree if command_line(pid)] == []


@pytest.mark.process
@pytest.mark.slow
def test_kernel_of_a_page_is_known_among_the_processes():
    with running("databench") as servers:
        pages = open_pages(servers["databench"].port, 1)
        (kernel,) = servers["databench"].kernels()
        assert kernel in servers["databench"].tree()[1:]
        close_pages(pages)


def test_unknown_group_is_refused(capsys):
    with pytest.raises(SystemExit):
        bench.parse(["--only", "ecoh"])
    assert "invalid choice: 'ecoh'" in capsys.readouterr().err


@pytest.mark.process
@pytest.mark.slow
def test_relay_against_itself_from_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--null", "--quick", "--only", "stream"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "stream of 20,000 small emits" in done.stdout
