"""Cases of GEO and VAL-04: what the geometry pass finds in the contours."""

from tests.data.checks.steps import Case, Found, edit, found, raw_value, sets

ROI = "{structures}#3"
FLAWLESS = {"n_off_plane": 0, "n_between_planes": 0, "max_plane_distance_mm": 0.0,
            "n_outside_image": 0, "n_malformed": 0, "malformed_reasons": [],
            "n_self_intersecting": 0, "n_nested_planes": 0, "n_contour_planes": 3,
            "n_gap_planes": 0, "n_offset_vectors": 0, "volume_xor_cc": 10.0,
            "volume_union_cc": 10.0}


def measured(check: str, name: str, *found: Found, volume: str = "", kind: str = "",
             **facts: object) -> Case:
    """Return a case with the facts of the geometry pass on the bladder, flawless but for these."""
    steps = [sets("ROI", ROI, **FLAWLESS | facts)]
    if volume:
        steps.append(edit("structures", "StructureSetROISequence", 2, ROIVolume=volume))
    if kind:
        steps.append(edit("structures", "RTROIObservationsSequence", 2, RTROIInterpretedType=kind))
    return Case(check, name, steps, found)


CASES = (
    measured("GEO-01", "nothing to find"),
    measured("GEO-01", "off the planes", found(ROI, None, "warning", off_plane=1),
             n_off_plane=1, max_plane_distance_mm=0.6),
    measured("GEO-01", "between the planes", found(ROI, None, "error", between_planes=1),
             n_off_plane=1, n_between_planes=1, max_plane_distance_mm=1.6),
    measured("GEO-02", "outside the image", found(ROI, None, "error", outside=1),
             n_outside_image=1),
    measured("GEO-02", "a couch", found(ROI, None, "info", type="SUPPORT"), kind="SUPPORT",
             n_outside_image=2),
    measured("GEO-03", "too few points", found(ROI, malformed=1, reasons=["FEW_POINTS"]),
             n_malformed=1, malformed_reasons=["FEW_POINTS"]),
    measured("GEO-04", "a bow", found(ROI, contours=1), n_self_intersecting=1),
    measured("GEO-05", "a ring", found(ROI, None, "warning", planes=3), n_nested_planes=3,
             volume_xor_cc=6.0),
    measured("GEO-05", "a small hole", found(ROI, None, "info"), n_nested_planes=1,
             volume_xor_cc=9.9),
    measured("GEO-06", "another volume", found(ROI, stored_cc=20.0), volume="20"),
    measured("GEO-06", "ends capped", volume="10.8"),
    measured("GEO-06", "holes filled", volume="10", n_nested_planes=0, volume_xor_cc=5.0),
    measured("GEO-06", "a small structure", volume="0.9", volume_xor_cc=0.2, volume_union_cc=0.2),
    measured("GEO-07", "a gap", found(ROI, None, "warning", gap_planes=1), n_gap_planes=1,
             n_contour_planes=5),
    measured("GEO-07", "two parts of a target", found(ROI, None, "warning"), kind="CTV",
             n_gap_planes=4, n_contour_planes=6),
    measured("GEO-07", "every second slice", found(ROI, None, "info"), n_gap_planes=3,
             n_contour_planes=4),
    measured("GEO-07", "one slice", found(ROI, None, "info", planes=1), n_contour_planes=1),
    measured("GEO-07", "a dose point", n_contour_planes=1, contour_types=["POINT"]),
    measured("GEO-08", "an offset", found(ROI, contours=2), n_offset_vectors=2),
    Case("VAL-04", "a long number", [
        raw_value("dose", "DoseGridScaling", b"0.00085000000000001")], [
        found("{dose}", values=1, modality="RTDOSE")]),
    Case("VAL-04", "a number of 16 characters", [
        raw_value("dose", "DoseGridScaling", b"0.00085000000001")]),
)
