"""The configuration of an export: a TOML file, or a preset of the package, checked key by key.

`KEYS` is the single declaration: the reader, the messages about mistakes and the reference page are
made from it.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any

from rtgraph.errors import UnknownName, UsageError
from rtgraph.preprocess.declared import Declared
from rtgraph.preprocess.dvh import Dvh
from rtgraph.preprocess.masks import Between, MaskOptions, Mode
from rtgraph.preprocess.masksteps import parse_mask_steps
from rtgraph.preprocess.names import NameMap, fold, read_name_map
from rtgraph.preprocess.policy import Policy
from rtgraph.preprocess.raster import HoleRule
from rtgraph.preprocess.stacks import StackOptions
from rtgraph.preprocess.steps import parse_steps

FORMATS = ("nifti", "nrrd", "npz", "zarr", "hdf5", "nnunet", "monai")
PARTS = ("image", "masks", "dose", "dvh", "beams")
LABEL_FORMATS = frozenset({"nnunet", "monai"})  # they hold one label map, so an order is needed
METRICS = ("Dmean", "Dmin", "Dmax", "D95", "D2", "D0.03cc", "V20Gy")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration: how its value is read, its default, what it means."""

    name: str
    read: Callable[[Any], Any]
    default: Any
    text: str


class OneOf:
    """Reads one word of a list."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, value: Any) -> Any:
        if value not in self.words:
            raise ValueError(f"one of {', '.join(self.words)} is expected")
        return value


class SomeOf(OneOf):
    """Reads several words of a list, in the order of the list."""

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, list) or not value or not set(value) <= set(self.words):
            raise ValueError(f"a list of {', '.join(self.words)} is expected")
        return tuple(w for w in self.words if w in value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise ValueError("a list of texts is expected")
    if len(set(value)) < len(value):
        raise ValueError("a text stands twice")
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _number(low: float, high: float) -> Callable[[Any], Any]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low < value <= high:
            raise ValueError(f"a number above {low:g}, at most {high:g}, is expected")
        return float(value)
    return read


def _whole(low: int, high: int) -> Callable[[Any], Any]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high} is expected")
        return value
    return read


def _spacing(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError("three numbers in mm are expected")
    return tuple(_number(0, 100)(v) for v in value)


def _ratio(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2 or not 0 < value[0] < value[1]:
        raise ValueError("two rising numbers are expected")
    return float(value[0]), float(value[1])


def _shares(value: Any) -> tuple[tuple[str, float], ...]:
    known = ("train", "validation", "test")
    if not isinstance(value, dict) or not set(value) <= set(known) or not value:
        raise ValueError("a table of train, validation and test is expected")
    parts = {k: _number(0, 1)(value[k]) for k in known if k in value}
    if abs(sum(parts.values()) - 1) > 1e-6:
        raise ValueError("shares that add up to 1 are expected")
    return tuple(parts.items())


def _steps(parse: Callable[[list[dict[str, Any]]], tuple[Declared, ...]]) -> Callable[[Any], Any]:
    def read(value: Any) -> tuple[Declared, ...]:
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise ValueError("tables [[…steps]] are expected")
        return parse(value)
    return read


def _metrics(value: Any) -> tuple[str, ...]:
    empty = Dvh.nothing()
    for name in _texts(value):
        empty.metric(name)
    return tuple(value)


KEYS = (
    Key("format", OneOf(*FORMATS), None, "what is written"),
    Key("parts", SomeOf(*PARTS), ("image", "masks", "dose"), "which parts of a case are made"),
    Key("allow_nonuniform", _flag, False,
        "resample uneven planes and missing slices, with a validity mask"),
    Key("allow_tilt", _flag, False, "resample a sheared stack to a straight grid"),
    Key("grid.spacing_mm", _spacing, None,
        "along columns, rows, planes; absent: that of the planning image"),
    Key("grid.orientation", OneOf("LPS", "RAS"), None,
        "axes of the arrays; absent: those of the planning image"),
    Key("grid.crop_voxels", _whole(8, 1024), None,
        "edge of a cube about the first ROI of masks.rois; absent: no crop"),
    Key("image.steps", _steps(parse_steps), (), "normalisation steps, in order"),
    Key("image.phase", _text, "", "stack that is meant, as attribute=value"),
    Key("masks.mode", OneOf(*Mode), Mode.voxel_centre, "how a voxel belongs to an ROI"),
    Key("masks.holes", OneOf(*HoleRule), HoleRule.xor, "what several contours on a plane mean"),
    Key("masks.between", OneOf(*Between), Between.none,
        "planes without a contour between others"),
    Key("masks.rois", _texts, (),
        "standard or raw names; their order is that of labels; empty: every ROI"),
    Key("masks.several", OneOf("refuse", "first", "merge", "separate"), "refuse",
        "several ROIs of one name"),
    Key("masks.steps", _steps(parse_mask_steps), (),
        "processing of masks, in order; DVHs stay those of what was drawn"),
    Key("masks.required", _texts, (), "names without which a case is skipped"),
    Key("masks.segmentations", OneOf("ignore", "add", "alone"), "ignore",
        "Segmentation objects on the image: add their segments as ROIs, or cases of their own"),
    Key("masks.possible_dose", _flag, False, "add the mask of the body where dose is possible"),
    Key("masks.names", _text, "", "mapping file of ROI names"),
    Key("masks.site", _text, "", "site whose names of the mapping file apply"),
    Key("dose.steps", _steps(parse_steps), (), "normalisation steps, in order"),
    Key("dose.outside", OneOf("zero", "nan"), "zero", "value outside the dose grid"),
    Key("dvh.metrics", _metrics, METRICS, "columns of the DVH table"),
    Key("dose_policy.name", _text, "plan-dose", "name of the policy, for the record"),
    Key("dose_policy.version", _whole(1, 10**6), 1, "version of the policy, for the record"),
    Key("dose_policy.scope", OneOf("plan", "course"), "plan", "dose of one plan, or of all"),
    Key("dose_policy.units", SomeOf("GY"), ("GY",), "accepted DoseUnits"),
    Key("dose_policy.dose_types", _texts, ("PHYSICAL",), "accepted DoseType, preferred ones first"),
    Key("dose_policy.links", SomeOf("stated", "inferred"), ("stated",), "accepted links"),
    Key("dose_policy.excluded", _texts, (), "SOPInstanceUIDs of doses that are never taken"),
    Key("dose_policy.on_ambiguity", OneOf("refuse", "latest"), "refuse",
        "several different doses of one plan"),
    Key("dose_policy.max_plausible_gy", _number(0, 10**4), 100.0, "a larger maximum is warned of"),
    Key("dose_policy.prescription_ratio", _ratio, (0.5, 2.0),
        "maximum over prescription; outside is warned of"),
    Key("registration.max_steps", _whole(1, 8), 2, "longest path of registrations"),
    Key("registration.chosen", _texts, (), "SOPInstanceUIDs of the only ones that may be used"),
    Key("split.seed", _whole(0, 2**63 - 1), 1, "seed of the split"),
    Key("split.shares", _shares, (("train", 1.0),), "shares of patients"),
    Key("split.stratify", OneOf("", "site", "protocol"), "", "keep shares within each value"),
    Key("export.dataset_name", _text, "RTGRAPH", "name of an nnU-Net data set"),
    Key("checks.skip_at", OneOf("error", "warning", "never"), "error",
        "open findings of this severity skip a case"),
)
_BY_NAME = {k.name: k for k in KEYS}


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked configuration; `values` holds every key, defaults included."""

    values: Mapping[str, Any]
    name_map: NameMap = field(default_factory=NameMap)

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def makes(self, part: str) -> bool:
        """Tell whether a part of cases is made."""
        return part in self.values["parts"]

    def with_reviewed(self, names: Mapping[str, str]) -> "Settings":
        """Return the configuration with reviewed names: raw name to standard name."""
        folded = {fold(raw): standard for raw, standard in sorted(names.items())}
        return replace(self, name_map=replace(self.name_map, reviewed=folded))

    @property
    def digest(self) -> str:
        """A hash of the configuration and of the name mapping."""
        return blake2b(json.dumps(self.record(), sort_keys=True).encode(),
                       digest_size=16).hexdigest()

    def record(self) -> dict[str, Any]:
        """Return the configuration as plain values, for manifests."""
        return {**{k: _plain(v) for k, v in sorted(self.values.items())},
                "name_map": {"reviewed": dict(self.name_map.reviewed),
                             "cohort": dict(self.name_map.cohort),
                             "site": {k: dict(v) for k, v in self.name_map.sites.items()},
                             "set": {k: dict(v) for k, v in self.name_map.sets.items()}}}

    @property
    def mask_options(self) -> MaskOptions:
        """The choices for masks."""
        return MaskOptions(Mode(self["masks.mode"]), HoleRule(self["masks.holes"]),
                           Between(self["masks.between"]))

    @property
    def stack_options(self) -> StackOptions:
        """The choices for images."""
        return StackOptions(self["allow_nonuniform"], self["allow_tilt"], self["image.phase"])

    @property
    def policy(self) -> Policy:
        """The dose policy."""
        return Policy(**{k.removeprefix("dose_policy."): v for k, v in self.values.items()
                         if k.startswith("dose_policy.")})


