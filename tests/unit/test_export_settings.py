"""Configurations of exports: presets, defaults, mistakes told with the key."""

from pathlib import Path

import pytest

from rtgraph.errors import UnknownName, UsageError
from rtgraph.preprocess.settings import KEYS, preset_text, presets, read_settings


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_sound(name: str) -> None:
    settings = read_settings(preset_text(name))
    assert settings["format"] in preset_text(name)
    assert settings.policy.on_ambiguity == "refuse"
    assert settings.digest == read_settings(preset_text(name)).digest
    assert set(settings.record()) == {k.name for k in KEYS} | {"name_map"}


def test_presets_are_those_that_the_help_names() -> None:
    assert presets() == ["dose-prediction", "monai", "nifti", "nnunet", "npz"]
    with pytest.raises(UnknownName, match="nnnet"):
        preset_text("nnnet")


MISTAKES = [
    # name            text                                               message
    ("no TOML",       "format = ",                                       "no TOML"),
    ("no format",     "parts = ['image']",                               "no format"),
    ("format",        "format = 'dicom'",                                "format of the conf"),
    ("key",           "format = 'npz'\nallow_nonunifrm = true",          "allow_nonunifrm"),
    ("table",         "format = 'npz'\n[mask]\nmode = 'x'",              "mask.mode"),
    ("parts",         "format = 'npz'\nparts = ['images']",              "parts of the conf"),
    ("flag",          "format = 'npz'\nallow_tilt = 1",                  "true or false"),
    ("spacing",       "format = 'npz'\n[grid]\nspacing_mm = [1, 1]",     "three numbers"),
    ("spacing sign",  "format = 'npz'\n[grid]\nspacing_mm = [1, 1, 0]",  "above 0"),
    ("shares",        "format = 'npz'\n[split]\nshares = {train = 0.5}", "add up to 1"),
    ("split name",    "format = 'npz'\n[split]\nshares = {dev = 1.0}",   "train, validation"),
    ("metric",        "format = 'npz'\n[dvh]\nmetrics = ['D']",          "no metric"),
    ("step",          "format = 'npz'\n[[image.steps]]\nstep = 'clpi'",  "clpi"),
    ("twice",         "format = 'npz'\n[masks]\nrois = ['A', 'A']",      "twice"),
    ("no order",      "format = 'nnunet'",                               "one label map"),
    ("crop of what",  "format = 'npz'\n[grid]\ncrop_voxels = 64",        "needs masks.rois"),
    ("ratio",         "format = 'npz'\n[dose_policy]\nprescription_ratio = [2, 1]", "rising"),
    ("names",         "format = 'npz'\n[masks]\nnames = 'absent.toml'",  "absent.toml"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), [m[1:] for m in MISTAKES],
                         ids=[m[0] for m in MISTAKES])
def test_mistakes_are_told_with_the_key(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_settings(text)


def test_a_misspelt_key_has_a_suggestion() -> None:
    with pytest.raises(UnknownName) as caught:
        read_settings("format = 'npz'\nallow_nonunifrm = true")
    assert "allow_nonuniform" in caught.value.hint


def test_only_and_names(tmp_path: Path) -> None:
    (tmp_path / "names.toml").write_text("[cohort]\nx = 'Heart'\n", encoding="utf-8")
    text = "format = 'npz'\n[masks]\nnames = 'names.toml'"
    settings = read_settings(text, tmp_path, only=("masks", "dvh"))
    assert settings["parts"] == ("masks", "dvh")
    assert settings.name_map.cohort == {"x": "Heart"}
    (tmp_path / "names.toml").write_text("[cohort]\nx = 'Lungs'\n", encoding="utf-8")
    assert read_settings(text, tmp_path, only=("masks", "dvh")).digest != settings.digest
