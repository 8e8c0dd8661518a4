"""Questions to a real archive, over C-FIND and QIDO-RS: every level equals what was stored."""

import csv
import io
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE, evt

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerFailed, PeerRefused, PeerUnreachable, UsageError
from rtgraph.pacs.dimse import finder
from rtgraph.pacs.echo import echo
from rtgraph.pacs.find import asked, find
from rtgraph.pacs.peer import Peer
from rtgraph.pacs.query import Level, Query, conditions
from tests.conftest import DATA
from tests.data import peers
from tests.data.peers import Orthanc
from tests.data.small import new, uid
from tests.server.conftest import Run
from tests.server.pacs.conftest import real_files

SETTINGS = Settings(silence=10.0, connect=2.0)
NAMES = ["MÜLLER^JÜRGEN", "CANARY^ANNA", "O'BRIEN^(X)"]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    """Three patients with two studies of two series of three objects each."""
    found = []
    for p in range(3):
        for t in range(2):
            for s, modality in enumerate(("CT", "RTPLAN")):
                for i in range(3):
                    name = f"{p}.{t}.{s}"
                    ds = new(f"{name}.{i}", patient=f"PAT-{p}", study=f"{p}.{t}", series=name,
                             modality=modality, StudyDate=f"20240{p + 1}0{t + 1}",
                             SpecificCharacterSet="ISO_IR 192", AccessionNumber=f"A{p}{t}")
                    ds.PatientName = NAMES[p]
                    found.append(ds)
    return found


@pytest.fixture(scope="module")
def filled(archive: Orthanc, held: list[Dataset], tmp_path_factory: pytest.TempPathFactory
           ) -> Orthanc:
    folder = tmp_path_factory.mktemp("held")
    for n, ds in enumerate(held):
        ds.save_as(folder / f"{n}.dcm", enforce_file_format=True)
    archive.add(*sorted(folder.iterdir()))
    archive.knows("rtgraph", "RTGRAPH", 104)
    return archive


def over(archive: Orthanc, transport: str) -> Node:
    if transport == "DICOMweb":
        return Node("web", url=f"{archive.url}/dicom-web")
    return Node("test", "ORTHANC", "127.0.0.1", archive.port,
                model="patient" if transport == "patient root" else "study")


TRANSPORTS = ["study root", "patient root", "DICOMweb"]
COUNTED = {
    Level.study: ("NumberOfStudyRelatedSeries", "2"),
    Level.series: ("NumberOfSeriesRelatedInstances", "3"),
}


def expected(held: Sequence[Dataset], level: Level) -> Counter[str]:
    return Counter({str(ds[level.unique].value): 1 for ds in held})


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("level", list(Level))
def test_each_level_is_what_was_stored(
    filled: Orthanc, held: list[Dataset], transport: str, level: Level
) -> None:
    node = over(filled, transport)
    if level is Level.patient and transport != "patient root":
        with pytest.raises(UsageError, match="not asked for patients"):
            find([node], SETTINGS, Query(level))
        return
    (found,) = find([node], SETTINGS, Query(level))
    assert found.error is None
    assert Counter(row[level.unique] for row in found.rows) == expected(held, level)
    if level in COUNTED:
        keyword, n = COUNTED[level]
        assert {row[keyword] for row in found.rows} == {n}
    if level is Level.image:
        assert {row["SOPClassUID"] for row in found.rows} == {str(held[0].SOPClassUID)}


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
def test_each_level_of_real_sets_and_a_cohort(cohort: list[Path], tmp_path: Path) -> None:
    files = [*cohort, *real_files()]
    stored = [dcmread(f, stop_before_pixels=True, force=True) for f in files]
    patient = Settings(silence=60.0)
    with peers.orthanc(tmp_path) as archive:
        archive.add(*files)
        archive.knows("rtgraph", "RTGRAPH", 104)
        for transport in TRANSPORTS:
            for level in (Level.study, Level.series, Level.image):
                (found,) = find([over(archive, transport)], patient, Query(level))
                assert found.error is None
                # two patients have the same study: some archives list it for each
                assert {row[level.unique] for row in found.rows} == set(expected(stored, level))
        (found,) = find([over(archive, "patient root")], patient, Query(Level.patient))
        assert {row["PatientID"] or "" for row in found.rows} == {
            str(ds.get("PatientID") or "") for ds in stored}


