"""The schema of a store and its derived pass, made from the declarations; no I/O."""

import secrets
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from rtgraph.graphmodel.families import FAMILIES
from rtgraph.graphmodel.modalities import OTHER, SERIES_TYPES
from rtgraph.graphmodel.nodes import NODE_TYPES
from rtgraph.graphmodel.references import roles, table_text
from rtgraph.graphmodel.relationships import OF_PARTS, SHARED_EDGES

SCHEMA_VERSION = 3
# A graph of a former version stays marked until this version has read all that it holds.
UPGRADED = """\
MATCH (s:Schema) WHERE s.upgraded_from IS NOT NULL
  AND NOT EXISTS { MATCH (i:Instance) WHERE i.parser_version < $parser }
REMOVE s.upgraded_from"""
# Relationships first: a node with a million of them would not fit into one transaction.
WIPE = (
    "MATCH ()-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS OF 20000 ROWS",
    "MATCH (n) WHERE NOT n:ReferenceRole AND NOT (n:Schema AND n.key IS NOT NULL) "
    "CALL (n) { DELETE n } IN TRANSACTIONS OF 20000 ROWS",
)
AFTER_WIPE = "MATCH (s:Schema) SET s.key = coalesce($key, s.key) REMOVE s.upgraded_from"
# Takes the lock of a node that every store has once, until the transaction ends.
HOLD_SCHEMA = "MATCH (s:Schema) SET s.version = s.version"
MAX_CLIQUE = 32  # with more members of a frame, each is linked to one of them only
WELL_KNOWN_FRAMES = "1.2.840.10008.1.4."

_INDEXES = (
    ("instance_file_path", "(n:Instance)", "n.file_path"),
    ("series_dirty", "(n:Series)", "n.dirty"),
    ("frame_dirty", "(n:FrameOfReference)", "n.dirty"),
    ("study_date", "(n:Study)", "n.StudyDate"),
    ("series_modality_date", "(n:Series)", "n.Modality, n.series_datetime"),
    ("series_layer", "(n:Series)", "n.layer"),
    ("plan_datetime", "(n:RTPlan)", "n.plan_datetime"),
    ("plan_technique", "(n:RTPlan)", "n.technique, n.prescription_dose_gy"),
    ("plan_approval", "(n:RTPlan)", "n.ApprovalStatus"),
    ("dose_type", "(n:RTDose)", "n.DoseSummationType, n.DoseType"),
    ("roi_name", "(n:ROI)", "n.name_norm"),
    ("roi_type", "(n:ROI)", "n.RTROIInterpretedType"),
    ("beam_machine", "(n:Beam)", "n.TreatmentMachineName, n.NominalBeamEnergy"),
    ("record_date", "(n:RTRecord)", "n.treatment_datetime"),
    ("issue_rule", "(n:Issue)", "n.rule, n.status"),
    ("registered_by", "()-[n:REGISTERED_TO]-()", "n.reg_uid"),
    ("shares_for_uid", "()-[n:SHARES_FOR]-()", "n.FrameOfReferenceUID"),
)


@dataclass(frozen=True)
class Schema:
    """What a store must hold before it is written to."""

    version: int = SCHEMA_VERSION
    constraints: Sequence[str] = ()
    roles: Sequence[list[object]] = ()
    schema_node: str = (
        "MERGE (s:Schema) ON CREATE SET s.key = $key "
        "SET s.upgraded_from = CASE WHEN s.version < $version "
        "THEN coalesce(s.upgraded_from, s.version) ELSE s.upgraded_from END, "
        "s.version = $version RETURN s.key AS key"
    )
    roles_statement: str = (
        "UNWIND $rows AS r MERGE (p:ReferenceRole {role: r[0]}) "
        "SET p.severity = r[1], p.quiet = r[2], p.targets = r[3]"
    )

    def absent(self, names: Container[str]) -> list[str]:
        """Return the statements whose constraint or index is not among `names`."""
        return [c for c in self.constraints if c.split()[2] not in names]

    def new_key(self) -> str:
        """Return a key for a new store: 32 random bytes as hex digits."""
        return secrets.token_hex(32)


@cache
def schema() -> Schema:
    """Return the schema: a constraint behind every MERGE key, the indexes, the role policy."""
    constraints = [
        f"CREATE CONSTRAINT {t.label.lower()}_key IF NOT EXISTS "
        f"FOR (n:{t.label}) REQUIRE n.{t.key} IS UNIQUE"
        for t in NODE_TYPES
    ]
    indexes = [
        f"CREATE INDEX {name} IF NOT EXISTS FOR {pattern} ON ({keys})"
        for name, pattern, keys in _INDEXES
    ]
    policy: list[list[object]] = [
        [r.role, r.severity, r.quiet, list(r.targets)] for r in roles()]
    return Schema(constraints=(*constraints, *indexes), roles=policy)


def table_version() -> str:
    """Return a digest of the reference table; runs record it."""
    return blake2b(table_text().encode(), digest_size=8).hexdigest()


@cache
def derivations() -> dict[str, str]:
    """Return the named statements of the derived pass, from the files of `derive`."""
    filled = {"$series_label": _series_labels(), "$has_parts": "|".join(OF_PARTS),
              "$all_labels": ":".join(t.label for t in SERIES_TYPES),
              "$hub_edges": "|".join(e for e in SHARED_EDGES if e != "CODED_AS")}
    found: dict[str, str] = {}
    for file in sorted(files("rtgraph.graphmodel").joinpath("derive").iterdir(), key=str):
        text = file.read_text(encoding="utf-8")
        for word, value in filled.items():
            text = text.replace(word, value)
        for part in text.split("// name: ")[1:]:
            name, _, statement = part.partition("\n")
            found[name.strip()] = statement.strip().removesuffix(";")
    return found


def _series_labels() -> str:
    """The modality table, and the families for series without a known Modality, as a map."""
    by_modality = {m: t for t in SERIES_TYPES for m in t.modalities}
    by_family = {k.labels[-1]: by_modality.get(k.modality, OTHER)
                 for k in FAMILIES if k.labels}
    rows = (f"`{name}`: {{label: '{t.label}', layer: {t.layer}}}"
            for name, t in (by_family | by_modality).items())
    return "{" + ", ".join(rows) + "}"
