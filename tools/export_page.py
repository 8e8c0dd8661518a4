"""The page about configurations of exports: keys, steps, presets, reasons of refusal."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields

from rtgraph.preprocess.declared import Declared
from rtgraph.preprocess.masksteps import MASK_STEPS
from rtgraph.preprocess.policy import Rule
from rtgraph.preprocess.refusals import HINTS, Code
from rtgraph.preprocess.settings import KEYS, OneOf, preset_text, presets
from rtgraph.preprocess.steps import STEPS
from tools.markdown import code, table

RULES = {
    Rule.EXISTING_SUM: "a MULTI_PLAN dose names exactly the plans asked for",
    Rule.PLAN_DOSE: "exactly one PLAN dose",
    Rule.SUM_OF_BEAMS: "no PLAN dose; BEAM doses cover every treatment beam once and are added",
    Rule.SUM_OF_FRACTIONS: "no PLAN dose; FRACTION doses cover every fraction group once",
    Rule.SUM_OF_PLANS: "scope course: doses of plans that state a relation, weighted by the "
                       "fractions delivered over those planned",
    Rule.DUPLICATE: "several PLAN doses with the same pixels on the same grid: one of them",
    Rule.LATEST: "several different ones and `on_ambiguity = \"latest\"`: the one calculated last",
    Rule.AMBIGUOUS: "several that may be meant: refused",
    Rule.NO_DOSE: "none is left",
}


def export_page() -> Iterator[str]:
    """Yield what a configuration may say."""
    yield "# Configuration of exports"
    yield ("A TOML file for `rtgraph preprocess export --config`, or a preset. A key `a.b` stands "
           "in the table `[a]`. Sizes are in mm, doses in Gy, coordinates LPS.")
    yield table(("key", "values", "default", "meaning"), (
        (f"`{k.name}`", code(w for w in k.read.words if w) if isinstance(k.read, OneOf) else None,
         _default(k.default), k.text) for k in KEYS))
    yield "## Steps"
    yield "Tables `[[image.steps]]` and `[[dose.steps]]`, in order."
    yield _steps(STEPS)
    yield ("Tables `[[masks.steps]]`, in order, for all masks or for those that `rois` lists. "
           "Parts are voxels that share a face, distances those of voxel centres in mm. The "
           "manifest keeps the volume of a mask before and after each step.")
    yield _steps(MASK_STEPS)
    yield "## Which dose is taken"
    yield "The first rule that fits decides; it is stored with the sample and in the graph."
    yield table(("decision", "when"), ((f"`{r}`", text) for r, text in RULES.items()))
    yield "## Why a case is left out"
    yield table(("code", "what helps"), ((f"`{c}`", HINTS.get(c)) for c in Code))
    yield "## Presets"
    yield f"{code(presets())}; `--show` prints one."
    for name in presets():
        yield f"```toml\n{preset_text(name).rstrip()}\n```"


def _steps(kinds: Mapping[str, type[Declared]]) -> str:
    return table(("step", "parameters", "does"), (
        (f"`{name}`", ", ".join(f"`{f.name}`" + (
            "" if f.default in (MISSING, None, ()) else f" = {_default(f.default)}")
            for f in sorted(fields(step), key=lambda f: f.name == "rois")),
         (step.__doc__ or "").split("\n")[0].rstrip("."))
        for name, step in sorted(kinds.items())))


def _default(value: object) -> str:
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, tuple):
        return ", ".join(_default(v) if not isinstance(v, tuple) else " ".join(map(str, v))
                         for v in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