CASES: list[tuple[str, Level, list[str], Mapping[str, Any]]] = [
    # name                level          conditions                             matching objects
    ("one UID",           Level.study,   [f"StudyInstanceUID={uid('1.0')}"],
     {"StudyInstanceUID": [uid("1.0")]}),
    ("list of UIDs",      Level.study,   [f"StudyInstanceUID={uid('1.0')},{uid('2.1')}"],
     {"StudyInstanceUID": [uid("1.0"), uid("2.1")]}),
    ("UIDs, repeated",    Level.study,
     [f"StudyInstanceUID={uid('1.0')}", f"StudyInstanceUID={uid('2.1')}"],
     {"StudyInstanceUID": [uid("1.0"), uid("2.1")]}),
    ("ID",                Level.study,   ["PatientID=PAT-2"],
     {"PatientID": ["PAT-2"]}),
    ("wildcard",          Level.study,   ["PatientID=PAT-?"],                   {}),
    ("name with a star",  Level.study,   ["PatientName=CAN*"],
     {"PatientID": ["PAT-1"]}),
    ("name, not ASCII",   Level.study,   ["PatientName=MÜLL*"],
     {"PatientID": ["PAT-0"]}),
    ("name, brackets",    Level.study,   ["PatientName=O'BRIEN^(X)"],
     {"PatientID": ["PAT-2"]}),
    ("date",              Level.study,   ["StudyDate=2024-01-02"],
     {"StudyDate": ["20240102"]}),
    ("range of dates",    Level.study,   ["StudyDate=2024-01-02..2024-02-01"],
     {"StudyDate": ["20240102", "20240201"]}),
    ("until",             Level.study,   ["StudyDate=..2024-01-31"],
     {"StudyDate": ["20240101", "20240102"]}),
    ("since, as DICOM",   Level.study,   ["StudyDate=20240301-"],
     {"StudyDate": ["20240301", "20240302"]}),
    ("modality",          Level.series,  ["Modality=RTPLAN", "PatientID=PAT-1"],
     {"Modality": ["RTPLAN"], "PatientID": ["PAT-1"]}),
    ("objects of series", Level.image,
     [f"StudyInstanceUID={uid('0.0')}", f"SeriesInstanceUID={uid('0.0.1')}"],
     {"SeriesInstanceUID": [uid("0.0.1")]}),
    ("nothing",           Level.study,   ["PatientID=NOBODY"],                  {"PatientID": []}),
]  # fmt: skip


# Orthanc's plugin of this age does not decode what must be escaped in a URL.
ESCAPED = {"name, not ASCII", "name, brackets"}
OVER = [(transport, *c) for c in CASES for transport in ("study root", "DICOMweb")
        if transport == "study root" or c[0] not in ESCAPED]


@pytest.mark.parametrize(("transport", "level", "texts", "of"), [(c[0], *c[2:]) for c in OVER],
                         ids=[f"{c[1]}, {c[0]}" for c in OVER])
def test_conditions(
    filled: Orthanc, held: list[Dataset], transport: str, level: Level, texts: list[str],
    of: Mapping[str, Any],
) -> None:
    (found,) = find([over(filled, transport)], SETTINGS, Query(level, conditions(texts)))
    assert found.error is None
    matching = {str(ds[level.unique].value) for ds in held
                if all(ds[k].value in values for k, values in of.items())}
    assert sorted(row[level.unique] for row in found.rows) == sorted(matching)


