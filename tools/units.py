"""Units of numbers in the graph, for the pages: those of the Standard for stated attributes.

Every decimal number has a row here, so that none is documented without. Sources: PS3.3 C.7.2.2,
C.7.6.2, C.8.2.1, C.8.3.1, C.8.4.10, C.8.8, C.8.9.2, C.20.
"""

from rtgraph.graphmodel.properties import Property

_NAMES = {
    "mm": "PixelSpacing SliceThickness ReconstructionDiameter SourceAxisDistance RTImageSID "
          "IsocenterPosition NormalizationPoint slice_spacing slice_spacing_min "
          "slice_spacing_max slice_shear_mm slice_position slice_offset extent_mm "
          "max_plane_distance_mm grid_spacing_z grid_origin grid_resolution isocenters tx ty tz",
    "degrees": "GantryDetectorTilt FlipAngle GantryAngle BeamLimitingDeviceAngle "
               "PatientSupportAngle gantry_start gantry_stop gantry_span",
    "Gy": "TargetPrescriptionDose TargetMinimumDose TargetMaximumDose OrganAtRiskMaximumDose "
          "DeliveryMaximumDose BeamDose BrachyApplicationSetupDose prescription_dose_gy "
          "dose_per_fraction_gy objective_doses_gy max_dose_gy beam_sum_max_diff_gy "
          "beam_sum_p95_diff_gy computed_max_gy computed_mean_gy",
    "DoseUnits": "DVHMinimumDose DVHMaximumDose DVHMeanDose",
    "DoseUnits for 1": "DoseGridScaling",
    "MU, or the unit of the primary dosimeter": "BeamMeterset SpecifiedPrimaryMeterset "
                                                "DeliveredPrimaryMeterset",
    "MU": "total_mu",
    "MV or MeV; of ions MeV per nucleon": "NominalBeamEnergy nominal_energies",
    "MeV per nucleon": "beam_energy_min beam_energy_max",
    "µGy at 1 m": "TotalReferenceAirKerma",
    "cm³": "ROIVolume stored_volume_cc volume_xor_cc volume_union_cc computed_volume_cc",
    "ms": "RepetitionTime EchoTime InversionTime",
    "kV": "KVP",
    "T": "MagneticFieldStrength",
    "s/mm²": "DiffusionBValue",
    "Bq; of NM MBq": "RadionuclideTotalDose",
    "kg": "PatientWeight",
    "m": "PatientSize",
    "years": "patient_age_years",
    "bytes": "file_size size",
    "ns": "file_mtime mtime",
    "mm (translation)": "matrix",
    "": "ImageOrientationPatient FinalCumulativeMetersetWeight physical_density determinant "
        "rotation_error cbct_score score confidence weight fraction",
}
UNITS = {name: unit for unit, names in _NAMES.items() for name in names.split()}


def unit(p: Property) -> str:
    """Return the unit of a property, "" when it has none.

    Raises
    ------
    ValueError
        It is a decimal number and nothing says in what unit.
    """
    if p.kind.endswith("FLOAT") or p.kind.endswith("FLOAT>"):
        if p.name not in UNITS:
            raise ValueError(f"tools/units.py does not say in what unit {p.name} is")
        return UNITS[p.name]
    return UNITS.get(p.name, "")
