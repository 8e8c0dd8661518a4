"""What is said of a run while it works: rates, what is left, and nothing that names a file."""

import asyncio
import json
from pathlib import Path

import pytest

from rtgraph.cli import measuring
from rtgraph.cli import progress as telling
from rtgraph.cli.options import LogFormat
from rtgraph.cli.progress import Rates, bars, told, watched
from rtgraph.cli.summary import listed, summary_text
from rtgraph.graphmodel.measured import Measure
from rtgraph.ingest.pipeline import Progress
from rtgraph.ingest.prune import Pruned
from rtgraph.ingest.records import Found, Reason, Rejected, State
from rtgraph.ingest.runs import Summary
from rtgraph.preprocess.passes import Measured

CANARY = "KANARIENVOGEL"
COUNTS = dict.fromkeys(("patients", "studies", "series", "instances", "references", "unresolved",
                        "series_references", "shares_for"), 0)


def at(*, walked: bool = False, phase: str = "read", read: int = 0, written: int = 0,
       seen: int = 0, **more: int) -> Progress:
    """A run that is so far; more counts are states, by name."""
    found = Progress(seen=seen, read=read, walked=walked, phase=phase)
    found.written = written
    for name, n in more.items():
        found.states[State[name]] = n
    return found


def rates_of(*steps: tuple[float, int, int]) -> Rates:
    rates = Rates()
    for now, read, written in steps:
        rates.look(at(read=read, written=written), now)
    return rates


RATES = [
    # name           (time, read, written) …                            read    written
    ("nothing yet",  [],                                                0.0,    0.0),
    ("one look",     [(0.0, 10, 0)],                                    0.0,    0.0),
    ("steady",       [(0.0, 0, 0), (2.0, 100, 50)],                     50.0,   25.0),
    ("same moment",  [(1.0, 0, 0), (1.0, 10, 10)],                      0.0,    0.0),
    ("last half minute", [(0.0, 0, 0), (100.0, 100, 100), (110.0, 1100, 100)], 100.0, 0.0),
]


@pytest.mark.parametrize(("steps", "read", "written"), [c[1:] for c in RATES],
                         ids=[c[0] for c in RATES])
def test_rates(steps: list[tuple[float, int, int]], read: float, written: float) -> None:
    rates = rates_of(*steps)
    assert (rates.read, rates.written) == (read, written)


STEADY = rates_of((0.0, 0, 0), (2.0, 2000, 1000))


def test_bars_of_a_run_whose_end_is_not_known() -> None:
    scan, parse, write = bars(at(seen=5000, read=2000, written=1000, INDEXED=1000, UNCHANGED=300,
                                 REJECTED=7), STEADY)
    assert scan == ("scan", 5000, None, "5,000 files")
    assert parse == ("parse", 2300, None,
                     "2,000   1,000/s   skipped 300 unchanged   rejected 7")
    assert write == ("write", 1307, None, "1,000   500/s   queue 0   retries 0")


def test_what_is_left_is_told_once_the_total_is_known() -> None:
    scan, _, write = bars(at(seen=61_000, read=61_000, written=1000, INDEXED=1000, walked=True),
                          STEADY)
    assert scan == ("scan", 61_000, 61_000, "61,000 files (done)")
    assert write.text.endswith("ETA 2 min")
    assert write.total == 61_000
    done = bars(at(seen=1000, read=1000, written=1000, INDEXED=1000, walked=True), STEADY)
    assert "ETA" not in done[2].text


def test_bars_of_the_end_of_a_run() -> None:
    found = at(phase="derive", walked=True)
    found.derived, found.to_derive = 2000, 12_000
    assert bars(found, STEADY)[3] == ("derive", 2000, 12_000, "2,000 of 12,000 series")
    assert bars(at(phase="prune", walked=True), STEADY)[3].name == "prune"


def test_a_rebuild_reads_nothing() -> None:
    found = at(phase="derive", walked=False)
    found.derived, found.to_derive = 3, 4
    assert bars(found, STEADY) == [("derive", 3, 4, "3 of 4 series")]


@pytest.mark.parametrize(("seconds", "text"), [
    (0.2, "1 s"), (59, "59 s"), (119, "2 min"), (780, "13 min"), (7200, "2 h 0 min"),
    (9000, "2 h 30 min")])
def test_durations(seconds: float, text: str) -> None:
    assert telling.duration(seconds) == text


def test_bars_of_measuring() -> None:
    measured = Measured(total=40, done=30)
    measured.kept[Measure.contours] = 10
    assert measuring.bars(measured, 60) == [("measure", 30, 40, "30 of 40   ETA 30 s")]
    assert measuring.bars(Measured(), 5) == [("measure", 0, None, "0 of 0")]
    assert measuring.bars(Measured(total=2, done=2), 5) == [("measure", 2, 2, "2 of 2")]


