"""Standardised uptake values by body weight, from activity concentrations of PET.

SUVbw = activity concentration x weight / decayed dose, with 1 ml of tissue taken as 1 g.
"""

from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.valuerep import DA, DT, TM

from rtgraph.preprocess.refusals import Code, Refused


def suv_factor(ds: Dataset) -> tuple[float, str]:
    """Return what values of a PET object are multiplied with, and the rule in words.

    Parameters
    ----------
    ds : Dataset
        Header of one object of the series.

    Returns
    -------
    factor : float
        SUVbw (g/ml) for one unit of the image.
    rule : str
        Which times were taken for the decay.

    Raises
    ------
    Refused
        Units are neither BQML nor GML by body weight, or weight, dose, half life, times or
        corrections are not stated.

    Notes
    -----
    PS3.3 C.8.9.1 (Units, DecayCorrection, SUVType), C.8.9.2 (Radiopharmaceutical Information).
    With DecayCorrection START the image is valid at the start of the series, so the dose is
    decayed from its administration to then; with ADMIN the image is valid at administration.
    """
    units = str(ds.get("Units") or "")
    if units == "GML":
        kind = str(ds.get("SUVType") or "BW")
        if kind != "BW":
            raise Refused(Code.SUV, f"the values are SUV of type {kind}, not by body weight")
        return 1.0, "stated as SUV by body weight"
    if units != "BQML":
        raise Refused(Code.SUV, f"Units are {units or 'absent'}, not BQML")
    corrected = {str(c) for c in _values(ds, "CorrectedImage")}
    if not {"ATTN", "DECY"} <= corrected:
        raise Refused(Code.SUV, "the image is not corrected for attenuation and decay")
    items = list(ds.get("RadiopharmaceuticalInformationSequence") or ())
    if len(items) != 1:
        raise Refused(Code.SUV, f"{len(items)} radiopharmaceuticals are stated")
    weight = _positive(ds, "PatientWeight")
    dose = _positive(items[0], "RadionuclideTotalDose")
    correction = str(ds.get("DecayCorrection") or "")
    if correction == "ADMIN":
        return weight * 1000 / dose, "DecayCorrection ADMIN: dose as administered"
    if correction != "START":
        raise Refused(Code.SUV, f"DecayCorrection is {correction or 'absent'}")
    half_life = _positive(items[0], "RadionuclideHalfLife")
    start = _when(ds, "SeriesDate", "SeriesTime")
    acquired = _when(ds, "AcquisitionDate", "AcquisitionTime")
    if start is None or (acquired is not None and start > acquired):
        raise Refused(Code.SUV, "the series starts after its acquisition: the time that the decay "
                                "was corrected to is not known")
    given = _given(items[0], start)
    seconds = (start - given).total_seconds()
    if not 0 <= seconds <= 20 * half_life:
        raise Refused(Code.SUV, "the dose was given after the scan, or long before it")
    decayed = dose * 2.0 ** (-seconds / half_life)
    return (weight * 1000 / decayed,
            f"DecayCorrection START: dose decayed over {seconds:.0f} s to the start of the series")


def _given(item: Dataset, start: datetime) -> datetime:
    """Return when the dose was given; a time without date is of the day of the scan or before."""
    stated = item.get("RadiopharmaceuticalStartDateTime")
    if stated:
        moment = DT(str(stated))
        if moment is not None:
            return moment.replace(tzinfo=None)
    time = TM(str(item.get("RadiopharmaceuticalStartTime") or ""))
    if time is None:
        raise Refused(Code.SUV, "the time of administration is not stated")
    given = datetime.combine(start.date(), time)
    return given if given <= start else given - timedelta(days=1)


def _when(ds: Dataset, date: str, time: str) -> datetime | None:
    day, moment = DA(str(ds.get(date) or "")), TM(str(ds.get(time) or ""))
    return datetime.combine(day, moment) if day is not None and moment is not None else None


def _positive(ds: Dataset, keyword: str) -> float:
    try:
        value = float(str(ds.get(keyword)))
    except ValueError:
        value = 0.0
    if value <= 0:
        raise Refused(Code.SUV, f"{keyword} is not stated")
    return value


def _values(ds: Dataset, keyword: str) -> list[object]:
    value = ds.get(keyword) or []
    return [value] if isinstance(value, str) else list(value)
