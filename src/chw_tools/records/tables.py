"""Every table, declared once.

From these declarations come the checks on what is imported, the store's schema, the data
dictionary, the starter mapping and the shape of the API. Two days stand on every record:
the day it happened (each table's ``event_day``) and ``known_on``, the day the programme
knew of it. Only the second decides what may be used as of a day.
"""

from __future__ import annotations

from chw_tools.records.columns import Column, Table

_FHIR = "HL7 FHIR R4 (4.0.1)"
_UUID7 = "RFC 9562, section 5.7"

SEXES = ("female", "male", "other", "unknown")
VISIT_OUTCOMES = ("seen", "away", "refused", "moved", "died")
#: Names under which the outcomes table records a death.
DEATHS = ("death", "died")
AREA_LEVELS = ("country", "region", "district", "subdistrict", "village")


def _key() -> Column:
    return Column("id", "id", "Key of the row, a UUID version 7.", required=True, source=_UUID7)


def _person() -> Column:
    return Column("person_id", "id", "Whom the row is about.", required=True, refers_to="people")


def _visit() -> Column:
    return Column("visit_id", "id", "Visit at which it was recorded.", refers_to="visits")


def _code(what: str) -> tuple[Column, Column]:
    return (
        Column("system", "text", f"Code system of {what}.", required=True, source=_FHIR),
        Column("code", "text", f"Code of {what} within its system.", required=True, source=_FHIR),
    )


def _supersedes(table: str) -> Column:
    return Column(
        "supersedes_id",
        "id",
        "Earlier row that this one corrects; the earlier one stays.",
        refers_to=table,
    )


_PROVENANCE = (
    Column(
        "source", "text", "System that the row came from; `chw` where entered here.", required=True
    ),
    Column("source_id", "text", "The row's identifier in that system."),
    Column("known_on", "day", "Day the programme knew of it.", required=True),
)

AREAS = Table(
    "areas",
    "A place in the tree of places, from country to village.",
    (
        _key(),
        Column("parent_id", "id", "Area that contains it.", refers_to="areas"),
        Column("name", "text", "Name of the place.", required=True),
        Column("level", "choice", "Its level in the tree.", required=True, allowed=AREA_LEVELS),
        Column("population", "integer", "People living there.", low=0),
        Column("is_rural", "flag", "Whether it is rural."),
        Column("latitude", "number", "Latitude of its centre, WGS 84.", "deg", low=-90, high=90),
        Column(
            "longitude", "number", "Longitude of its centre, WGS 84.", "deg", low=-180, high=180
        ),
        *_PROVENANCE,
    ),
)

FACILITIES = Table(
    "facilities",
    "A health post, health centre, hospital or pharmacy.",
    (
        _key(),
        Column("area_id", "id", "Area it stands in.", refers_to="areas"),
        Column("name", "text", "Name of the facility.", required=True),
        Column(
            "kind",
            "choice",
            "What it is.",
            allowed=("health_post", "health_centre", "hospital", "pharmacy", "other"),
        ),
        Column("latitude", "number", "Latitude, WGS 84.", "deg", low=-90, high=90),
        Column("longitude", "number", "Longitude, WGS 84.", "deg", low=-180, high=180),
        *_PROVENANCE,
    ),
)

WORKERS = Table(
    "workers",
    "A community health worker.",
    (
        _key(),
        Column("name", "text", "Name of the worker.", identifying=True),
        Column("area_id", "id", "Catchment area.", refers_to="areas"),
        Column("facility_id", "id", "Facility the worker reports to.", refers_to="facilities"),
        Column("language", "text", "Language spoken, as a BCP 47 tag.", source="RFC 5646"),
        Column(
            "skills",
            "text",
            "What the worker has learnt: names as services of the scope ask for them, with "
            "spaces between; empty where not recorded, `none` where nothing.",
        ),
        Column(
            "capacity_minutes",
            "number",
            "Minutes a day for visits and the walks between them.",
            "min",
            low=0,
            high=1440,
        ),
        Column("latitude", "number", "Latitude of the home or post.", "deg", low=-90, high=90),
        Column("longitude", "number", "Longitude of the home or post.", "deg", low=-180, high=180),
        Column("started_on", "day", "First working day."),
        Column("ended_on", "day", "Last working day."),
        *_PROVENANCE,
    ),
)