# --- on stderr -----------------------------------------------------------------------------------

@pytest.mark.parametrize("log", LogFormat)
def test_a_run_is_told_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, log: LogFormat
) -> None:
    monkeypatch.setattr(telling, "AS_LINES", 0.01)
    monkeypatch.setattr(telling, "AS_JSON", 0.01)

    async def work() -> str:
        await asyncio.sleep(0.2)
        return "result"

    assert asyncio.run(watched(work(), at(seen=1234, read=1000), log)) == "result"
    out, said = capsys.readouterr()
    assert out == ""
    first = said.splitlines()[0]
    if log is LogFormat.json:
        event = json.loads(first)
        assert (event["event"], event["seen"], event["read"]) == ("progress", 1234, 1000)
    else:
        assert first.startswith("scan 1,234 files   parse 1,000")


def test_a_short_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> int:
        return 1

    asyncio.run(watched(work(), at()))
    assert capsys.readouterr() == ("", "")


def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(watched(work(), at()))


def test_bars_are_drawn_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with telling._on_terminal() as show:
        show(bars(at(seen=1234), Rates()))
        show(bars(at(seen=2345, phase="derive", walked=True), Rates()))
    out, said = capsys.readouterr()
    assert out == ""
    assert "scan" in said
    assert "2,345 files (done)" in said


TOLD = [
    # format          identifiers  says something  shows the path
    (LogFormat.text,  False,       False,          False),
    (LogFormat.text,  True,        True,           True),
    (LogFormat.json,  False,       True,           False),
    (LogFormat.json,  True,        True,           True),
]


@pytest.mark.parametrize(("log", "identifiers", "says", "shows"), TOLD)
def test_rejected_files_are_told(
    capsys: pytest.CaptureFixture[str], log: LogFormat, identifiers: bool, says: bool, shows: bool
) -> None:
    tell = told(log, identifiers)
    assert (tell is not None) is says
    if tell is None:
        return
    tell(7, Rejected(Found(f"/a/{CANARY}\x1b[2J", "r:x"), Reason.TRUNCATED))
    said = capsys.readouterr().err
    assert "7" in said
    assert "TRUNCATED" in said
    assert (CANARY in said) is shows
    assert "\x1b" not in said


# --- the end -------------------------------------------------------------------------------------

def summary(progress: Progress, state: str = "DONE", rejects_file: Path | None = None,
            lines: tuple[int, int] = (0, 0)) -> str:
    found = Summary("run", state, 1.25, progress, COUNTS, COUNTS, rejects_file)
    found.reject_lines = lines
    return summary_text(found)


def test_an_interrupted_run_says_how_to_go_on() -> None:
    text = summary(at(seen=3, INDEXED=2), "INTERRUPTED")
    assert text.startswith("Run run · interrupted in 1.2 s\n  files    3: 2 indexed\n")
    assert text.endswith("\n  Stopped cleanly. Run the same command to go on.")
    assert "go on" not in summary(at(seen=3, INDEXED=2))


def test_what_is_gone_and_what_was_odd() -> None:
    found = at(seen=3, INDEXED=2)
    found.fallbacks.update({"BIG_ENDIAN": 1, "NO_META": 1200})
    found.pruned = Pruned(retired=1000, taken_over=2, kept=3)
    text = summary(found)
    assert "  odd      1,201 left to pydicom: NO_META 1,200 · BIG_ENDIAN 1\n" in text + "\n"
    assert ("  gone     1,000 retired · 2 taken over by a copy · 3 kept, since their folder or a "
            "copy is not at hand\n") in text + "\n"
    assert "gone" not in summary(at(seen=3, INDEXED=2))


@pytest.mark.parametrize(("lines", "said"), [
    ((0, 0), "→ list.jsonl\n"), ((4, 4), "→ list.jsonl, line 4\n"),
    ((4, 1200), "→ list.jsonl, lines 4 to 1,200\n")])
def test_lines_of_the_list(tmp_path: Path, lines: tuple[int, int], said: str) -> None:
    found = at(seen=1, REJECTED=1)
    found.reasons["NOT_DICOM"] = 1
    text = summary(found, rejects_file=tmp_path / "list.jsonl", lines=lines)
    assert said in text + "\n"
    assert str(tmp_path) not in text


def test_new_attributes_are_told_where_files_were_skipped() -> None:
    found = at(seen=3, UNCHANGED=2)
    found.fresh_tags = ("RescaleType",)
    assert "new: RescaleType" in summary(found)
    found.states = +at(INDEXED=2).states
    assert "RescaleType" not in summary(found)


def test_counts_are_listed_by_size_and_name() -> None:
    assert listed({"b": 2, "a": 2, "c": 1000, "d": 0}) == "c 1,000 · a 2 · b 2"
    assert listed({"b": 2, "a": 1}, 1) == "b 2"
