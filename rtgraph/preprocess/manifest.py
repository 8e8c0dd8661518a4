"""What an export says of itself: manifest, skipped cases, splits, labels, DVH table, data card.

Every file is the same for the same input: rows are sorted, there is no time of the run in them.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rtgraph import __version__
from rtgraph.preprocess.settings import LABEL_FORMATS, Settings
from rtgraph.preprocess.steps import Statistics
from rtgraph.text import csv_cell

MANIFEST_VERSION = 1
_LIBRARIES = ("numpy", "SimpleITK", "pydicom")
_ROW = ("case", "patient_key", "split", "state", "plans", "structure_set", "image_series",
        "dose_decision", "doses", "fractions_planned", "prescription_gy", "masks", "n_findings",
        "digest", "reason")


@dataclass(frozen=True, slots=True)
class Entry:
    """One case of an export: its record, files and state (WRITTEN, SKIPPED or FAILED)."""

    case_id: str
    state: str
    split: str
    record: Mapping[str, Any]
    files: tuple[str, ...] = ()
    digest: str = ""
    reason: str = ""


def write_all(folder: Path, settings: Settings, entries: Sequence[Entry], *, source: str,
              leaks: Sequence[str], cohort: Statistics | None) -> list[str]:
    """Write the files about an export; return their names.

    Parameters
    ----------
    folder : Path
        Of the export.
    settings : Settings
        The configuration.
    entries : sequence of Entry
        All cases, made or not.
    source : str
        What the cohort is, in words: its name, query or number of patients.
    leaks : sequence of str
        What stands in several splits.
    cohort : Statistics, optional
        Of the training cases.
    """
    rows = sorted(entries, key=lambda e: e.case_id)
    written = [e for e in rows if e.state == "WRITTEN"]
    files = {
        "manifest.json": _json(_manifest(settings, rows, leaks)),
        "manifest.csv": _csv(_ROW, [_row(e) for e in rows]),
        "skipped.csv": _csv(("case", "state", "reason"), [
            {"case": e.case_id, "state": e.state, "reason": e.reason}
            for e in rows if e.state != "WRITTEN"]),
        "splits.json": _json({"seed": settings["split.seed"], "leaks": list(leaks), "splits": {
            name: [e.case_id for e in written if e.split == name]
            for name in sorted({e.split for e in written})}}),
        "datacard.md": _card(settings, rows, source, leaks),
    }
    if settings["masks.rois"] and settings.makes("masks"):
        files["labels.json"] = _json(_labels(settings))
    if settings.makes("dvh"):
        files["dvh.csv"], files["dvh.json"] = _dvhs(settings, written)
    if cohort is not None:
        files["statistics.json"] = _json({
            "n": cohort.n, "mean": cohort.mean, "deviation": cohort.deviation,
            "percentiles": dict(cohort.percentiles), "split": "train"})
    if settings["format"] == "nnunet":
        files["dataset.json"] = _json(_nnunet(settings, written))
    if settings["format"] == "monai":
        files["datalist.json"] = _json(_monai(settings, written))
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return sorted(files)


def _manifest(settings: Settings, rows: Sequence[Entry], leaks: Sequence[str]) -> dict[str, Any]:
    return {
        "manifest_version": MANIFEST_VERSION, "rtgraph": __version__,
        "libraries": {name: version(name) for name in _LIBRARIES},
        "config": settings.record(), "config_hash": settings.digest,
        "dose_policy": {"name": settings.policy.name, "version": settings.policy.version,
                        "hash": settings.policy.digest},
        "leaks": list(leaks),
        "cases": [{**e.record, "case": e.case_id, "state": e.state, "split": e.split,
                   "files": list(e.files), "digest": e.digest, "reason": e.reason}
                  for e in rows]}


def _row(e: Entry) -> dict[str, Any]:
    r = e.record
    return {
        "case": e.case_id, "patient_key": r.get("patient_key"), "split": e.split,
        "state": e.state, "plans": " ".join(r.get("plans", ())),
        "structure_set": r.get("structure_set"), "image_series": r.get("image_series"),
        "dose_decision": r.get("dose_decision"),
        "doses": " ".join(d["uid"] for d in r.get("doses", ())),
        "fractions_planned": " ".join(str(n) for n in r.get("fractions_planned", ())),
        "prescription_gy": r.get("prescription_gy"),
        "masks": "; ".join(m["name"] for m in r.get("masks", ())),
        "n_findings": len(r.get("findings", ())), "digest": e.digest, "reason": e.reason}


def _labels(settings: Settings) -> dict[str, int]:
    return {"background": 0,
            **{name: k for k, name in enumerate(settings["masks.rois"], start=1)}}


def _nnunet(settings: Settings, written: Sequence[Entry]) -> dict[str, Any]:
    """Return dataset.json of nnU-Net v2, which normalises by the name of the channel.

    CT has a scheme of its own there, noNorm is left as it is, other names are z-scored by image.
    """
    kinds = sorted({str(e.record["modality"]) for e in written if e.record.get("modality")})
    channel = "noNorm" if settings["image.steps"] else "/".join(kinds) or "image"
    return {"channel_names": {"0": channel}, "labels": _labels(settings),
            "numTraining": sum(e.split != "test" for e in written), "file_ending": ".nii.gz",
            "name": settings["export.dataset_name"]}


def _monai(settings: Settings, written: Sequence[Entry]) -> dict[str, Any]:
    def item(e: Entry) -> dict[str, str]:
        names = {"image": "image", "label": "label", "dose": "dose"}
        return {key: f"{e.case_id}/{name}.nii.gz" for key, name in names.items()
                if f"{e.case_id}/{name}.nii.gz" in e.files}

    lists = {"training": "train", "validation": "validation", "test": "test"}
    return {"name": settings["export.dataset_name"], "tensorImageSize": "3D",
            "labels": {str(v): k for k, v in _labels(settings).items()},
            **{key: [item(e) for e in written if e.split == split]
               for key, split in lists.items()}}


def _dvhs(settings: Settings, written: Sequence[Entry]) -> tuple[str, str]:
    metrics = settings["dvh.metrics"]
    rows = [{"case": e.case_id, "roi_number": roi["number"], "roi_name": roi["name"],
             "standard": roi["standard"], "type": roi["type"],
             "volume_cc": round(roi["facts"]["volume_cc"], 6),
             "covered": round(roi["dvh"]["covered"], 6),
             **{m: roi["dvh"][m] for m in metrics}}
            for e in written for roi in e.record.get("rois", ()) if roi.get("dvh")]
    names = ("case", "roi_number", "roi_name", "standard", "type", "volume_cc", "covered",
             *metrics)
    return _csv(names, rows), _json(rows)


def _card(settings: Settings, rows: Sequence[Entry], source: str, leaks: Sequence[str]) -> str:
    """Return the data card: what was asked for, what came out, what is left out and why."""
    counts = {s: sum(e.state == s for e in rows) for s in ("WRITTEN", "SKIPPED", "FAILED")}
    written = [e for e in rows if e.state == "WRITTEN"]
    reasons: dict[str, int] = {}
    for e in rows:
        if e.state != "WRITTEN":
            code = e.reason.partition(":")[0]
            reasons[code] = reasons.get(code, 0) + 1
    patients = len({e.record.get("patient_key") for e in written})
    lines = [
        "# Data card", "", f"- Cohort: {source}.",
        f"- Cases: {counts['WRITTEN']} written of {patients} patients, {counts['SKIPPED']} skipped,"
        f" {counts['FAILED']} failed.",
        f"- Format: {settings['format']}; parts: {', '.join(settings['parts'])}.",
        f"- Configuration: {settings.digest}; rtgraph {__version__}.",
        f"- Dose policy: {settings.policy.name} {settings.policy.version}, scope "
        f"{settings.policy.scope}, hash {settings.policy.digest}.",
        "- Splits by patient: " + ", ".join(
            f"{name} {sum(e.split == name for e in written)}"
            for name in sorted({e.split for e in written})) + f"; seed {settings['split.seed']}.",
        f"- Leaks between splits: {len(leaks)}.", "", "## Left out", ""]
    lines += [f"- {code}: {n}" for code, n in sorted(reasons.items())] or ["- nothing"]
    limits = [
        f"Masks are those that people drew; {_corrected(settings)}, interpolated planes are "
        "marked.",
        "Dose is that of the planning system, interpolated linearly; outside its grid it is "
        f"{'0' if settings['dose.outside'] == 'zero' else 'NaN'}, with a coverage mask.",
        "Pseudonyms are keyed hashes; UIDs in the manifest are those of the files. This is no "
        "de-identification."]
    if settings["format"] in LABEL_FORMATS:
        limits.append("In a label map a later name of masks.rois lies over an earlier one.")
    if settings["grid.crop_voxels"]:
        limits.append("Arrays are cut to a cube; what lies outside is lost.")
    return "\n".join([*lines, "", "## Known limits", "", *(f"- {t}" for t in limits), ""])


def _corrected(settings: Settings) -> str:
    """Say what was done to masks after they were drawn."""
    steps = [s.name + (f" ({', '.join(s.rois)})" if s.rois else "")
             for s in settings["masks.steps"]]
    if not steps:
        return "nothing was corrected"
    return f"processed by {', '.join(steps)}, with volumes before and after in manifest.json"


def _csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([csv_cell(row.get(n)) for n in names] for row in rows)
    return text.getvalue()


def ledger_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the ledger of contours as CSV."""
    if not rows:
        return ""
    flat = [{k: " ".join(v) if isinstance(v, tuple) else v for k, v in row.items()}
            for row in rows]
    return _csv(tuple(flat[0]), flat)


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
