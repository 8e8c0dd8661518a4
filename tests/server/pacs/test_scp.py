"""The receiver, with storescu of DCMTK and odd peers: what it takes, answers and refuses."""

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE

from rtgraph.pacs import disk
from rtgraph.pacs.storing import Folder, Outcome
from tests.conftest import DATA
from tests.data import peers
from tests.data.small import new, write_object
from tests.server.pacs.conftest import Receive, Receiver, until

SENT = 120  # files of the cohort that are sent


# --- what is taken -------------------------------------------------------------------------------

def test_every_object_of_the_cohort_is_there_as_it_was_sent(
    receive: Receive, cohort: list[Path]
) -> None:
    scp = receive()
    some = cohort[::max(1, len(cohort) // SENT)]
    assert peers.store(scp.port, some, "--propose-lossless").returncode == 0
    assert len(scp.stored) == len(some) == len(scp.files())
    received = {s.uids.sop_uid: dcmread(s.path) for s in scp.stored}
    for file in some:
        ds = dcmread(file)
        assert received[ds.SOPInstanceUID] == ds
        assert received[ds.SOPInstanceUID].file_meta.SourceApplicationEntityTitle == "TESTER"


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
@pytest.mark.parametrize("name", ["oncentra-phantom", "raystation-proton", "monaco-hn"])
def test_real_objects_are_there_as_they_were_sent(receive: Receive, name: str) -> None:
    scp = receive()
    files = sorted((DATA / name).rglob("*.dcm"))
    assert peers.store(scp.port, files, "--required").returncode == 0
    received = {s.uids.sop_uid: s.path for s in scp.stored}
    assert len(received) == len(files)
    for file in files:
        ds = dcmread(file, force=True)
        assert dcmread(received[ds.SOPInstanceUID]) == ds


COMPRESSED = [
    # name             made by          option of storescu   transfer syntax
    ("JPEG lossless",  "dcmcjpeg",      "-xs",               "1.2.840.10008.1.2.4.70"),
    ("JPEG-LS",        "dcmcjpls",      "-xt",               "1.2.840.10008.1.2.4.80"),
    ("RLE",            "dcmcrle",       "-xr",               "1.2.840.10008.1.2.5"),
    ("deflated",       "dcmconv +td",   "-xd",               "1.2.840.10008.1.2.1.99"),
    ("implicit",       "dcmconv +ti",   "-xi",               "1.2.840.10008.1.2"),
    ("big endian",     "dcmconv +tb",   "-xb",               "1.2.840.10008.1.2.2"),
]


@pytest.mark.parametrize(("made_by", "option", "syntax"), [c[1:] for c in COMPRESSED],
                         ids=[c[0] for c in COMPRESSED])
def test_no_transfer_syntax_is_converted(
    receive: Receive, cohort: list[Path], tmp_path: Path, made_by: str, option: str, syntax: str
) -> None:
    image = next(f for f in cohort if dcmread(f, stop_before_pixels=True).Modality == "CT")
    sent = tmp_path / "sent.dcm"
    command, *options = made_by.split()
    peers.dcmtk(command, *options, image, sent, check=True)
    scp = receive()
    assert peers.store(scp.port, [sent], option).returncode == 0
    (stored,) = scp.stored
    assert dcmread(stored.path).file_meta.TransferSyntaxUID == syntax
    assert dcmread(stored.path) == dcmread(sent)


PRIVATE = "1.2.246.352.70.1.70"
CLASSES = [
    # name                 class                             private settings   taken
    ("newer than known",   "1.2.840.10008.5.1.4.1.1.9999.1", (),                True),
    ("retired",            "1.2.840.10008.5.1.4.1.1.5",      (),                True),
    ("a query",            "1.2.840.10008.5.1.4.1.1.200.4",  ("*",),            False),
    ("private",            PRIVATE,                          (),                False),
    ("private, named",     PRIVATE,                          (PRIVATE,),        True),
    ("private, other",     PRIVATE,                          ("1.2.3",),        False),
    ("private, all",       f"{PRIVATE}.5",                   ("*",),            True),
]


@pytest.mark.parametrize(("sop_class", "private", "taken"), [c[1:] for c in CLASSES],
                         ids=[c[0] for c in CLASSES])
def test_classes(receive: Receive, sop_class: str, private: tuple[str, ...], taken: bool) -> None:
    scp = receive(private=private)
    ds = new("private", sop_class=sop_class)
    with Sender(scp, sop_class) as sender:
        assert (sop_class in sender.accepted) is taken
        assert not taken or sender.send(ds) == 0x0000
    assert len(scp.stored) == taken


class Sender:
    """A peer of pynetdicom, for what storescu does not do."""

    def __init__(self, scp: Receiver, *classes: str, calling: str = "TESTER") -> None:
        ae = AE(calling)
        ae.acse_timeout = ae.dimse_timeout = 10
        for sop_class in classes or (CTImageStorage,):
            ae.add_requested_context(sop_class, ExplicitVRLittleEndian)
        ae.add_requested_context("1.2.840.10008.1.1")
        self.assoc = ae.associate("127.0.0.1", scp.port)

    @property
    def accepted(self) -> list[str]:
        return [str(c.abstract_syntax) for c in self.assoc.accepted_contexts]

    def send(self, ds: object) -> int:
        return int(self.assoc.send_c_store(ds).Status)  # type: ignore[arg-type]

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *error: object) -> None:
        if self.assoc.is_established:
            self.assoc.release()


def test_an_echo_is_answered(receive: Receive) -> None:
    assert peers.dcmtk("echoscu", "127.0.0.1", str(receive().port)).returncode == 0


# --- who may send --------------------------------------------------------------------------------

def test_only_callers_of_the_list_are_accepted(receive: Receive, tmp_path: Path) -> None:
    file = write_object(tmp_path / "one.dcm", "one")
    scp = receive(callers=("ARCHIVE",))
    refused = peers.store(scp.port, [file], calling="STRANGER")
    assert refused.returncode != 0
    assert "Calling AE Title Not Recognized" in refused.stderr
    assert peers.store(scp.port, [file], calling="ARCHIVE").returncode == 0
    assert (len(scp.stored), scp.scp.refused, scp.scp.associations) == (1, 1, 1)
    assert "STRANGER" not in " ".join(scp.said)


ADDRESSES = [
    # name             allowed                  from          taken
    ("loopback",       ("127.0.0.1", "::1"),    "127.0.0.1",  True),
    ("elsewhere",      ("127.0.0.1", "::1"),    "127.0.0.2",  False),
    ("network",        ("127.0.0.0/30",),       "127.0.0.2",  True),
    ("other network",  ("10.0.0.0/8",),         "127.0.0.1",  False),
]


@pytest.mark.parametrize(("allow", "address", "taken"), [c[1:] for c in ADDRESSES],
                         ids=[c[0] for c in ADDRESSES])
def test_only_allowed_addresses_get_an_answer(
    receive: Receive, allow: tuple[str, ...], address: str, taken: bool
) -> None:
    scp = receive(allow=allow)
    ae = AE("TESTER")
    ae.acse_timeout = 10
    ae.add_requested_context("1.2.840.10008.1.1")
    assoc = ae.associate("127.0.0.1", scp.port, bind_address=(address, 0))
    assert assoc.is_established is taken
    assert scp.scp.refused == (0 if taken else 1)
    if taken:
        assoc.release()


def test_more_associations_than_allowed_are_refused_for_now(receive: Receive) -> None:
    scp = receive(associations=2)
    first, second = Sender(scp), Sender(scp)
    assert first.assoc.is_established
    assert second.assoc.is_established
    third = Sender(scp)
    assert third.assoc.is_rejected
    assert third.assoc.acceptor.primitive is not None
    assert third.assoc.acceptor.primitive.result == 0x02  # transient
    for one in (first, second):
        one.assoc.release()


def test_connections_that_ask_for_nothing_take_no_room(receive: Receive) -> None:
    scp = receive(associations=1)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", scp.port)):
            pass

    def accepted() -> bool:
        with Sender(scp) as sender:
            return bool(sender.assoc.is_established)

    until(accepted, 10)  # without it, a minute: the timeout of who is silent


def test_who_says_nothing_is_let_go(receive: Receive) -> None:
    scp = receive(silence=1.0)
    with Sender(scp) as sender:
        assert sender.assoc.is_established
        until(lambda: not scp.scp.open, 15)
    assert scp.scp.unsynced == 0


@pytest.mark.parametrize("size", [4096, 131072, 0])
def test_the_largest_pdu_is_that_of_the_settings(receive: Receive, size: int) -> None:
    with Sender(receive(max_pdu=size)) as sender:
        assert sender.assoc.acceptor.maximum_length == size
        assert sender.send(new("one", PatientComments="x" * 9000)) == 0x0000


def test_objects_that_may_not_be_on_the_disk_are_told(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(paths: object, base: object, *, files: bool) -> None:
        raise OSError(5, "Input/output error")

    scp = receive()
    monkeypatch.setattr(disk, "sync", fails)
    with Sender(scp) as sender:
        assert sender.send(new("one")) == 0x0000
    until(lambda: scp.scp.unsynced, 10)
    assert (scp.scp.unsynced, scp.scp.answers.outcomes.total()) == (1, 1)
    assert scp.said == ["Objects of an association may not be on the disk: Input/output error."]


def test_fifty_associations_at_once(receive: Receive, cohort: list[Path]) -> None:
    scp = receive(associations=50)
    with ThreadPoolExecutor(50) as pool:
        sent = list(pool.map(
            lambda n: peers.store(scp.port, cohort[n * 3 : n * 3 + 3]).returncode, range(50)))
    assert sent == [0] * 50
    assert scp.scp.associations == 50
    assert sorted(s.uids.sop_uid for s in scp.stored) == sorted(
        dcmread(f).SOPInstanceUID for f in cohort[:150])
    assert len(scp.files()) == 150


# --- what is answered ----------------------------------------------------------------------------

def test_a_full_disk_is_a_failure_and_leaves_nothing(receive: Receive, tmp_path: Path) -> None:
    file = write_object(tmp_path / "one.dcm", "one")
    scp = receive(Folder(tmp_path / "received", min_free=1 << 60))
    sent = peers.store(scp.port, [file])
    assert sent.returncode != 0
    assert "Refused: OutOfResources" in sent.stderr or "0xa700" in sent.stderr.lower()
    assert (scp.files(), scp.stored, scp.scp.answers.outcomes) == ([], [], {})
    assert scp.scp.answers.failed.total() == 1


def test_a_small_file_system_that_fills_up(receive: Receive, cohort: list[Path], tmp_path: Path
                                           ) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(small)],
                             capture_output=True).returncode == 0
    try:
        # without the right to mount, the room that is to be left does the same
        free = 0 if mounted else _free(small) - 512 * 1024
        scp = receive(Folder(small / "received", min_free=free))
        with Sender(scp, *{str(dcmread(f).SOPClassUID) for f in cohort[:60]}) as sender:
            answers = {f: sender.send(dcmread(f)) for f in cohort[:60]}
        taken = [f for f, status in answers.items() if status == 0]
        assert 0 < len(taken) < 60
        assert set(answers.values()) == {0x0000, 0xA700}
        assert sorted(dcmread(f).SOPInstanceUID for f in taken) == sorted(
            dcmread(f).SOPInstanceUID for f in scp.files())
        assert all(dcmread(p) for p in scp.files())
    finally:
        if mounted:
            subprocess.run(["umount", str(small)], check=True)