HOUSEHOLDS = Table(
    "households",
    "People who share a home.",
    (
        _key(),
        Column("area_id", "id", "Area it stands in.", refers_to="areas"),
        Column("worker_id", "id", "Worker who usually visits it.", refers_to="workers"),
        Column("latitude", "number", "Latitude, WGS 84.", "deg", low=-90, high=90),
        Column("longitude", "number", "Longitude, WGS 84.", "deg", low=-180, high=180),
        Column(
            "wealth_fifth",
            "integer",
            "Wealth fifth, 1 poorest to 5 richest.",
            low=1,
            high=5,
            source="DHS wealth index",
        ),
        Column("facility_km", "number", "Distance to the nearest facility.", "km", low=0),
        Column(
            "has_safe_water", "flag", "Improved drinking water source.", source="WHO/UNICEF JMP"
        ),
        Column("has_clean_fuel", "flag", "Cooks with clean fuel.", source="WHO SDG 7.1.2"),
        *_PROVENANCE,
    ),
)

PEOPLE = Table(
    "people",
    "A person in the register.",
    (
        _key(),
        Column("household_id", "id", "Household lived in.", refers_to="households"),
        Column("area_id", "id", "Area lived in, where no household is known.", refers_to="areas"),
        Column("given_name", "text", "Given name.", identifying=True),
        Column("family_name", "text", "Family name.", identifying=True),
        Column(
            "sex",
            "choice",
            "Sex recorded in the register.",
            required=True,
            allowed=SEXES,
            source=_FHIR,
        ),
        Column(
            "born_on",
            "day",
            "Day of birth, or the middle of what is known of it.",
            identifying=True,
        ),
        Column(
            "born_precision",
            "choice",
            "How precisely the birth is known.",
            allowed=("day", "month", "year"),
            source=_FHIR,
        ),
        Column("phone", "text", "Telephone number.", identifying=True),
        Column("language", "text", "Language spoken, as a BCP 47 tag.", source="RFC 5646"),
        Column(
            "education",
            "choice",
            "Highest schooling attended.",
            allowed=("none", "primary", "secondary", "higher"),
            source="ISCED 2011, folded to four",
        ),
        Column("died_on", "day", "Day of death, where the register says so."),
        Column(
            "moved_on", "day", "Day of leaving the programme's area, where the register says so."
        ),
        *_PROVENANCE,
    ),
    event_day="born_on",
)

PERSON_CHANGES = Table(
    "person_changes",
    "A decision about a register entry: merged, moved or died; undone by a later row.",
    (
        _key(),
        _person(),
        Column(
            "change",
            "choice",
            "What was decided; `undone` takes back the row it supersedes.",
            required=True,
            allowed=("merged", "moved", "died", "undone"),
        ),
        Column("happened_on", "day", "Day it happened.", required=True),
        Column(
            "into_person_id", "id", "Entry that the person was merged into.", refers_to="people"
        ),
        Column("area_id", "id", "Area moved to, where known.", refers_to="areas"),
        _supersedes("person_changes"),
        *_PROVENANCE,
    ),
    event_day="happened_on",
    is_event=True,
)

VISITS = Table(
    "visits",
    "A contact between a person and the programme or a facility.",
    (
        _key(),
        _person(),
        Column("worker_id", "id", "Worker who made it.", refers_to="workers"),
        Column("facility_id", "id", "Facility where it took place.", refers_to="facilities"),
        Column("visited_on", "day", "Day of the visit.", required=True),
        Column("planned_on", "day", "Day it was planned for."),
        Column(
            "kind",
            "choice",
            "Where it took place.",
            required=True,
            allowed=("home", "facility", "inpatient", "emergency", "phone", "group"),
            source=_FHIR,
        ),
        Column(
            "outcome",
            "choice",
            "What came of it.",
            required=True,
            allowed=VISIT_OUTCOMES,
        ),
        Column("minutes", "number", "How long it took.", "min", low=0, high=100_000),
        _supersedes("visits"),
        *_PROVENANCE,
    ),
    event_day="visited_on",
    is_event=True,
)