def test_a_limit_ends_the_question_and_not_the_association(filled: Orthanc) -> None:
    with finder(Peer(over(filled, "study root"), SETTINGS)) as one:
        assert len(list(one.find(Query(Level.image), 5))) == 5
        assert len(list(one.find(Query(Level.study)))) == 6
    with asked(over(filled, "DICOMweb"), SETTINGS) as web:
        assert len(list(web.find(Query(Level.image), 5))) == 5


# --- faults --------------------------------------------------------------------------------------

@contextmanager
def silent_peer(accept: bool) -> Iterator[int]:
    """Something that listens and says nothing, or does not even take connections."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if accept:
            listener.listen()
        yield listener.getsockname()[1]


def error_of(node: Node, settings: Settings = SETTINGS) -> Any:
    (found,) = find([node], settings, Query(Level.study))
    return found.error


def test_a_wrong_called_title_is_named(filled: Orthanc) -> None:
    error = error_of(Node("test", "OTHER", "127.0.0.1", filled.port))
    assert isinstance(error, PeerRefused)
    assert not error.transient
    assert "its AE title is another one" in str(error)
    assert "nodes.test.ae_title" in error.hint


def test_a_stranger_may_not_ask(filled: Orthanc) -> None:
    error = error_of(over(filled, "study root"), Settings(ae_title="STRANGER", silence=5.0))
    assert isinstance(error, PeerRefused | PeerFailed | PeerUnreachable)
    assert error.exit_code == 3


@pytest.mark.parametrize("accept", [False, True], ids=["no route", "silent"])
def test_a_peer_that_is_not_there(accept: bool) -> None:
    began = time.monotonic()
    with silent_peer(accept) as port:
        error = error_of(Node("test", "ANY", "127.0.0.1", port), Settings(silence=1.0, connect=1.0))
    assert isinstance(error, PeerUnreachable)
    assert error.transient
    assert ("does not answer" in str(error)) is accept
    assert time.monotonic() - began < 20


def test_a_url_that_is_no_service(filled: Orthanc) -> None:
    assert isinstance(error_of(Node("test", url=f"{filled.url}/nowhere")), PeerFailed)
    with silent_peer(False) as port:
        error = error_of(Node("test", url=f"http://127.0.0.1:{port}/dicom-web"))
    assert isinstance(error, PeerUnreachable)


FAILURES = [
    # name                   status    transient   said
    ("out of resources",     0xA700,   True,       "out of resources"),
    ("does not match",       0xA900,   False,      "the request does not fit its model"),
    ("cannot process",       0xC001,   False,      "status C001"),
]


@pytest.mark.parametrize(("status", "transient", "said"), [c[1:] for c in FAILURES],
                         ids=[c[0] for c in FAILURES])
def test_a_failure_in_the_middle_of_the_answers(status: int, transient: bool, said: str) -> None:
    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        row = Dataset()
        row.QueryRetrieveLevel, row.StudyInstanceUID = "STUDY", "1.2.3"
        yield 0xFF00, row
        yield status, None

    with peer_of_pynetdicom((evt.EVT_C_FIND, answer)) as port:
        error = error_of(Node("test", "ANY", "127.0.0.1", port))
    assert isinstance(error, PeerFailed)
    assert (error.transient, error.status) == (transient, status)
    assert said in str(error)


def test_an_association_that_is_aborted_in_the_middle() -> None:
    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        row = Dataset()
        row.QueryRetrieveLevel, row.StudyInstanceUID = "STUDY", "1.2.3"
        yield 0xFF00, row
        event.assoc.abort()
        yield 0x0000, None

    with peer_of_pynetdicom((evt.EVT_C_FIND, answer)) as port:
        error = error_of(Node("test", "ANY", "127.0.0.1", port))
    assert isinstance(error, PeerUnreachable)
    assert "stopped answering" in str(error)


@contextmanager
def peer_of_pynetdicom(*handlers: Any, identity: Any = None) -> Iterator[int]:
    """An archive that does what no real one does on request."""
    ae = AE("ANY")
    for sop_class in ("1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.1"):
        ae.add_supported_context(sop_class)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=list(handlers))
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def test_an_echo_is_told(filled: Orthanc) -> None:
    yes = echo(over(filled, "study root"), SETTINGS)
    assert (yes.error, yes.peer[:7]) == ("", "OFFIS_D")
    assert echo(over(filled, "DICOMweb"), SETTINGS).error == ""
    with silent_peer(False) as port:
        assert "cannot be reached" in echo(Node("t", "A", "127.0.0.1", port), SETTINGS).error


# --- TLS and identity ----------------------------------------------------------------------------

@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return peers.certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secured(tls: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with peers.orthanc(
        tmp_path_factory.mktemp("secured"), {"rtgraph": ["RTGRAPH", "127.0.0.1", 104]},
        DicomTlsEnabled=True, DicomTlsCertificate=str(tls["server.crt"]),
        DicomTlsPrivateKey=str(tls["server.key"]),
        DicomTlsTrustedCertificates=str(tls["ca.crt"]), DicomTlsRemoteCertificateRequired=True,
        DicomAlwaysAllowFind=True,
    ) as found:
        yield found


TLS_CASES: list[tuple[str, dict[str, str], str | None, bool]] = [
    # name                   files of the node and name           own certificate   works
    ("both certificates",    {"tls_ca": "ca.crt"},                "client",         True),
    ("no own certificate",   {"tls_ca": "ca.crt"},                None,             False),
    ("other authority",      {"tls_ca": "other.crt"},             "client",         False),
    ("own of another",       {"tls_ca": "ca.crt"},                "other",          False),
    ("other name",           {"tls_ca": "ca.crt", "name": "x.y"}, "client",         False),
]


@pytest.mark.parametrize(("files", "own", "works"), [c[1:] for c in TLS_CASES],
                         ids=[c[0] for c in TLS_CASES])
def test_tls(
    secured: Orthanc, tls: dict[str, Path], files: dict[str, str], own: str | None, works: bool
) -> None:
    node = Node("test", "ORTHANC", "localhost", secured.port, tls=True,
                tls_ca=tls[files["tls_ca"]], tls_name=files.get("name"))
    settings = Settings(silence=5.0, connect=5.0, tls_cert=tls[f"{own}.crt"] if own else None,
                        tls_key=tls[f"{own}.key"] if own else None)
    error = error_of(node, settings)
    assert (error is None) is works
    assert works or isinstance(error, PeerUnreachable | PeerRefused)


IDENTITIES = [
    # name                 user      passcode    accepted
    ("right",              "anna",   "secret",   True),
    ("wrong passcode",     "anna",   "other",    False),
    ("user alone",         "anna",   None,       False),
    ("nobody",             None,     None,       True),
]


@pytest.mark.parametrize(("user", "passcode", "accepted"), [c[1:] for c in IDENTITIES],
                         ids=[c[0] for c in IDENTITIES])
def test_user_identity(
    tmp_path: Path, user: str | None, passcode: str | None, accepted: bool
) -> None:
    def known(event: Any) -> tuple[bool, None]:
        return (event.primary_field, event.secondary_field) == (b"anna", b"secret"), None

    file = None
    if passcode is not None:
        file = tmp_path / "passcode"
        file.write_text(f"{passcode}\n", encoding="utf-8")
    with peer_of_pynetdicom((evt.EVT_USER_ID, known), (evt.EVT_C_ECHO, lambda e: 0)) as port:
        answer = echo(Node("test", "ANY", "127.0.0.1", port, user=user, passcode_file=file),
                      SETTINGS)
    assert (answer.error == "") is accepted
    assert "secret" not in answer.error


# --- the commands --------------------------------------------------------------------------------

@pytest.fixture
def run(inside: Run, folder: Path) -> Run:
    """Run a command in an empty folder, without settings of the user."""
    return partial(inside, XDG_CONFIG_HOME=str(folder))


@pytest.fixture
def settings(filled: Orthanc, folder: Path) -> None:
    with silent_peer(False) as port:
        pass
    (folder / "rtgraph.toml").write_text(
        f'[nodes.clinic]\nae_title = "ORTHANC"\nhost = "127.0.0.1"\nport = {filled.port}\n'
        f'[nodes.web]\nurl = "{filled.url}/dicom-web"\n'
        f'[nodes.gone]\nae_title = "X"\nhost = "127.0.0.1"\nport = {port}\n', encoding="utf-8")


def n_rows(text: str, output_format: str) -> int:
    if output_format == "table":
        return len(text.splitlines()) - 2
    if output_format == "csv":
        return len(list(csv.DictReader(io.StringIO(text))))
    if output_format == "json":
        return len(json.loads(text)["rows"])
    return len([json.loads(line) for line in text.splitlines()])


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("output_format", ["table", "csv", "json", "jsonl"])
def test_the_answers_are_printed_without_values_of_patients(
    run: Run, output_format: str
) -> None:
    ran = run("pacs", "find", "--node", "clinic", "-f", output_format, "-r", "PatientName",
              "-r", "StudyDate", "PatientID=PAT-1")
    assert ran.code == 0, ran.stderr
    assert ran.stderr == "2 found\n"
    assert "CANARY" not in ran.stdout
    assert "hidden" in ran.stdout
    assert n_rows(ran.stdout, output_format) == 2
    shown = run("pacs", "find", "--node", "clinic", "-f", output_format, "--identifiers",
                "-r", "PatientName", "PatientID=PAT-1")
    assert "CANARY^ANNA" in shown.stdout


@pytest.mark.usefixtures("settings")
def test_one_archive_that_fails_does_not_hide_the_other(run: Run) -> None:
    ran = run("pacs", "find", "-n", "gone", "-n", "clinic", "-n", "web", "-f", "csv")
    assert ran.code == 3
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    assert Counter(r["archive"] for r in rows) == {"clinic": 6, "web": 6}
    assert "gone cannot be reached" in ran.stderr


@pytest.mark.usefixtures("settings")
def test_all_archives_are_echoed(run: Run) -> None:
    ran = run("pacs", "echo", "-f", "json")
    assert ran.code == 3
    answers = {a["node"]: a["error"] for a in json.loads(ran.stdout)["archives"]}
    assert [name for name, error in answers.items() if not error] == ["clinic", "web"]
    assert run("pacs", "echo", "--node", "web").code == 0


def test_a_passcode_as_plain_text_is_told(run: Run, folder: Path) -> None:
    with silent_peer(False) as port:
        pass
    (folder / "passcode").write_text("secret\n", encoding="utf-8")
    (folder / "rtgraph.toml").write_text(
        f'[nodes.gone]\nae_title = "X"\nhost = "127.0.0.1"\nport = {port}\nuser = "anna"\n'
        f'passcode_file = "{(folder / "passcode").as_posix()}"\n', encoding="utf-8")
    ran = run("pacs", "echo")
    assert "The passcode of gone crosses the network as plain text: TLS is off." in ran.stderr
    assert "secret" not in ran.stdout + ran.stderr


WRONG = [
    # name               words                                       said
    ("no condition",     ["find", "-n", "web", "PAT-1"],             "given as Keyword=value"),
    ("no attribute",     ["find", "-n", "web", "PatientIdent=1"],    "Did you mean Patient"),
    ("return nothing",   ["find", "-n", "web", "-r", "Sudy"],        "Did you mean"),
    ("no such archive",  ["find", "-n", "clinc"],                    "Did you mean clinic?"),
    ("which archive",    ["find"],                                   "Choose with --node"),
    ("patients",         ["find", "-n", "web", "--level", "patient"], "not asked for patients"),
]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(("words", "said"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_what_is_wrong_is_said(run: Run, words: list[str], said: str) -> None:
    ran = run("pacs", *words)
    assert ran.code == 2
    assert said in ran.stderr


def test_an_archive_is_needed(run: Run) -> None:
    ran = run("pacs", "find")
    assert ran.code == 2
    assert "Add a section [nodes.NAME]" in ran.stderr
