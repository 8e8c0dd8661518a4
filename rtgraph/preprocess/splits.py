"""Splits by patient, seeded and written down, and the check that nothing leaks between them.

Patients that share a frame of reference or an image series are one unit, so that a copied series
under two IDs does not stand on both sides.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """What the split asks of a case."""

    case_id: str
    patient_key: str
    stratum: str = ""
    frames: tuple[str, ...] = ()
    series: tuple[str, ...] = ()


def assign(members: Sequence[Member], shares: Sequence[tuple[str, float]], seed: int
           ) -> dict[str, str]:
    """Return the split of each case.

    Parameters
    ----------
    members : sequence of Member
        Cases that will be made; their order does not matter.
    shares : sequence of (str, float)
        Names of the splits and their shares of the units, which add up to 1.
    seed : int
        Of the shuffle.

    Returns
    -------
    dict of str to str
        Split by case.
    """
    units = _units(members)
    strata: dict[str, list[list[Member]]] = {}
    for unit in units:
        strata.setdefault(min(m.stratum for m in unit), []).append(unit)
    found = {}
    for name in sorted(strata):
        group = sorted(strata[name], key=lambda u: min(m.patient_key for m in u))
        random.Random(f"{seed}/{name}").shuffle(group)
        for unit, split in zip(group, _names(len(group), shares), strict=True):
            found.update({m.case_id: split for m in unit})
    return found


def _names(count: int, shares: Sequence[tuple[str, float]]) -> list[str]:
    """Return `count` names by the shares: whole parts first, then the largest remainders."""
    wanted = [count * share for _, share in shares]
    whole = [int(w + 1e-9) for w in wanted]
    by_rest = sorted(range(len(shares)), key=lambda k: (whole[k] - wanted[k], k))
    for k in by_rest[:count - sum(whole)]:
        whole[k] += 1
    return [name for (name, _), n in zip(shares, whole, strict=True) for _ in range(n)]


def _units(members: Sequence[Member]) -> list[list[Member]]:
    """Join cases that share a patient, a frame of reference or a series."""
    parent = {m.case_id: m.case_id for m in members}

    def root(case: str) -> str:
        while parent[case] != case:
            case = parent[case]
        return case

    first: dict[str, str] = {}
    for m in sorted(members, key=lambda m: m.case_id):
        for key in (f"patient {m.patient_key}", *(f"frame {f}" for f in m.frames if f),
                    *(f"series {s}" for s in m.series if s)):
            other = first.setdefault(key, m.case_id)
            parent[root(m.case_id)] = root(other)
    groups: dict[str, list[Member]] = {}
    for m in sorted(members, key=lambda m: m.case_id):
        groups.setdefault(root(m.case_id), []).append(m)
    return list(groups.values())


def leaks(members: Iterable[Member], splits: Mapping[str, str], images: Mapping[str, str]
          ) -> list[str]:
    """Return what stands in several splits: patients, frames, series and identical images.

    Parameters
    ----------
    members : iterable of Member
        Cases.
    splits : mapping of str to str
        Split by case.
    images : mapping of str to str
        Digest of the image by case, for cases that were written.
    """
    places: dict[tuple[str, str], set[str]] = {}
    for m in members:
        if m.case_id not in splits:
            continue
        keys = [("patient", m.patient_key), *(("frame", f) for f in m.frames if f),
                *(("series", s) for s in m.series if s)]
        if m.case_id in images:
            keys.append(("image", images[m.case_id]))
        for key in keys:
            places.setdefault(key, set()).add(splits[m.case_id])
    return [f"{what} {value} in {', '.join(sorted(found))}"
            for (what, value), found in sorted(places.items()) if len(found) > 1]