OBSERVATIONS = Table(
    "observations",
    "One coded measurement, answer or sign.",
    (
        _key(),
        _person(),
        _visit(),
        *_code("what was observed"),
        Column(
            "value_number",
            "number",
            "Measured value, in the catalogue's unit where the code is known.",
        ),
        Column("unit", "text", "UCUM unit of the value.", source="UCUM 2.1"),
        Column("value_code", "text", "Coded answer."),
        Column("observed_on", "day", "Day it was observed.", required=True),
        _supersedes("observations"),
        *_PROVENANCE,
    ),
    event_day="observed_on",
    is_event=True,
)

CONDITIONS = Table(
    "conditions",
    "A diagnosis or long-term problem.",
    (
        _key(),
        _person(),
        _visit(),
        *_code("the condition"),
        Column("onset_on", "day", "First day of it, where known."),
        Column("resolved_on", "day", "Day it was over."),
        *_PROVENANCE,
    ),
    event_day="onset_on",
)

MEDICATIONS = Table(
    "medications",
    "A medicine prescribed or taken.",
    (
        _key(),
        _person(),
        _visit(),
        *_code("the medicine"),
        Column("started_on", "day", "First day.", required=True),
        Column("ended_on", "day", "Last day, where it ended."),
        Column(
            "status",
            "choice",
            "Whether it is taken.",
            allowed=("active", "stopped", "completed", "unknown"),
            source=_FHIR,
        ),
        *_PROVENANCE,
    ),
    event_day="started_on",
)

PREGNANCIES = Table(
    "pregnancies",
    "A pregnancy, from when it was known to its end.",
    (
        _key(),
        _person(),
        Column("last_period_on", "day", "First day of the last menstrual period."),
        Column("due_on", "day", "Expected day of birth."),
        Column("ended_on", "day", "Day the pregnancy ended."),
        Column(
            "outcome",
            "choice",
            "How it ended.",
            allowed=("live_birth", "stillbirth", "miscarriage", "termination", "unknown"),
        ),
        Column("gravidity", "integer", "Number of pregnancies including this one.", low=1, high=25),
        *_PROVENANCE,
    ),
    event_day="last_period_on",
)

IMMUNISATIONS = Table(
    "immunisations",
    "A vaccine dose given.",
    (
        _key(),
        _person(),
        _visit(),
        *_code("the vaccine"),
        Column("given_on", "day", "Day it was given.", required=True),
        Column("dose_number", "integer", "Number of the dose in its series.", low=0, high=20),
        *_PROVENANCE,
    ),
    event_day="given_on",
)

CONSENTS = Table(
    "consents",
    "A permission given, refused or withdrawn.",
    (
        _key(),
        _person(),
        Column(
            "purpose",
            "choice",
            "What it is for.",
            required=True,
            allowed=("home_visit", "outreach", "research"),
        ),
        Column("channel", "choice", "By what means.", allowed=("sms", "whatsapp", "call", "visit")),
        Column(
            "decision",
            "choice",
            "What was decided.",
            required=True,
            allowed=("given", "refused", "withdrawn"),
        ),
        Column("decided_on", "day", "Day of the decision.", required=True),
        Column("wording_version", "text", "Version of the wording read out."),
        _supersedes("consents"),
        *_PROVENANCE,
    ),
    event_day="decided_on",
    is_event=True,
)

OUTCOMES = Table(
    "outcomes",
    "Something that befell a person and that a model may be asked to foresee.",
    (
        _key(),
        _person(),
        Column(
            "outcome",
            "text",
            "Name of the outcome, for example `hospital_admission`.",
            required=True,
        ),
        Column("happened_on", "day", "Day it happened, or of the status.", required=True),
        Column(
            "is_positive", "flag", "Whether it happened; `false` is a known absence.", required=True
        ),
        _supersedes("outcomes"),
        *_PROVENANCE,
    ),
    event_day="happened_on",
    is_event=True,
)

#: Every table of the register, each after the tables it refers to.
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        AREAS,
        FACILITIES,
        WORKERS,
        HOUSEHOLDS,
        PEOPLE,
        PERSON_CHANGES,
        VISITS,
        OBSERVATIONS,
        CONDITIONS,
        MEDICATIONS,
        PREGNANCIES,
        IMMUNISATIONS,
        CONSENTS,
        OUTCOMES,
    )
}
