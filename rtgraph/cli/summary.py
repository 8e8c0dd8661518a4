"""The end of a run: files by state, what was added, what was rejected and why."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtgraph.ingest.runs import Summary


def listed(counts: Mapping[Any, int], most: int | None = None) -> str:
    """Return counts by name, the largest first."""
    ordered = sorted(((str(n), c) for n, c in counts.items() if c), key=lambda i: (-i[1], i[0]))
    return " · ".join(f"{name} {n:,}" for name, n in ordered[:most])


def summary_text(summary: "Summary") -> str:
    """Return the end of an ingest as text."""
    from rtgraph.ingest.records import State

    p = summary.progress
    states = " · ".join(f"{p.states[s]:,} {s.value.lower()}" for s in State if p.states[s])
    lines = [f"Run {summary.run_id} · {summary.state.lower()} in {summary.seconds:.1f} s",
             f"  files    {summary.n_files:,}: {states or 'none'}"]
    if summary.n_files == 0:
        lines.append("  No files were found there.")
    elif p.states.total() == p.states[State.REJECTED]:
        lines.append("  No DICOM object was found there.")
    lines += _changes(summary)
    lines += _pruned(summary)
    if p.reasons:
        lines.append(f"  rejected {p.reasons.total():,}: {listed(p.reasons)}{_where(summary)}")
    if p.fallbacks:
        lines.append(
            f"  odd      {p.fallbacks.total():,} left to pydicom: {listed(p.fallbacks)}")
    if p.invalid:
        lines.append(f"  values   {p.invalid.total():,} not usable: {listed(p.invalid, 5)}")
    if p.states[State.UNCHANGED] and p.fresh_tags:
        lines.append(f"  tags     new: {', '.join(p.fresh_tags)}. Unchanged files were skipped; "
                     "the next run with --full fills them.")
    if summary.state == "INTERRUPTED":
        lines.append("  Stopped cleanly. Run the same command to go on.")
    return "\n".join(lines)


def _changes(summary: "Summary") -> list[str]:
    if summary.unchanged:
        return ["  graph    0 changes"]
    after = summary.after
    added = {n: after[n] - summary.before[n] for n in after}
    return [
        "  nodes    " + "  ".join(f"{added[n]:+,} {n}" for n in (
            "patients", "studies", "series", "instances")),
        f"  edges    {added['references']:+,} REFERENCES ({after['unresolved']:,} unresolved)  "
        f"{added['series_references']:+,} between series  {added['shares_for']:+,} SHARES_FOR",
    ]


def _pruned(summary: "Summary") -> list[str]:
    """Objects whose file is gone; they are not among the files that were seen."""
    pruned = summary.progress.pruned
    said = [(pruned.retired, "retired"), (pruned.taken_over, "taken over by a copy"),
            (pruned.files, "copies and rejected files forgotten"),
            (pruned.kept, "kept, since their folder or a copy is not at hand")]
    text = " · ".join(f"{n:,} {what}" for n, what in said if n)
    return [f"  gone     {text}"] if text else []


def _where(summary: "Summary") -> str:
    """Name the list and its lines, never a path of a file in it."""
    if summary.rejects_file is None:
        return ""
    first, last = summary.reject_lines
    lines = f", lines {first:,} to {last:,}" if last > first else f", line {last}" if last else ""
    return f" → {summary.rejects_file.name}{lines}"
