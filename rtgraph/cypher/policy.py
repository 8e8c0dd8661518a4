"""What a project says about checks: severities, thresholds, suppressions, and a protocol file.

The section `[validate]` of `rtgraph.toml`:

    [validate]
    protocol = "prostate.toml"

    [validate.checks.FOR-08]
    severity = "info"
    error_above = "1%"              # or a number of findings; also warning_above

    [[validate.suppress]]
    check = "REF-01"
    subject = "1.2.840.99.7"        # absent: all findings of the check; so are the other columns
    reason = "The localizer was never exported."
    author = "A. Physicist"
    expires = 2027-01-31            # absent: never

A protocol file is for the courses of one trial or site:

    title = "Prostate 2027"

    [checks.REF-04]
    severity = "error"

    [[structures]]
    names = ["ptv", "ptv_60"]       # one of them, whatever the case
    type = "PTV"
    severity = "error"

    [[objects]]
    modality = "RTRECORD"           # what a course must have besides its plan
    severity = "warning"
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rtgraph.cypher.header import Check, Severity
from rtgraph.errors import UnknownName, UsageError

IN_SETTINGS = "validate in rtgraph.toml"


@dataclass(frozen=True, slots=True)
class Threshold:
    """More findings than this: a number, or a share of the population."""

    number: float
    share: bool = False

    def exceeded(self, n_findings: int, population: int) -> bool:
        """Tell whether there are more findings than allowed."""
        return n_findings > (self.number * population if self.share else self.number)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a project says about one check: its severity, and when it is another."""

    severity: Severity | None = None
    warning_above: Threshold | None = None
    error_above: Threshold | None = None

    def severity_of(self, stated: Severity, n_findings: int, population: int) -> Severity:
        """Return the severity of a finding for which the check says `stated`.

        Above a threshold it has that severity; below all of them it is milder than the threshold,
        for it would have no effect otherwise.
        """
        if self.error_above and self.error_above.exceeded(n_findings, population):
            return Severity.error
        if self.warning_above and self.warning_above.exceeded(n_findings, population):
            return Severity.warning
        severity = self.severity or stated
        limit = (Severity.info if self.warning_above else
                 Severity.warning if self.error_above else Severity.error)
        return min(severity, limit, key=lambda s: s.rank)


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings of a check that a project accepts; `identity` are columns and their values."""

    check: str
    identity: Mapping[str, str]
    reason: str
    author: str
    expires: date | None = None

    @property
    def said(self) -> str:
        """What is told about it; never a value of a patient."""
        what = "".join(f" {value}" for value in self.identity.values())
        return f"{self.check}{what} (by {self.author}: {self.reason})"


@dataclass(frozen=True, slots=True)
class Policy:
    """All that a project says about checks."""

    limits: Mapping[str, Limits] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    title: str = ""
    structures: tuple[Mapping[str, object], ...] = ()
    objects: tuple[Mapping[str, object], ...] = ()

    @property
    def parameters(self) -> dict[str, object]:
        """Return the parameters of the checks that a protocol gives values."""
        given = {"protocol": list(self.structures), "objects": list(self.objects)}
        return {name: rows for name, rows in given.items() if rows}


def read_policy(
    settings: Mapping[str, Any], checks: Iterable[Check], protocol: Path | None = None
) -> Policy:
    """Read the section about checks, and the protocol that it or the user names.

    Parameters
    ----------
    settings : mapping
        `Settings.validate`.
    checks : iterable of Check
        All that there are, to know their names.
    protocol : Path, optional
        In the place of the one that the settings name.

    Raises
    ------
    UsageError
        A key, a check, a severity or a threshold is unknown, or a file cannot be read.
    """
    known = {c.id: c for c in checks}
    _only(settings, ("checks", "protocol", "suppress"), IN_SETTINGS)
    named = settings.get("protocol")
    if named is not None and not isinstance(named, str):
        raise UsageError("validate.protocol is the path of a file.")
    path = protocol or (Path(named).expanduser() if named else None)
    document = _load(path) if path else {}
    where = path.name if path else ""
    _only(document, ("title", "checks", "structures", "objects"), where)
    limits = _limits(document.get("checks", {}), known, where)
    return Policy(
        limits=limits | _limits(settings.get("checks", {}), known, IN_SETTINGS),
        suppressions=tuple(_suppression(entry, known)
                           for entry in _tables(settings.get("suppress", []), "suppress")),
        title=_text(document.get("title", ""), "title", where),
        structures=tuple(_structure(entry, where)
                         for entry in _tables(document.get("structures", []), "structures")),
        objects=tuple(_object(entry, where)
                      for entry in _tables(document.get("objects", []), "objects")),
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The protocol file cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path.name} is no TOML file: {error}.") from error


def _only(table: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    for name in table:
        if name not in allowed:
            raise UnknownName(f"key of {where}", name, allowed)


def _tables(value: object, name: str) -> list[Mapping[str, Any]]:
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    raise UsageError(f"{name} is a list of tables, each under [[{name}]].")


def _text(value: object, name: str, where: str) -> str:
    if isinstance(value, str):
        return value
    raise UsageError(f"{name} in {where} is a text.")


def _needed(entry: Mapping[str, Any], name: str, what: str) -> str:
    if isinstance(entry.get(name), str) and entry[name].strip():
        return str(entry[name]).strip()
    raise UsageError(f"{what} needs a {name}.")


def _severity(value: object, what: str) -> Severity:
    try:
        return Severity(str(value).lower())
    except ValueError:
        raise UsageError(f"The severity of {what} is one of {', '.join(Severity)}.") from None


def _limits(value: object, known: Mapping[str, Check], where: str) -> dict[str, Limits]:
    if not isinstance(value, dict):
        raise UsageError(f"checks in {where} holds a table for each check.")
    found = {}
    for name, entry in value.items():
        if name.upper() not in known:
            raise UnknownName(f"check in {where}", name, known)
        if not isinstance(entry, dict):
            raise UsageError(f"{name} in {where} is a table with severity and thresholds.")
        _only(entry, ("severity", "warning_above", "error_above"), f"{name} in {where}")
        found[name.upper()] = Limits(
            _severity(entry["severity"], name) if "severity" in entry else None,
            *(_threshold(entry[k], f"{k} of {name}") if k in entry else None
              for k in ("warning_above", "error_above")))
    return found


def _threshold(value: object, what: str) -> Threshold:
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%"))
        if isinstance(value, bool) or not 0 <= number < float("inf"):
            raise ValueError
    except ValueError:
        raise UsageError(f"{what} is a number of findings, or a share such as \"1%\".") from None
    return Threshold(number / 100, True) if text.endswith("%") else Threshold(number)


def _suppression(entry: Mapping[str, Any], known: Mapping[str, Check]) -> Suppression:
    check = _needed(entry, "check", "A suppression").upper()
    if check not in known:
        raise UnknownName("check in a suppression", check, known)
    expires = entry.get("expires")
    if expires is not None and (not isinstance(expires, date) or isinstance(expires, datetime)):
        raise UsageError(f"The suppression of {check} expires on a date such as 2027-01-31.")
    columns = {k: v for k, v in entry.items() if k not in ("check", "reason", "author", "expires")}
    _only(columns, {"patient_key", "subject", "target", *known[check].identity},
          f"a suppression of {check}")
    if not all(isinstance(v, str) for v in columns.values()):
        raise UsageError(f"The columns of the suppression of {check} are texts.")
    what = f"The suppression of {check}"
    return Suppression(check, columns, _needed(entry, "reason", what),
                       _needed(entry, "author", what), expires)


def _structure(entry: Mapping[str, Any], where: str) -> Mapping[str, object]:
    """Return what check STR-10 looks for: names as the graph folds them."""
    _only(entry, ("names", "type", "severity"), f"structures in {where}")
    names = entry.get("names")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise UsageError(f"A structure in {where} needs names, a list of texts.")
    return {
        "names": [" ".join(name.casefold().split()) for name in names],
        "type": entry.get("type"),
        "severity": _severity(entry.get("severity", "warning"), names[0]).upper(),
    }


def _object(entry: Mapping[str, Any], where: str) -> Mapping[str, object]:
    _only(entry, ("modality", "severity"), f"objects in {where}")
    modality = _needed(entry, "modality", f"An object in {where}").upper()
    return {"modality": modality,
            "severity": _severity(entry.get("severity", "warning"), modality).upper()}
