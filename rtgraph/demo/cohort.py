"""The synthetic cohort: clean courses, adaptive courses and courses with planted faults.

The same seed gives the same bytes. What each patient holds is told in `courses` and `faults`.
"""

from collections.abc import Callable
from pathlib import Path

from rtgraph.demo.chart import Chart
from rtgraph.demo.courses import adaptive_course, clean_course
from rtgraph.demo.faults import faulty_course
from rtgraph.demo.manifest import Manifest, ManifestReference
from rtgraph.errors import UsageError

__all__ = ["Manifest", "write_cohort"]

COURSES: tuple[tuple[str, Callable[[Chart], None]], ...] = (
    ("DEMO^CLEAN", clean_course),
    ("DEMO^ADAPTIVE", adaptive_course),
    ("DEMO^FAULTS", faulty_course),
)


def write_cohort(folder: Path, patients: int = 3, seed: int = 1) -> Manifest:
    """Write synthetic patients as DICOM files and return what is true about them.

    Parameters
    ----------
    folder : Path
        Made when it is not there; a patient is a folder `patient-N` in it.
    patients : int
        Number of patients; clean, adaptive and faulty courses alternate.
    seed : int
        Not negative. All UIDs and the noise of the images follow from it.

    Returns
    -------
    Manifest
        The manifest is not written into the folder.

    Raises
    ------
    UsageError
        A number is out of range, or the folder holds something else.
    OutputError
        A file cannot be written.
    """
    if patients < 1 or seed < 0:
        raise UsageError("At least one patient and a seed that is not negative are expected.")
    expected = {f"patient-{number}" for number in range(1, patients + 1)}
    if folder.exists() and not {path.name for path in folder.iterdir()} <= expected:
        # What lies there would be read with the cohort, and the manifest would not be true.
        raise UsageError(
            f"{folder} holds something else than these patients.", "Give an empty folder."
        )
    charts = []
    for number in range(1, patients + 1):
        name, write_course = COURSES[(number - 1) % len(COURSES)]
        chart = Chart(folder, number, seed, name)
        write_course(chart)
        charts.append(chart)
    return _manifest(seed, charts)


def _manifest(seed: int, charts: list[Chart]) -> Manifest:
    """Return the truth about all patients, in an order that does not depend on how it was met."""

    def order(reference: ManifestReference) -> tuple[str, str, str]:
        return (reference.source, reference.target, reference.role)

    frames = {uid: sorted(series) for chart in charts for uid, series in chart.frames.items()}
    return Manifest(
        seed=seed,
        instances=tuple(sorted((i for c in charts for i in c.instances), key=lambda i: i.path)),
        references=tuple(sorted((r for c in charts for r in c.references), key=order)),
        frames={uid: tuple(series) for uid, series in sorted(frames.items())},
        missing=tuple(sorted(uid for c in charts for uid in c.missing)),
        faults=tuple(f for c in charts for f in c.faults),
        side_findings=tuple(f for c in charts for f in c.side_findings),
    )
