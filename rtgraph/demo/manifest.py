"""What the generator knows about the cohort it wrote, for tests and for the demo command.

The manifest is stated while the patients are planned. Nothing in it is read back from files or
made by the code that reads DICOM, so that it can be compared with the graph.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ManifestInstance:
    """An object that was written; `path` is relative to the folder, with forward slashes."""

    uid: str
    series_uid: str
    study_uid: str
    patient_id: str
    modality: str
    path: str


@dataclass(frozen=True, slots=True)
class ManifestReference:
    """A reference to an object; `source` is a series for image objects, else an object."""

    source: str
    target: str
    role: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding that a check must report: its subject and target, as the check names them."""

    check: str
    subject: str
    target: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of objects that were written."""

    patients: int
    studies: int
    series: int
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The truth about a cohort.

    Attributes
    ----------
    seed : int
        Seed the cohort was made from.
    instances : tuple of ManifestInstance
        Every file, in order of path.
    references : tuple of ManifestReference
        Every reference to an object, once for each role; those to studies and series are not
        listed, nor is CONTOUR_IMAGE, which repeats STRUCTURE_SET_IMAGE here.
    frames : mapping of FrameOfReferenceUID to tuple of SeriesInstanceUID
        Series whose objects state the frame.
    missing : tuple of str
        SOP Instance UIDs that are referred to and were not written.
    faults : tuple of Fault
        Planted faults.
    side_findings : tuple of Fault
        What other checks of the header level report on these data: consequences of the faults,
        and facts that are normal in a clinic.
    """

    seed: int
    instances: tuple[ManifestInstance, ...]
    references: tuple[ManifestReference, ...]
    frames: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    faults: tuple[Fault, ...]
    side_findings: tuple[Fault, ...]

    @property
    def counts(self) -> Counts:
        """Numbers of patients, studies, series and instances."""
        return Counts(
            patients=len({i.patient_id for i in self.instances}),
            studies=len({i.study_uid for i in self.instances}),
            series=len({i.series_uid for i in self.instances}),
            instances=len(self.instances),
        )
