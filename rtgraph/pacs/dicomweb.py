"""An archive over DICOMweb: QIDO-RS and WADO-RS (PS3.18 10.4 and 10.6)."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any

import requests
from dicomweb_client.web import DICOMwebClient
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from rtgraph.config import Node, Settings
from rtgraph.errors import PeerError, PeerFailed, PeerRefused, PeerUnreachable
from rtgraph.ingest.oddscan import DAMAGED
from rtgraph.ingest.reading import file_meta
from rtgraph.pacs.answer import Answers
from rtgraph.pacs.part10 import Arrived
from rtgraph.pacs.query import Level, Query, Row
from rtgraph.pacs.request import Fetched, Request
from rtgraph.pacs.storing import Folder

# Both are about servers that break the Standard, and may quote what they answer.
warnings.filterwarnings("ignore", module="dicomweb_client")
logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL + 1)
PAGE = 1000
_UNESCAPED = {"*": "%2A", "?": "%3F", ",": "%2C"}
_ANY_SYNTAX = (("application/dicom", "*"),)
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class _Session(requests.Session):
    """Leaves signs in queries as they are that need no escape (RFC 3986 3.4).

    Some servers match wildcards and lists before they decode them.
    """

    def get(self, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        """Send a request."""
        path, mark, query = str(url).partition("?")
        for sign, escaped in _UNESCAPED.items():
            query = query.replace(escaped, sign)
        return super().get(f"{path}{mark}{query}", *args, **options)


class Web:
    """Asks and fetches over HTTP."""

    def __init__(self, node: Node, settings: Settings) -> None:
        assert node.url is not None
        self.node, self._http = node, _Session()
        if node.user is not None:
            self._http.auth = (node.user, node.read_passcode() or "")
        if node.tls_ca is not None:
            self._http.verify = str(node.tls_ca)
        if settings.tls_cert is not None:
            self._http.cert = (str(settings.tls_cert), str(settings.tls_key)) if (
                settings.tls_key) else str(settings.tls_cert)
        self._client = DICOMwebClient(
            node.url, self._http, permissive_uid=True,
            timeout=(settings.connect or None, settings.silence or None))
        self._client.set_http_retry_params(retry=False)  # `again.patiently` is the one policy

    def find(self, query: Query, limit: int | None = None) -> Iterator[Row]:
        """Yield the answers to a question, page by page; a page without news is the last."""
        search: Any = {Level.study: self._client.search_for_studies,
                       Level.series: self._client.search_for_series,
                       Level.image: self._client.search_for_instances}[query.level]
        above, filters = _path(query)
        seen: set[str] = set()
        while limit is None or len(seen) < limit:
            before = len(seen)
            with self._errors("QIDO-RS"):
                page = search(**above, fields=list(query.columns), search_filters=filters,
                              limit=min(PAGE, (limit or PAGE) - len(seen)) if limit else PAGE,
                              offset=len(seen))
            for found in page:
                row = row_of(found, query.columns)
                key = str(row[query.level.unique])
                if key not in seen and (limit is None or len(seen) < limit):
                    seen.add(key)
                    yield row
            if len(seen) == before:
                return

    def objects(self, request: Request) -> Iterator[bytes]:
        """Yield the files of a request, each as it comes."""
        if not request.sop_uids:
            yield from self._each(lambda: self._client.iter_series(
                request.study_uid, request.series_uid, media_types=_ANY_SYNTAX))
        for uid in request.sop_uids:
            yield from self._each(partial(self._one, request, uid))

    def _one(self, request: Request, uid: str) -> Iterator[Dataset]:
        yield self._client.retrieve_instance(
            request.study_uid, request.series_uid, uid, media_types=_ANY_SYNTAX)

    def _each(self, retrieve: Callable[[], Iterator[Dataset]]) -> Iterator[bytes]:
        """Yield files; what the archive announced and does not have any more is no error."""
        try:
            with self._errors("WADO-RS"):
                for ds in retrieve():
                    yield _bytes(ds)
        except PeerFailed as error:
            if error.status not in _GONE:
                raise

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn what `requests` raises into errors that say what to do."""
        name = self.node.name
        try:
            yield
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            raise _refused(name, what, status) from error
        except requests.exceptions.SSLError as error:
            raise PeerRefused(f"{name} has no certificate that is trusted.",
                              f"Set nodes.{name}.tls_ca.") from error
        except requests.RequestException as error:
            raise PeerUnreachable(f"{name} does not answer {what}.") from error
        except (ValueError, *DAMAGED) as error:
            raise PeerFailed(f"{name} answers {what} with something else.",
                             f"Is nodes.{name}.url the address of its DICOMweb service?"
                             ) from error

    def give_up(self) -> None:
        """End it, from another thread; what is open ends with its timeout."""
        self._http.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class WebFetcher:
    """Fetches over WADO-RS; what comes is stored as if it had come by C-STORE."""

    def __init__(self, node: Node, settings: Settings, answers: Answers, folder: Folder) -> None:
        self._web, self._answers, self._session = Web(node, settings), answers, folder.session()
        self._last, self._cancelled = time.monotonic(), False
        self._sender = (node.ae_title or node.name)[:16]

    def fetch(self, request: Request) -> Fetched:
        """Fetch objects; they have arrived when this returns."""
        fetched, failed = Fetched(), set()
        self._last = time.monotonic()
        for raw in self._web.objects(request):
            self._last = time.monotonic()
            if self._cancelled:
                break
            o = _arrived(raw, self._sender)
            if self._answers.answer(o, self._session):
                failed.add(o.sop_uid)
            else:
                fetched.completed += 1
        fetched.failed, fetched.failed_uids = len(failed), frozenset(failed)
        return fetched

    def cancel(self) -> None:
        """End after the object that is coming."""
        self._cancelled = True

    def silent(self) -> float:
        """Return for how many seconds nothing has come."""
        return time.monotonic() - self._last

    def give_up(self) -> None:
        """Close the connection; the timeout of the session ends what waits."""
        self._web.close()

    def close(self) -> None:
        """Close the connection and sync what came."""
        self._web.close()
        self._session.close()