def _free(folder: Path) -> int:
    import shutil

    return shutil.disk_usage(folder).free


def test_an_object_that_is_another_one_is_refused(receive: Receive) -> None:
    scp = receive()
    with Sender(scp) as sender:
        ds = new("one")
        status = sender.assoc.send_c_store(ds)
        assert status.Status == 0x0000
        ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
        other = new("two")
        # the request takes its UID from the data set, so the request is changed on its way
        sent = sender.assoc.dimse.send_msg

        def lie(primitive: object, context_id: int) -> None:
            primitive.AffectedSOPInstanceUID = UID("1.2.3.4")  # type: ignore[attr-defined]
            sent(primitive, context_id)  # type: ignore[arg-type]

        sender.assoc.dimse.send_msg = lie  # type: ignore[method-assign]
        assert sender.assoc.send_c_store(other).Status == 0xA900
    assert len(scp.files()) == 1


def test_a_peer_that_goes_away_in_the_middle_leaves_nothing(receive: Receive) -> None:
    scp = receive()
    whole, cut = new("one"), new("two", PixelData=b"\0" * 4_000_000, BitsAllocated=8)
    sender = Sender(scp)
    assert sender.send(whole) == 0x0000
    connection = sender.assoc.dul.socket
    assert connection is not None
    written = connection.send
    n = 0

    def breaks(bytestream: bytes) -> None:
        nonlocal n
        n += 1
        if n < 20:
            written(bytestream)
        elif isinstance(connection.socket, socket.socket):
            connection.socket.shutdown(socket.SHUT_RDWR)

    connection.send = breaks  # type: ignore[method-assign]
    sender.assoc.send_c_store(cut)
    until(lambda: scp.scp.open == 0)
    assert [s.uids.sop_uid for s in scp.stored] == [whole.SOPInstanceUID]
    assert len(scp.files()) == 1
    with Sender(scp) as again:
        assert again.send(cut) == 0x0000