def presets() -> list[str]:
    """Return the names of the shipped presets."""
    folder = files("rtgraph.preprocess").joinpath("presets")
    return sorted(p.name.removesuffix(".toml") for p in folder.iterdir()
                  if p.name.endswith(".toml"))


def preset_text(name: str) -> str:
    """Return a preset as it is shipped.

    Raises
    ------
    UnknownName
        There is no such preset.
    """
    if name not in presets():
        raise UnknownName("preset", name, presets())
    return files("rtgraph.preprocess").joinpath("presets", f"{name}.toml").read_text("utf-8")


def read_settings(text: str, folder: Path | None = None, only: tuple[str, ...] = ()) -> Settings:
    """Check the text of a configuration.

    Parameters
    ----------
    text : str
        TOML.
    folder : Path, optional
        Where the name mapping is looked for.
    only : tuple of str
        Parts that are made instead of those of the configuration.

    Raises
    ------
    UsageError
        It is no TOML, a key does not exist or has a value that is not allowed, or the keys do
        not go together.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The configuration is no TOML: {error}.") from error
    given = dict(_flat(tables))
    for name in given:
        if name not in _BY_NAME:
            raise UnknownName("key of the configuration", name, _BY_NAME)
    if only:
        given["parts"] = list(only)
    values = {}
    for key in KEYS:
        if key.name not in given:
            values[key.name] = key.default
            continue
        try:
            values[key.name] = key.read(given[key.name])
        except ValueError as error:
            raise UsageError(f"The key {key.name} of the configuration: {error}.") from error
    if values["format"] is None:
        raise UsageError("The configuration says no format.", f"One of {', '.join(FORMATS)}.")
    labels = values["format"] in LABEL_FORMATS and "masks" in values["parts"]
    if labels and not values["masks.rois"]:
        raise UsageError(f"The format {values['format']} holds one label map.",
                         "Name the ROIs in masks.rois; their order is that of the labels.")
    if values["grid.crop_voxels"] and not values["masks.rois"]:
        raise UsageError("grid.crop_voxels needs masks.rois: the cube lies about the first one.")
    _check_mask_steps(values)
    names = NameMap()
    if values["masks.names"]:
        names = read_name_map((folder or Path()) / values["masks.names"])
    return Settings(values, names)


def _check_mask_steps(values: Mapping[str, Any]) -> None:
    if values["masks.steps"] and values["masks.mode"] != Mode.voxel_centre:
        raise UsageError("masks.steps need masks.mode voxel-centre: parts of voxels have no parts.")
    wanted = values["masks.rois"]
    for name in (n for step in values["masks.steps"] for n in step.rois):
        if wanted and name not in wanted:
            raise UnknownName("ROI of masks.rois", name, wanted)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Any:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and name not in _BY_NAME:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _plain(value: Any) -> Any:
    if isinstance(value, Declared):
        return value.record()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, str) else value
