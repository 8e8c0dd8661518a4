"""DVHs that a dose object carries, in the same terms as computed ones, and what differs.

PS3.3 C.8.8.4: DVHData are pairs of a bin width and the volume of the bin; for a cumulative curve
the volume that gets at least the dose at the lower edge. Doses are multiplied with DVHDoseScaling.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from rtgraph.preprocess.dvh import Dvh
from rtgraph.preprocess.geometry import Floats
from rtgraph.preprocess.masks import Finding
from rtgraph.preprocess.slices import numbers

DIFFERS_SHARE = 0.03
DIFFERS_GY = 2.0
VOLUME_SHARE, VOLUME_CC = 0.1, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class StoredDvh:
    """A DVH as the file states it.

    Attributes
    ----------
    included, excluded : tuple of int
        ROI numbers and their contribution.
    edges_gy : (n + 1,) float64
        Doses between bins, from 0.
    cumulative : (n,) float64
        Volume that gets at least the lower edge of each bin, in the unit of the file.
    volume_cc : float or None
        Total volume; None when the curve is relative.
    min_gy, max_gy, mean_gy : float or None
        As stated; the mean, where it is not stated, of the curve.
    """

    included: tuple[int, ...]
    excluded: tuple[int, ...]
    edges_gy: Floats
    cumulative: Floats
    volume_cc: float | None
    min_gy: float | None
    max_gy: float | None
    mean_gy: float | None


def stored_dvhs(ds: Dataset) -> Iterator[StoredDvh]:
    """Yield the DVHs of a dose object whose doses are in Gy and whose data can be read."""
    for item in ds.get("DVHSequence") or ():
        data = numbers(item.get("DVHData"), len(item.get("DVHData") or ()))
        scaling = numbers([item.get("DVHDoseScaling")], 1)
        if data is None or len(data) < 2 or len(data) % 2 or item.get("DoseUnits") != "GY":
            continue
        factor = 1.0 if scaling is None else float(scaling[0])
        width, volume = data[::2] * factor, data[1::2]
        edges = np.concatenate([[0.0], np.cumsum(width)])
        if str(item.get("DVHType")) != "CUMULATIVE":
            volume = np.cumsum(volume[::-1])[::-1]
        in_cc = str(item.get("DVHVolumeUnits")) == "CM3"
        roles = [(int(r.ReferencedROINumber), str(r.get("DVHROIContributionType") or "INCLUDED"))
                 for r in item.get("DVHReferencedROISequence") or ()]
        stated = {k: None if (v := numbers([item.get(k)], 1)) is None else float(v[0]) * factor
                  for k in ("DVHMinimumDose", "DVHMaximumDose", "DVHMeanDose")}
        mean = stated["DVHMeanDose"]
        yield StoredDvh(
            tuple(n for n, role in roles if role != "EXCLUDED"),
            tuple(n for n, role in roles if role == "EXCLUDED"), edges, volume,
            float(volume[0]) if in_cc else None, stated["DVHMinimumDose"],
            stated["DVHMaximumDose"], _mean(edges, volume) if mean is None else mean)


def _mean(edges: Floats, cumulative: Floats) -> float | None:
    parts = cumulative - np.append(cumulative[1:], 0.0)
    total = float(parts.sum())
    return float(((edges[:-1] + edges[1:]) / 2) @ parts) / total if total > 0 else None


def compared(computed: Dvh, stored: StoredDvh, number: int) -> list[Finding]:
    """Return where a computed DVH differs from the stored one: over 3 % or 2 Gy, or in volume."""
    found = []
    for name, mine, theirs in (("mean", computed.mean_gy, stored.mean_gy),
                               ("maximum", computed.max_gy, stored.max_gy)):
        if theirs is not None and np.isfinite(mine):
            apart = abs(mine - theirs)
            if apart > DIFFERS_GY or apart > DIFFERS_SHARE * max(abs(theirs), 1e-6):
                found.append(Finding("DVH_DOSE", "warning", str(number),
                                     f"{name} {mine:.2f} Gy computed, {theirs:.2f} Gy stored"))
    if stored.volume_cc is not None:
        apart = abs(computed.volume_cc - stored.volume_cc)
        if apart > VOLUME_CC and apart > VOLUME_SHARE * stored.volume_cc:
            found.append(Finding(
                "DVH_VOLUME", "warning", str(number),
                f"{computed.volume_cc:.2f} cc computed, {stored.volume_cc:.2f} cc stored"))
    return found
