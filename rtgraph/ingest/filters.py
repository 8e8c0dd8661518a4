"""What a user leaves out of a run."""

from dataclasses import dataclass

from rtgraph.ingest.records import Instance


@dataclass(frozen=True, slots=True)
class Modalities:
    """Objects that are taken by their Modality: those in `only` (empty: all), none in `without`.

    An object without Modality is in no list.
    """

    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether anything is left out."""
        return bool(self.only or self.without)

    def takes(self, o: Instance) -> bool:
        """Tell whether an object is taken."""
        modality = o.values.get("Instance", {}).get("Modality")
        return modality not in self.without and (not self.only or modality in self.only)
