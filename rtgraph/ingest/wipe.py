"""An empty graph: everything goes but the key of the store, so that patient keys stay."""

from rtgraph.errors import ServerRefused
from rtgraph.graphmodel import schema
from rtgraph.ingest.lifetime import mark_killed
from rtgraph.store.bolt import Counters, Store

_STATE = """\
OPTIONAL MATCH (s:Schema) WHERE s.key IS NOT NULL
RETURN max(s.version) AS version, max(s.key) AS key,
       EXISTS { MATCH (n) WHERE NOT n:Schema AND NOT n:ReferenceRole } AS any_node"""


async def wipe(store: Store, *, new_key: bool = False, force: bool = False) -> Counters:
    """Delete every node and relationship; return what was deleted.

    Parameters
    ----------
    new_key : bool
        Whether the store gets another key, so that the same patients have other keys afterwards.
    force : bool
        Whether a database that rtgraph did not set up is emptied too.

    Raises
    ------
    ServerRefused
        The database belongs to something else or to a newer rtgraph, or an ingest or a
        retrieval runs.
    """
    own = schema.schema()
    (found,) = await store.read(_STATE)
    if found["version"] is None and found["any_node"] and not force:
        raise ServerRefused("The database holds no graph of rtgraph.",
                            "Is it the right one? --force empties it all the same.")
    if found["version"] is not None:
        if found["version"] > own.version:
            raise ServerRefused("A newer rtgraph wrote the graph.", "Upgrade rtgraph.")
        if await mark_killed(store, found["key"]):
            raise ServerRefused("An ingest or a retrieval is running.",
                                "Wait for its end, or stop it with Ctrl-C.")
    deleted = Counters()
    for statement in schema.WIPE:
        deleted += await store.write(statement)
    await store.prepare(own, upgrade=True)
    await store.write(schema.AFTER_WIPE, key=own.new_key() if new_key else None)
    return deleted
