"""The modality table: label, layer and colours of series, in one place.

The figure, the labels in the graph, Browser's style and the docs are made from it.
"""

from dataclasses import dataclass

DEFAULT_FILL, DARK, WHITE = "#D9D9D9", "#111111", "#FFFFFF"


@dataclass(frozen=True, slots=True)
class SeriesType:
    """A row: the label that series of these modalities carry, and how they are drawn.

    `layer` is the height in the figure: 0 images, 1 structures and registrations, 2 plans,
    3 doses, images and records of treatment, 4 everything else.
    """

    label: str
    layer: int
    modalities: tuple[str, ...]
    fill: str = DEFAULT_FILL
    text: str = DARK


SERIES_TYPES = (
    SeriesType("CTSeries", 0, ("CT",), "#4C78A8", WHITE),
    SeriesType("MRSeries", 0, ("MR",), "#72B7B2"),
    SeriesType("PTSeries", 0, ("PT",), "#EECA3B"),
    SeriesType("NMSeries", 0, ("NM",)),
    SeriesType("USSeries", 0, ("US", "IVUS", "BDUS")),
    SeriesType("XRaySeries", 0, ("CR", "DX", "MG", "RF", "XA", "RG", "PX", "IO")),
    SeriesType("OtherImageSeries", 0, ("OT", "SC", "XC", "ES", "GM", "SM", "OP", "OPT", "OCT")),
    SeriesType("REGSeries", 1, ("REG",), "#BAB0AC"),
    SeriesType("FIDSeries", 1, ("FID",)),
    SeriesType("RTStructSeries", 1, ("RTSTRUCT",), "#F58518"),
    SeriesType("SEGSeries", 1, ("SEG",), "#FF9DA6"),
    SeriesType("RTSegAnnSeries", 1, ("RTSEGANN",)),
    SeriesType("RTPlanSeries", 2, ("RTPLAN",), "#54A24B"),
    SeriesType("RTIntentSeries", 2, ("RTINTENT",)),
    SeriesType("RTRadSeries", 2, ("RTRAD",)),
    SeriesType("RTInstructionSeries", 2, ("PLAN",)),
    SeriesType("RTDoseSeries", 3, ("RTDOSE",), "#E45756"),
    SeriesType("RTImageSeries", 3, ("RTIMAGE",), "#9D755D"),
    SeriesType("RTRecordSeries", 3, ("RTRECORD",), "#B279A2"),
    SeriesType("RWVSeries", 4, ("RWV",)),
    SeriesType("PRSeries", 4, ("PR",)),
    SeriesType("KOSeries", 4, ("KO",)),
    SeriesType("SRSeries", 4, ("SR",)),
    SeriesType("DocSeries", 4, ("DOC",)),
    SeriesType("OtherSeries", 4, ("M3D", "RAW")),
)
OTHER = SERIES_TYPES[-1]
_BY_MODALITY = {m: t for t in SERIES_TYPES for m in t.modalities}


def series_type(modality: str | None) -> SeriesType:
    """Return the row of a Modality value; unknown ones are `OtherSeries`."""
    return _BY_MODALITY.get(modality or "", OTHER)