def test_what_is_sent_twice_is_there_once(receive: Receive, tmp_path: Path) -> None:
    file = write_object(tmp_path / "one.dcm", "one")
    changed = write_object(tmp_path / "changed.dcm", "one", PatientComments="changed")
    scp = receive()
    for sent in (file, file, changed):
        assert peers.store(scp.port, [sent]).returncode == 0
    assert [s.outcome for s in scp.stored] == [
        Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT]
    assert len(scp.files()) == 2


# --- the end -------------------------------------------------------------------------------------

def test_stopping_waits_for_what_is_on_its_way(receive: Receive) -> None:
    scp = receive()
    sender = Sender(scp)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(scp.scp.stop, 20.0)
        until(lambda: _refuses(scp.port))
        assert sender.send(new("one")) == 0x0000
        sender.assoc.release()
        assert stopped.result(20) is True
    assert len(scp.files()) == 1


def test_stopping_ends_who_does_not(receive: Receive) -> None:
    scp = receive()
    sender = Sender(scp)
    assert scp.scp.stop(0.2) is False
    until(lambda: sender.assoc.is_aborted)


def _refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


# --- TLS -----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return peers.certificates(tmp_path_factory.mktemp("tls"))


def tls_options(tls: dict[str, Path], own: str, trusted: str) -> list[str]:
    return ["+tls", str(tls[f"{own}.key"]), str(tls[f"{own}.crt"]), "+cf", str(tls[trusted])]


def test_tls_with_certificates_of_both_sides(
    receive: Receive, tls: dict[str, Path], tmp_path: Path
) -> None:
    file = write_object(tmp_path / "one.dcm", "one")
    scp = receive(tls_cert=tls["server.crt"], tls_key=tls["server.key"], tls_ca=tls["ca.crt"])
    assert peers.store(scp.port, [file]).returncode != 0
    assert peers.store(scp.port, [file], *tls_options(tls, "other", "ca.crt")).returncode != 0
    assert scp.stored == []
    assert peers.store(scp.port, [file], *tls_options(tls, "client", "ca.crt")).returncode == 0
    assert len(scp.files()) == 1


def test_a_handshake_that_never_comes_keeps_nobody_waiting(
    receive: Receive, tls: dict[str, Path], tmp_path: Path
) -> None:
    file = write_object(tmp_path / "one.dcm", "one")
    scp = receive(tls_cert=tls["server.crt"], tls_key=tls["server.key"])
    with socket.create_connection(("127.0.0.1", scp.port)):
        sent = peers.store(scp.port, [file], *tls_options(tls, "client", "ca.crt"))
        assert sent.returncode == 0