@contextmanager
def session(node: Node, settings: Settings) -> Iterator[Web]:
    """Open a session for questions."""
    web = Web(node, settings)
    try:
        yield web
    finally:
        web.close()


def _path(query: Query) -> tuple[dict[str, str], dict[str, str]]:
    """Split keys into those of the resource's path and those of the search."""
    filters = {k: v.replace("\\", ",") for k, v in query.keys.items()}
    above: dict[str, str] = {}
    for level, name, keyword in (
        (Level.study, "study_instance_uid", "StudyInstanceUID"),
        (Level.series, "series_instance_uid", "SeriesInstanceUID"),
    ):
        value = filters.get(keyword, "")
        if query.level in list(Level)[list(Level).index(level) + 1:] and value and (
                not set(value) & set(",*?")) and (level is Level.study or above):
            above[name] = filters.pop(keyword)
    return above, filters


def row_of(found: Mapping[str, Any], columns: Sequence[str]) -> Row:
    """Return an answer in the DICOM JSON model (PS3.18 F.2) as text by keyword."""
    return {keyword: _text(found.get(f"{tag_for_keyword(keyword):08X}")) for keyword in columns}


def _text(element: Mapping[str, Any] | None) -> str | list[str] | None:
    values = [v for v in (element or {}).get("Value", ()) if v is not None]
    texts = [str(v.get("Alphabetic", "")) if isinstance(v, Mapping) else str(v) for v in values]
    return (texts[0] if len(texts) == 1 else texts) if texts else None


def _bytes(ds: Dataset) -> bytes:
    """Return the file that a data set was read from, byte for byte."""
    buffer = getattr(ds, "buffer", None)
    assert isinstance(buffer, BytesIO)
    return buffer.getvalue()


def _arrived(raw: bytes, sender: str) -> Arrived:
    meta, start = file_meta(raw)
    return Arrived(meta.get("MediaStorageSOPClassUID", ""),
                   meta.get("MediaStorageSOPInstanceUID", ""),
                   meta.get("TransferSyntaxUID", ""), sender, memoryview(raw)[start:])


def _refused(name: str, what: str, status: int) -> PeerError:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return PeerRefused(f"{name} refuses {what}: HTTP {status}.",
                           f"Set nodes.{name}.user and passcode_file.")
    return PeerFailed(f"{name} fails {what}: HTTP {status}.", status=status,
                      transient=status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR)
