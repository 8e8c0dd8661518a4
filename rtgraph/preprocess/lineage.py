"""Lineage of an export in the graph: one transaction a case, after its files are there."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from rtgraph import __version__
from rtgraph.graphmodel import lineage as statements
from rtgraph.preprocess.manifest import Entry
from rtgraph.preprocess.planning import CasePlan, sources
from rtgraph.preprocess.settings import Settings
from rtgraph.store.bolt import Store, Transaction


async def note_run(store: Store, run: str, settings: Settings, *, state: str, started: datetime,
                   counts: Mapping[str, int], cohort: str = "") -> None:
    """Write or update the node of a run."""
    finished = None if state == "RUNNING" else datetime.now(UTC).isoformat()

    async def work(transaction: Transaction) -> None:
        await transaction.run(
            statements.RUN, id=run, started=started.isoformat(), finished=finished, state=state,
            tool_version=__version__, config_hash=settings.digest, cohort=cohort,
            counts=json.dumps(dict(sorted(counts.items()))))

    await store.transact(work)


async def note_sample(store: Store, run: str, plan: CasePlan, entry: Entry, settings: Settings
                      ) -> None:
    """Write the sample of a case with what it was made from, in one transaction."""
    key = f"{run}#{entry.case_id}"
    sample = {
        "run": run, "key": key, "case_id": entry.case_id, "split": entry.split,
        "format": settings["format"], "digest": entry.digest, "state": entry.state,
        "reason": entry.reason or None,
        "geometry": json.dumps(entry.record.get("geometry"), sort_keys=True)}
    made_from = sources(plan)
    inputs, used = plan.inputs, set(entry.record.get("image_objects", ()))
    series = [{"key": key, "uid": uid, "purpose": purpose, "n_instances": sum(
        f.present for f in inputs.series_files.get(uid, ()))}
              for purpose, uid in made_from if purpose == "IMAGE"]
    slices = [f for p, uid in made_from if p == "IMAGE"
              for f in inputs.series_files.get(uid, ()) if f.sop_uid in used]
    objects = [{"key": key, "uid": f.sop_uid, "purpose": purpose, "digest": f.digest}
               for purpose, f in (
                   *((p, inputs.files[uid]) for p, uid in made_from if uid in inputs.files),
                   *(("IMAGE", f) for f in slices))]
    selection = _selection(key, plan, settings)

    async def work(transaction: Transaction) -> None:
        await transaction.run(statements.SAMPLES, rows=[sample])
        await transaction.run(statements.SOURCE_OBJECTS, rows=objects)
        await transaction.run(statements.SOURCE_SERIES, rows=series)
        if selection is not None:
            await transaction.run(statements.SELECTIONS, rows=[selection])

    await store.transact(work)


def _selection(key: str, plan: CasePlan, settings: Settings) -> dict[str, Any] | None:
    decision, policy = plan.decision, settings.policy
    if decision is None:
        return None
    chosen = [{"uid": uid, "weight": weight} for uid, weight in decision.chosen]
    rejected = [{"uid": uid, "code": code} for uid, code in decision.rejected]
    text = json.dumps([policy.digest, [p.uid for p in plan.inputs.plans], str(decision.rule),
                       chosen, rejected], sort_keys=True)
    return {
        "key": key, "selection": blake2b(text.encode(), digest_size=16).hexdigest(),
        "policy": policy.name, "policy_version": policy.version, "policy_hash": policy.digest,
        "decision": str(decision.rule), "warnings": list(decision.warnings), "chosen": chosen,
        "rejected": rejected}
