"""What tests of exports share: patients put into a graph, exported and looked at."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rtgraph.api import locating
from rtgraph.preprocess.cases import CaseInputs, Selection, load_cases, select
from rtgraph.preprocess.export import Report, export, plan_all
from rtgraph.preprocess.planning import CasePlan
from rtgraph.preprocess.settings import Settings, read_settings
from tests.data import planned
from tests.server.conftest import TestGraph

PLAIN = "format = 'nifti'\nparts = ['image', 'masks', 'dose', 'dvh', 'beams']\n"


def ingested(graph: TestGraph, folder: Path, *patients: str) -> dict[str, dict[str, Any]]:
    """Write and ingest patients as they are; return their objects."""
    chains = {p: planned.chain(p) for p in patients}
    for p, objects in chains.items():
        planned.write(objects, folder / p)
    graph.ingest(folder)
    return chains


async def cases_of(graph: TestGraph, settings: Settings, plans: Sequence[str] | None = None
                   ) -> list[CaseInputs]:
    """Return the cases of plans, or of all; without dose also those without a plan."""
    alone = not (settings.makes("dose") or settings.makes("dvh") or settings.makes("beams"))
    wanted = Selection(tuple(plans)) if plans is not None else await select(
        graph.store, sets=alone, segmentations=settings["masks.segmentations"] == "alone")
    return await load_cases(graph.store, wanted, await locating(graph.store),
                            course=settings["dose_policy.scope"] == "course")


def exported(graph: TestGraph, out: Path, text: str = PLAIN, *,
             plans: Sequence[str] | None = None) -> Report:
    """Export cases in a thread."""
    settings = read_settings(text)

    async def work() -> Report:
        cases = await cases_of(graph, settings, plans)
        with ThreadPoolExecutor(1) as threads:
            return await export(graph.store, cases, settings, out, source="all patients",
                                executor=threads)

    return graph.run(work())


def decided(graph: TestGraph, text: str = PLAIN) -> list[CasePlan]:
    """Return what would be made of all cases."""
    settings = read_settings(text)

    async def work() -> list[CasePlan]:
        return plan_all(await cases_of(graph, settings), settings, pixels=True)

    return graph.run(work())


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files by name."""
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob("*")) if p.is_file() and ".rtgraph" not in p.parts}
