"""DVHs that a planning system stored beside those that are computed from its dose and contours.

Of the real sets, dicompyler-breast alone has curves; it has one CT slice, so the planes are those
of the contours.
"""

import numpy as np
import pytest
from pydicom import dcmread

from rtgraph.preprocess.contours import read_structures
from rtgraph.preprocess.dose import read_dose
from rtgraph.preprocess.dvh import dvh_of
from rtgraph.preprocess.geometry import Grid
from rtgraph.preprocess.storeddvh import stored_dvhs
from tests.conftest import DATA

PRESCRIPTION_GY = 14.0  # DoseUnits say GY, but DVHMeanDose and DVHMaximumDose are percent of this
LARGE = {"Breast", "Heart", "Lt Lung", "Tumor Bed", "Tumor Bed Block"}
# Two to six planes: the planning system counts end slices as half, rtgraph in full.
SMALL = {"Borders": 2, "Nodes": 4, "Scar": 6}


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real files beside the repository")
def test_stored_curves_of_a_planning_system() -> None:
    folder = DATA / "dicompyler-breast"
    objects = {ds.Modality: ds for f in folder.rglob("*.dcm") for ds in [dcmread(f, force=True)]}
    structures, dose = read_structures(objects["RTSTRUCT"]), read_dose(objects["RTDOSE"])
    planes = np.arange(98, dtype=np.float64) * 3.0
    corner = [float(x) for x in objects["CT"].ImagePositionPatient[:2]]
    spacing = float(objects["CT"].PixelSpacing[0])
    grid = Grid(origin=np.array([*corner, -122.4407]), axes=np.eye(3), spacing=(spacing, spacing),
                positions=planes, size=(512, 512), thickness_mm=3.0)
    stored = {s.included[0]: s for s in stored_dvhs(objects["RTDOSE"])}
    compared = set()
    for roi in structures.rois:
        if roi.number not in stored:
            continue
        theirs, mine = stored[roi.number], dvh_of(roi, grid, dose)
        share = theirs.volume_cc / mine.volume_cc  # type: ignore[operator]
        if roi.name in LARGE:
            assert share == pytest.approx(1, abs=0.03), roi.name
            assert theirs.mean_gy / 100 * PRESCRIPTION_GY == pytest.approx(  # type: ignore[operator]
                mine.mean_gy, rel=0.02), roi.name
            assert theirs.max_gy / 100 * PRESCRIPTION_GY == pytest.approx(  # type: ignore[operator]
                mine.max_gy, rel=0.05), roi.name
        elif roi.name in SMALL:
            assert 0.5 < share < 1, roi.name
        else:  # bins of 0.01 Gy about their middle: what gets less than 0.005 Gy is not counted
            assert roi.name == "BODY"
            assert theirs.volume_cc == pytest.approx(mine.volume_of_dose(0.005), rel=0.005)
        compared.add(roi.name)
    assert compared == {*LARGE, *SMALL, "BODY"}
