"""The parts of a retrieval by themselves: waiting files, books, patience, lists, questions."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydicom.uid import AllTransferSyntaxes

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerFailed, PeerUnreachable, UsageError
from rtgraph.graphmodel.archive import Kept
from rtgraph.ingest.discover import Roots
from rtgraph.ingest.records import Found
from rtgraph.pacs import arrivals
from rtgraph.pacs.again import Incomplete, patiently, rounds
from rtgraph.pacs.arrivals import Arrivals
from rtgraph.pacs.contexts import accepted, for_get, is_storage
from rtgraph.pacs.dimse import identifier
from rtgraph.pacs.ledger import Ledger
from rtgraph.pacs.part10 import Identity
from rtgraph.pacs.plan import Chosen, SeriesPlan
from rtgraph.pacs.query import Level, Query, conditions, is_identifying
from rtgraph.pacs.request import Request
from rtgraph.pacs.retrieve import Retrieval
from rtgraph.pacs.storing import Outcome, Stored
from rtgraph.pacs.tls import client_context, server_context
from rtgraph.pacs.wanted import of_uids, read_patients

# --- files that wait -----------------------------------------------------------------------------


def paths(folder: Path, n: int) -> list[str]:
    made = [folder / f"{i}.dcm" for i in range(n)]
    for path in made:
        path.touch()
    return [str(p) for p in made]


def taken(found: Arrivals, roots: Roots) -> list[str]:
    return [f.location for page in found.pages(roots) for f in page if isinstance(f, Found)]


def test_what_is_put_comes_out_once_and_in_order(tmp_path: Path) -> None:
    waiting, roots = Arrivals(), Roots({"r": str(tmp_path)})
    put = paths(tmp_path, 5000)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(taken, waiting, roots)
        for path in put:
            waiting.put(path)
        waiting.close()
        assert job.result(60) == put


def test_who_puts_waits_while_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MOST", 3)
    waiting = Arrivals()
    put = paths(tmp_path, 4)
    for path in put[:3]:
        waiting.put(path)
    assert waiting.is_full()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(waiting.put, put[3])
        time.sleep(0.2)
        assert not job.done()
        pages = waiting.pages(Roots({"r": str(tmp_path)}))
        assert len(next(pages)) == 3
        job.result(10)


def test_pages_end_when_nothing_comes_for_a_while(tmp_path: Path) -> None:
    waiting, roots = Arrivals(quiet=0.1), Roots({"r": str(tmp_path)})
    assert taken(waiting, roots) == []
    waiting.put(paths(tmp_path, 1)[0])
    assert waiting.wait()
    assert len(taken(waiting, roots)) == 1
    waiting.close()
    assert not waiting.wait()


def test_pages_end_after_a_time_though_files_come(tmp_path: Path) -> None:
    waiting, roots = Arrivals(quiet=5.0, longest=0.0), Roots({"r": str(tmp_path)})
    waiting.put(paths(tmp_path, 1)[0])
    assert len(taken(waiting, roots)) == 1


def test_what_was_left_is_read_and_newer_files_are_not_read_twice(tmp_path: Path) -> None:
    waiting, roots = Arrivals(), Roots({"r": str(tmp_path)})
    old = paths(tmp_path, 2)
    until = max(Path(p).stat().st_mtime_ns for p in old)
    time.sleep(0.05)
    new = tmp_path / "new.dcm"
    new.touch()
    waiting.put(str(new))
    waiting.close()
    found = [f.location for page in waiting.pages(roots, [str(tmp_path)], until) for f in page
             if isinstance(f, Found)]
    assert sorted(found) == sorted([*old, str(new)])


# --- the books -----------------------------------------------------------------------------------

def stored(uid: str, outcome: Outcome = Outcome.STORED, series: str = "s") -> Stored:
    return Stored(Identity("c", uid, series, "t"), f"/{uid}", outcome)


def test_the_books_of_a_series() -> None:
    books, plan = Ledger(), SeriesPlan("t", "s", instances=dict.fromkeys("abcd", "c"),
                                       there={"d"}, coming={"a", "b", "c"})
    books.begin(plan)
    assert books.arrived(stored("a"))
    assert not books.arrived(stored("a", Outcome.DUPLICATE))  # sent twice
    assert books.arrived(stored("b", Outcome.DUPLICATE))      # here from before
    assert books.arrived(stored("x", Outcome.CONFLICT, "other"))
    assert books.arrived(stored("y", Outcome.REPLACED, "other"))
    result = books.end(plan)
    assert (result.announced, result.there, result.received, dict(result.failed)) == (
        4, 1, 2, {"c": "c"})
    assert (books.conflicts, books.replaced) == (1, 1)
    assert books.unwritten() == {"s": {"a", "b"}}


def test_the_books_of_a_series_that_is_counted_only() -> None:
    books, plan = Ledger(), SeriesPlan("t", "s", number=3)
    books.begin(plan)
    assert books.arrived(stored("a"))
    assert not books.arrived(stored("a", Outcome.DUPLICATE))
    assert books.arrived(stored("b", Outcome.DUPLICATE))
    result = books.end(plan)
    assert (result.announced, result.received) == (3, 2)


def test_more_counted_than_listed_is_a_shortfall() -> None:
    plan = SeriesPlan("t", "s", instances={"a": "c"}, number=3)
    assert plan.announced == 3
    assert SeriesPlan("t", "s", instances={"a": "c"}, number=3, partial=True).announced == 1


EXIT_CODES = [
    # name              announced   in graph   interrupted   code
    ("all is there",    3,          3,         False,        0),
    ("a shortfall",     3,          2,         False,        1),
    ("interrupted",     3,          3,         True,         130),
]


@pytest.mark.parametrize(("announced", "in_graph", "interrupted", "code"),
                         [c[1:] for c in EXIT_CODES], ids=[c[0] for c in EXIT_CODES])
def test_exit_codes(announced: int, in_graph: int, interrupted: bool, code: int) -> None:
    from rtgraph.pacs.fetching import Delivery
    from rtgraph.pacs.ledger import SeriesResult

    delivery = Delivery("a", [SeriesResult("t", "s", "CT", announced, in_graph=in_graph)])
    assert Retrieval([delivery], interrupted=interrupted).exit_code == code
    delivery.error = PeerUnreachable("gone")
    assert Retrieval([delivery]).exit_code == 3


def test_a_target_is_not_found_when_no_archive_has_it() -> None:
    from rtgraph.pacs.fetching import Delivery

    one, two = of_uids(["1.2"], (), ()), of_uids(["1.3"], (), ())
    done = Retrieval([Delivery("a", not_found=[*one, *two]), Delivery("b", not_found=one)])
    assert done.not_found == one
    assert done.exit_code == 1


# --- patience ------------------------------------------------------------------------------------

def test_an_archive_is_tried_again_while_it_may_come_back() -> None:
    tries = 0

    async def work() -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise PeerUnreachable("not yet")
        return tries

    assert asyncio.run(patiently(30.0, asyncio.Event(), work)) == 3


@pytest.mark.parametrize("error", [PeerFailed("no", status=0xA900), PeerUnreachable("no")])
def test_what_will_not_change_or_no_time_is_not_tried_again(error: Exception) -> None:
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        raise error

    with pytest.raises(type(error)):
        asyncio.run(patiently(0.0, asyncio.Event(), work))
    assert tries == 1


def test_time_counts_from_the_last_progress() -> None:
    came = 0

    async def work() -> None:
        nonlocal came
        await asyncio.sleep(0.05)
        came += came < 4  # an object each time, then none
        raise PeerUnreachable("again")

    with pytest.raises(PeerUnreachable):
        asyncio.run(patiently(0.01, asyncio.Event(), work, lambda: came))
    assert came == 4


def test_nothing_is_repeated_once_it_is_stopped() -> None:
    tries = 0

    async def main() -> None:
        stop = asyncio.Event()

        async def work() -> None:
            nonlocal tries
            tries += 1
            stop.set()
            raise PeerUnreachable("gone")

        await patiently(60.0, stop, work)

    with pytest.raises(PeerUnreachable):
        asyncio.run(main())
    assert tries == 1


def test_rounds_end() -> None:
    asked = 0

    async def main() -> None:
        nonlocal asked
        async for attempt in rounds(2):
            with attempt:
                asked += 1
                raise Incomplete

    with pytest.raises(Incomplete):
        asyncio.run(main())
    assert asked == 2


# --- lists ---------------------------------------------------------------------------------------

LISTS = [
    # name                text                               column       IDs
    ("plain",             "MRN\nA\nB\n",                     "MRN",       ["A", "B"]),
    ("other columns",     "x,MRN,y\n1,A,2\n3,B,4\n",         "MRN",       ["A", "B"]),
    ("twice, and empty",  "MRN\nA\n\n \nA\n",                "MRN",       ["A"]),
    ("mark and quotes",   "\ufeffMRN\n\"A,1\"\n",            "MRN",       ["A,1"]),
    ("short line",        "x,MRN\n1\n2,B\n",                 "MRN",       ["B"]),
]


@pytest.mark.parametrize(("text", "column", "ids"), [c[1:] for c in LISTS],
                         ids=[c[0] for c in LISTS])
def test_lists_of_patients(tmp_path: Path, text: str, column: str, ids: list[str]) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")
    found = read_patients(file, column)
    assert [t.uid for t in found] == ids
    assert all(t.uid not in t.name and "line" in t.name for t in found)


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_patients(tmp_path / "none.csv", "MRN")
    file = tmp_path / "list.csv"
    file.write_text("PatientId\nA\n", encoding="utf-8")
    with pytest.raises(UsageError, match="names no column 'PatientID'") as error:
        read_patients(file, "PatientID")
    assert error.value.hint == "Did you mean 'PatientId'?"
    file.write_text("CANARY-1,CANARY^JANE\nCANARY-2,CANARY^JOHN\n", encoding="utf-8")
    with pytest.raises(UsageError, match="names no column") as error:
        read_patients(file, "CANARY-0")
    assert "CANARY^" not in f"{error.value} {error.value.hint}"
    assert "CANARY-1" not in f"{error.value} {error.value.hint}"
    file.write_bytes(b"MRN\n\xff\n")
    with pytest.raises(UsageError, match="no CSV in UTF-8"):
        read_patients(file, "MRN")


def test_one_study_is_the_place_of_what_is_below() -> None:
    assert [(t.level, t.uid, t.study) for t in of_uids(["1"], ["2"], ["3"])] == [
        (Level.series, "2", "1"), (Level.image, "3", "1")]
    assert [(t.level, t.study) for t in of_uids(["1", "4"], ["2"], ())] == [
        (Level.study, ""), (Level.study, ""), (Level.series, "")]


# --- questions -----------------------------------------------------------------------------------

CONDITIONS = [
    # name              texts                                       keys
    ("date",            ["StudyDate=2024-01-31"],                   {"StudyDate": "20240131"}),
    ("range",           ["StudyDate=2024-01-01..2024-02-01"],
     {"StudyDate": "20240101-20240201"}),
    ("since",           ["StudyDate=20240101.."],                   {"StudyDate": "20240101-"}),
    ("time",            ["StudyTime=08:00..12:30"],                 {"StudyTime": "0800-1230"}),
    ("UIDs",            ["StudyInstanceUID=1.2,1.3"],
     {"StudyInstanceUID": "1.2\\1.3"}),
    ("twice",           ["Modality=CT", "Modality=MR"],             {"Modality": "CT\\MR"}),
    ("comma in a name", ["PatientName=A,B"],                        {"PatientName": "A,B"}),
    ("equals sign",     ["PatientID=a=b"],                          {"PatientID": "a=b"}),
    ("empty",           ["PatientID="],                             {"PatientID": ""}),
]


@pytest.mark.parametrize(("texts", "keys"), [c[1:] for c in CONDITIONS],
                         ids=[c[0] for c in CONDITIONS])
def test_conditions(texts: list[str], keys: dict[str, str]) -> None:
    assert conditions(texts) == keys


@pytest.mark.parametrize("text", ["PAT-1", "PatientIdent=1", "ReferencedStudySequence=1", "=x"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(UsageError):
        conditions([text])


def test_an_identifier_has_level_keys_and_what_is_to_be_returned() -> None:
    ds = identifier(Query(Level.series, {"StudyInstanceUID": "1.2", "PatientName": "MÜ*"},
                          ("Modality", "Rows")))
    assert {e.keyword: e.value for e in ds} == {
        "SpecificCharacterSet": "ISO_IR 192", "QueryRetrieveLevel": "SERIES", "Modality": None,
        "PatientName": "MÜ*", "StudyInstanceUID": "1.2", "SeriesInstanceUID": None, "Rows": None}


IDENTIFYING = [
    ("PatientName", True), ("PatientID", True), ("PatientBirthDate", True),
    ("OtherPatientIDs", True), ("ReferringPhysicianName", True), ("AccessionNumber", True),
    ("PatientSex", False), ("StudyDate", False), ("StudyInstanceUID", False), ("Modality", False),
]


@pytest.mark.parametrize(("keyword", "hidden"), IDENTIFYING)
def test_what_is_hidden(keyword: str, hidden: bool) -> None:
    assert is_identifying(keyword) is hidden


def test_keys_name_a_thing_from_the_top() -> None:
    assert Request("1", "2").keys() == {"StudyInstanceUID": "1", "SeriesInstanceUID": "2"}
    some = Request("1", "2", ("3", "4"))
    assert (some.level, some.keys()["SOPInstanceUID"]) == (Level.image, "3\\4")


def test_chosen_modalities() -> None:
    assert Chosen().takes("CT")
    assert not Chosen(frozenset({"CT"})).takes("MR")
    assert not Chosen(without=frozenset({"CT"})).takes("CT")


KEPT = [(kept, wanted, i <= j) for i, kept in enumerate(Kept) for j, wanted in enumerate(Kept)]


@pytest.mark.parametrize(("kept", "wanted", "enough"), KEPT)
def test_what_is_kept_is_enough_for_less(kept: Kept, wanted: Kept, enough: bool) -> None:
    assert kept.satisfies(wanted) is enough


# --- presentation contexts -----------------------------------------------------------------------

def test_a_get_asks_for_as_many_contexts_as_there_is_room_for() -> None:
    few = for_get("1.2.840.10008.5.1.4.1.2.2.3", ["1.2.840.10008.5.1.4.1.1.2"])
    assert len(few) == 1 + len(AllTransferSyntaxes)
    assert all(len(c.transfer_syntax) == 1 for c in few[1:])
    many = for_get("1.2.840.10008.5.1.4.1.2.2.3",
                   [f"1.2.840.10008.5.1.4.1.1.{n}" for n in range(1, 101)])
    assert len(many) == 128
    assert len({str(c.abstract_syntax) for c in many[1:]}) == 100


def test_a_sender_keeps_its_order_of_syntaxes() -> None:
    from pynetdicom import build_context

    ct = "1.2.840.10008.5.1.4.1.1.2"
    jpeg, implicit, explicit = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
    (found,) = accepted([build_context(ct, jpeg), build_context(ct, [implicit, explicit])])
    assert list(found.transfer_syntax) == [jpeg, implicit, explicit]
    assert accepted([build_context("1.2.840.10008.5.1.4.1.2.2.1")]) == []
    assert is_storage("1.2.840.10008.5.1.4.1.1.66.7")


# --- TLS -----------------------------------------------------------------------------------------

def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    assert server_context(Settings()) is None
    assert client_context(Node("a"), Settings()) is None
    with pytest.raises(UsageError, match="certificate or its key"):
        server_context(Settings(tls_cert=tmp_path / "none"))
    with pytest.raises(UsageError, match="certificate authorities") as error:
        client_context(Node("a", host="h", tls=True, tls_ca=tmp_path / "none"), Settings())
    assert "nodes.a.tls_ca" in error.value.hint
