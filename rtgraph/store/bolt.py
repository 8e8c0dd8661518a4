"""The graph over Bolt: with `failures` the only module that imports `neo4j`.

`Store` has five ways in: `prepare` (schema), `read` (the server refuses writes), `change` (one
statement), `write` (the same without repetition, as statements of the schema need it) and
`transact` (several that stand or fall together). Every write of rtgraph is a keyed MERGE, so a
whole batch may be repeated: `failures.retrying` is the one policy for it.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from neo4j import (
    READ_ACCESS,
    WRITE_ACCESS,
    AsyncDriver,
    AsyncGraphDatabase,
    AsyncManagedTransaction,
    AsyncSession,
    GraphDatabase,
    ResultSummary,
)
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DriverError,
    Neo4jError,
)
from neo4j.graph import Node, Path, Relationship
from neo4j.time import Date, DateTime, Duration, Time

from rtgraph.errors import (
    NotPermitted,
    OlderGraph,
    ServerError,
    ServerRefused,
    UsageError,
)
from rtgraph.graphmodel.schema import Schema
from rtgraph.store.failures import retrying, translated

T = TypeVar("T")
Row = dict[str, Any]
OLDEST_SERVER = (5, 26)
SCHEMES = frozenset(
    f"{scheme}{tls}" for scheme in ("bolt", "neo4j") for tls in ("", "+s", "+ssc"))

# The driver logs each deadlock it has already handled; users would read pages of lock messages.
logging.getLogger("neo4j").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Counters:
    """What a statement changed, as the server counted it."""

    nodes_created: int = 0
    nodes_deleted: int = 0
    relationships_created: int = 0
    relationships_deleted: int = 0

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(
            self.nodes_created + other.nodes_created,
            self.nodes_deleted + other.nodes_deleted,
            self.relationships_created + other.relationships_created,
            self.relationships_deleted + other.relationships_deleted,
        )


def answers(uri: str, user: str, password: str, timeout: float = 2.0) -> bool:
    """Tell whether the server answers a query; a port that is open is not enough.

    Raises
    ------
    ServerRefused
        The login is refused.
    """
    try:
        with GraphDatabase.driver(
            uri, auth=(user, password), connection_timeout=timeout,
            connection_acquisition_timeout=timeout, max_transaction_retry_time=0,
        ) as driver:
            driver.execute_query("RETURN 1")
    except AuthError as error:
        raise ServerRefused("The server refuses the user name or the password.") from error
    except (DriverError, Neo4jError, OSError):
        return False
    return True


class Transaction:
    """A transaction that is open, or a session, in which each statement is one of its own."""

    def __init__(self, transaction: AsyncManagedTransaction | AsyncSession) -> None:
        self._transaction = transaction
        self.counters = Counters()

    async def run(self, statement: str, /, **parameters: object) -> list[Row]:
        """Run a statement and return its rows; what it changed is added to `counters`."""
        result = await self._transaction.run(statement, dict(parameters))
        rows = [{k: _plain(v) for k, v in dict(record).items()} async for record in result]
        self.counters += _counted(await result.consume())
        return rows


class Store:
    """The graph over Bolt. Nothing else in rtgraph reaches the driver.

    Parameters
    ----------
    uri, user, password, database : str
        `bolt` or `neo4j` address, with `+s` or `+ssc` for TLS; `database` None is the user's own.
    patience : float
        Seconds that a batch or a question is tried again while the server is away.

    Attributes
    ----------
    retries : int
        Transactions that had to be repeated so far.
    """

    def __init__(
        self, uri: str, user: str, password: str, database: str | None = None,
        patience: float = 60.0,
    ) -> None:
        self.uri, self.database, self.patience = uri, database, patience
        self.version = ""
        self.retries = 0
        if uri.partition("://")[0] not in SCHEMES:
            raise UsageError(
                "The address of the server is not understood.",
                "Use bolt://host:port or neo4j://host:port, with +s or +ssc for TLS.")
        try:
            self._driver: AsyncDriver = AsyncGraphDatabase.driver(
                uri, auth=(user, password), notifications_min_severity="OFF",
                warn_notification_severity="OFF", user_agent="rtgraph",
                max_transaction_retry_time=min(30.0, patience),
            )
        except (ConfigurationError, ValueError) as error:
            raise UsageError("The address of the server is not understood.",
                             "Use bolt://host:port or neo4j://host:port.") from error

    async def __aenter__(self) -> "Store":
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Reach the server and check that it is new enough."""
        try:
            info = await self._driver.get_server_info()
            await self._driver.execute_query("RETURN 1", database_=self.database)
        except (DriverError, Neo4jError, OSError, ValueError) as error:
            await self.close()
            raise translated(error) from error
        self.version = info.agent.removeprefix("Neo4j/")
        found = re.match(r"(\d+)\.(\d+)", self.version)
        if found and (int(found[1]), int(found[2])) < OLDEST_SERVER:
            await self.close()
            raise ServerRefused(
                f"The server is Neo4j {self.version}; rtgraph needs 5.26 or newer.",
                "Upgrade the server, or leave out the URI to use the managed one.",
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.close()

    async def prepare(self, schema: Schema, *, upgrade: bool = False) -> str:
        """Apply constraints and indexes, write the Schema and ReferenceRole nodes.

        Parameters
        ----------
        upgrade : bool
            Whether a graph of a former version becomes one of this version: the caller then reads
            its files again.

        Returns
        -------
        str
            The key of the store, 64 hex digits, from which `patient_key` values are made.

        Raises
        ------
        ServerRefused
            The graph was written by a newer rtgraph.
        OlderGraph
            It was written by a former one, and is not to be upgraded.
        NotPermitted
            Constraints are missing and the user may not create them.
        """
        found = await self.read("MATCH (s:Schema) RETURN s.version AS version, s.key AS key")
        if found and found[0]["version"] == schema.version:
            return str(found[0]["key"])
        if found and found[0]["version"] > schema.version:
            raise ServerRefused(
                f"The graph has schema version {found[0]['version']}, this rtgraph writes "
                f"{schema.version}.",
                "Upgrade rtgraph, or use another database or home.",
            )
        if found and not upgrade:
            raise OlderGraph(found[0]["version"], schema.version)
        await self.constrain(schema)

        async def write_schema(transaction: Transaction) -> str:
            rows = await transaction.run(
                schema.schema_node, key=schema.new_key(), version=schema.version
            )
            await transaction.run(schema.roles_statement, rows=schema.roles)
            return str(rows[0]["key"])

        return await self.transact(write_schema)

    async def constrain(self, schema: Schema) -> list[str]:
        """Create the constraints and indexes that are absent; return their statements.

        What exists is not asked for again, so that a user who may not create any can use a database
        that an administrator has prepared.

        Raises
        ------
        NotPermitted
            Some are absent and the user may not create them.
        """
        missing = await self.missing(schema)
        try:
            for statement in missing:
                await self.write(statement)
        except NotPermitted as error:
            raise NotPermitted(
                f"{error} {len(missing)} constraints and indexes are missing.",
                "Let an administrator of the database run what `rtgraph db schema --print` prints.",
            ) from error
        if missing:
            await self.write("CALL db.awaitIndexes(300)")
        return missing

    async def missing(self, schema: Schema) -> list[str]:
        """Return the statements of the constraints and indexes that are absent."""
        names = {r["name"] for kind in ("CONSTRAINTS", "INDEXES")
                 for r in await self.read(f"SHOW {kind} YIELD name RETURN name")}
        return schema.absent(names)

    async def resample(self) -> None:
        """Let the server look at its indexes again, for plans that fit what has been written.

        It does so by itself every ten seconds. Until then an index of a new graph counts as empty,
        and a statement that is planned meanwhile may go through all of it for every row.
        """
        with suppress(ServerError):  # where that cannot be, the plans are good again a little later
            await self.write("CALL db.resampleOutdatedIndexes()")

    async def read(self, statement: str, /, **parameters: object) -> list[Row]:
        """Return the rows of a reading statement; the server refuses one that writes."""

        return await self._patiently(
            lambda session: Transaction(session).run(statement, **parameters), READ_ACCESS)

    async def columns(self, statement: str) -> list[str]:
        """Let the server plan a statement without running it; return the names of its columns."""

        async def planned() -> list[str]:
            async with self._session(READ_ACCESS) as session:
                result = await session.run(f"EXPLAIN {statement}")
                await result.consume()
                return list(result.keys())

        return await self._translating(planned())

    async def write(self, statement: str, /, **parameters: object) -> Counters:
        """Run one statement once; statements of the schema may stand in no open transaction."""
        async with self._session() as session:
            return await self._translating(_changed(session, statement, parameters))

    async def change(self, statement: str, /, **parameters: object) -> Counters:
        """Run one statement; it takes one question to the server where `transact` takes three."""
        return await self._patiently(lambda session: _changed(session, statement, parameters))

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` in one transaction, again as a whole when the driver says it may succeed."""

        async def in_session(session: AsyncSession) -> T:
            attempts = 0

            async def once(transaction: AsyncManagedTransaction) -> T:
                nonlocal attempts
                attempts += 1
                self.retries += attempts > 1
                return await work(Transaction(transaction))

            return await session.execute_write(once)

        return await self._patiently(in_session)

    async def _patiently(
        self, work: Callable[[AsyncSession], Awaitable[T]], access: str = WRITE_ACCESS
    ) -> T:
        """Work in a session, again in a new one while the server is away or ends a deadlock."""

        async def patient() -> T:
            async for attempt in retrying(self.patience):
                with attempt:
                    self.retries += attempt.retry_state.attempt_number > 1
                    async with self._session(access) as session:
                        return await work(session)
            raise AssertionError("tenacity raises when it gives up")

        return await self._translating(patient())

    def _session(self, access: str = WRITE_ACCESS) -> AsyncSession:
        return self._driver.session(database=self.database, default_access_mode=access)

    async def _translating(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error


async def _changed(
    session: AsyncSession, statement: str, parameters: Mapping[str, object]
) -> Counters:
    transaction = Transaction(session)
    await transaction.run(statement, **parameters)
    return transaction.counters


def _counted(summary: ResultSummary) -> Counters:
    found = summary.counters
    return Counters(found.nodes_created, found.nodes_deleted,
                    found.relationships_created, found.relationships_deleted)


_SCALARS = {str, int, float, bool, type(None)}


def _plain(value: object) -> object:
    """Turn a value of the driver into plain Python: dates, and maps for nodes and paths."""
    if type(value) in _SCALARS:  # nearly all are
        return value
    if isinstance(value, Date | Time | DateTime):
        return value.to_native()
    if isinstance(value, Duration):
        return value.iso_format()
    if isinstance(value, Node):
        return {"labels": sorted(value.labels), "properties": _plain(dict(value.items()))}
    if isinstance(value, Relationship):
        return {"type": value.type, "properties": _plain(dict(value.items()))}
    if isinstance(value, Path):
        return {"nodes": [_plain(n) for n in value.nodes],
                "relationships": [_plain(r) for r in value.relationships]}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(v) for v in value]
    return value
