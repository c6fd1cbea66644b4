"""What is known while FHIR resources are read: where rows go, and whom a reference names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chw_tools.exchange.fhir_elements import Resource
    from chw_tools.exchange.rows import Gathered

#: Columns of the tuples that each map appends. ``at`` is the place, ``display`` the code's text.
COLUMNS: dict[str, tuple[str, ...]] = {
    "facilities": ("id", "name", "kind", "latitude", "longitude", "known_on", "at"),
    "workers": ("id", "name", "facility_id", "started_on", "ended_on", "known_on", "at"),
    "people": (
        "id", "given_name", "family_name", "sex", "born_on", "born_precision", "phone",
        "language", "died_on", "known_on", "at",
    ),
    "visits": (
        "id", "person_id", "worker_id", "facility_id", "visited_on", "kind", "outcome",
        "minutes", "known_on", "at",
    ),
    "observations": (
        "id", "person_id", "visit_id", "system", "code", "value_number", "unit", "value_code",
        "observed_on", "known_on", "at", "display",
    ),
    "conditions": (
        "id", "person_id", "visit_id", "system", "code", "onset_on", "resolved_on", "known_on",
        "at", "display",
    ),
    "medications": (
        "id", "person_id", "visit_id", "system", "code", "started_on", "ended_on", "status",
        "known_on", "at", "display",
    ),
    "immunisations": (
        "id", "person_id", "visit_id", "system", "code", "given_on", "dose_number", "known_on",
        "at", "display",
    ),
}  # fmt: skip


#: Why a resource is listed, and the beginning of why one is only counted.
WITHDRAWN = "the source marks it as entered in error"
NOT_MODELLED = "not modelled"


class Context:
    """What is known while the resources of one file are read.

    Parameters
    ----------
    gathered : Gathered
        Where rows and refusals go.
    population : str
        ``real`` or ``simulated``, as the records were given.
    keep_unmodelled : bool
        Whether the body of what is not modelled is kept.
    """

    def __init__(
        self, gathered: Gathered, *, population: str = "real", keep_unmodelled: bool = False
    ) -> None:
        self.gathered = gathered
        self.population = population
        self.keep_unmodelled = keep_unmodelled
        self.file = ""
        self.full_urls: dict[str, str] = {}
        self.medicines: dict[str, Resource] = {}
        self.workers: set[str] = set()

    def reference(self, node: Any, expected: str) -> str | None:
        """The literal reference (``Type/id``) that a Reference element stands for."""
        text = node.get("reference") if isinstance(node, dict) else None
        if not isinstance(text, str) or text.startswith("#"):
            return None
        known = self.full_urls.get(text)
        if known is not None:
            return known
        if text.startswith(("urn:uuid:", "urn:oid:")):
            return f"{expected}/{text.rpartition(':')[2]}"
        if "?" in text:
            return _conditional(text, expected)
        parts = text.split("/_history")[0].rsplit("/", 2)
        return f"{parts[-2]}/{parts[-1]}" if len(parts) > 1 else None


def _conditional(text: str, expected: str) -> str | None:
    # Synthea names providers by the identifier that is also their id.
    kind, _, query = text.partition("?")
    if not query.startswith("identifier="):
        return None
    return f"{kind.rpartition('/')[2] or expected}/{query.rpartition('|')[2].rpartition('=')[2]}"


def put(context: Context, table: str, row: tuple[Any, ...]) -> None:
    """Add a row of a table, its values in the order of :data:`COLUMNS`."""
    rows = context.gathered.rows
    if table in rows:
        rows[table].append(row)
    else:
        rows[table] = [row]
