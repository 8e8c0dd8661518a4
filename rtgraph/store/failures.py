"""Errors of the driver: which work may be repeated, and what a user is told."""

import logging
from collections.abc import Callable

from neo4j.exceptions import (
    AuthError,
    ClientError,
    DriverError,
    ForbiddenOnReadOnlyDatabase,
    IncompleteCommit,
    Neo4jError,
    ServiceUnavailable,
)
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_exponential_jitter,
)

from rtgraph.errors import (
    NotPermitted,
    ServerError,
    ServerRefused,
    ServerUnreachable,
    StatementRefused,
)

_READ_ONLY = frozenset(f"Neo.ClientError.General.{reason}" for reason in (
    "ReadOnly", "WriteOnReadOnlyAccessDatabase"))

log = logging.getLogger(__name__)


def is_retryable(error: BaseException) -> bool:
    """Ask the driver whether the same work may succeed later.

    It says no where a connection ended during the commit, since the work may have been done. Here
    it may be done twice.
    """
    return (isinstance(error, IncompleteCommit)
            or (isinstance(error, DriverError | Neo4jError) and error.is_retryable()))


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("repeated (%s), attempt %d", type(error).__name__, state.attempt_number)


def retrying(
    patience: float, predicate: Callable[[BaseException], bool] = is_retryable,
    stop: Callable[[RetryCallState], bool] | None = None,
) -> AsyncRetrying:
    """Retry one whole batch for `patience` seconds; safe because every write is a keyed MERGE.

    With another predicate it retries requests to archives; `stop` tells then when it is enough.
    """
    return AsyncRetrying(
        retry=retry_if_exception(predicate),
        wait=wait_exponential_jitter(multiplier=0.5, max=30),
        stop=stop or stop_after_delay(patience),
        before_sleep=_log_retry,
        reraise=True,
    )


def translated(error: Exception) -> ServerError:
    """Turn an error of the driver into one that a user can act on."""
    if isinstance(error, AuthError):
        return ServerRefused(
            "The server refuses the user name or the password.",
            "Set RTGRAPH_USER and RTGRAPH_PASSWORD, or server.password_file in rtgraph.toml.",
        )
    if isinstance(error, ForbiddenOnReadOnlyDatabase) or getattr(error, "code", "") in _READ_ONLY:
        return NotPermitted("The database is read-only.", "Name the server that may be written to.")
    if getattr(error, "code", "") == "Neo.ClientError.Security.Forbidden":
        return NotPermitted("The server does not permit this to the user.",
                            "Ask its administrator for the rights that docs/howto/own-neo4j names.")
    if isinstance(error, ServiceUnavailable | OSError | ValueError):
        return ServerUnreachable("No Neo4j server answers at the address.")
    if isinstance(error, ClientError) and (error.code or "").endswith("DatabaseNotFound"):
        return ServerRefused("The server has no database of that name.",
                             "Set RTGRAPH_DATABASE or server.database, or leave it out.")
    if isinstance(error, ClientError):
        return StatementRefused(f"The server refuses the statement: {error.message}")
    message = error.message if isinstance(error, Neo4jError) else str(error)
    return ServerError(f"The server reports: {message}")
