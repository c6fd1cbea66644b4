"""One piece of advice for each child about all vaccines that are due."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from chw_tools.programme import load_programme
from chw_tools.recommendations import recommend, vaccines_due
from chw_tools.records import TABLES, conform, empty_table
from chw_tools.records.codes import CVX
from chw_tools.records.derived import RISKS

PROGRAMME = load_programme()
AS_OF = pd.Timestamp("2026-03-10").as_unit("s")


def people(**born: str) -> pd.DataFrame:
    rows = pd.DataFrame({"id": sorted(born), "born_on": [born[name] for name in sorted(born)]})
    rows["born_on"] = pd.to_datetime(rows["born_on"]).astype("datetime64[s]")
    rows["sex"] = "female"
    return conform(TABLES["people"], rows)


def doses(*given: tuple[str, str, str], system: str = CVX) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "person_id": [who for who, _, _ in given],
            "code": [code for _, code, _ in given],
            "system": system,
            "given_on": pd.to_datetime([day for _, _, day in given]).astype("datetime64[s]"),
        }
    )
    return conform(TABLES["immunisations"], rows)


def due(folk: pd.DataFrame, given: pd.DataFrame, ahead: int = 7) -> pd.DataFrame:
    return vaccines_due(
        folk, given, schedule=PROGRAMME.vaccination, as_of=AS_OF, ahead_days=ahead
    ).set_index("person_id")


def test_all_that_is_due_is_one_advice():
    # Born 70 days ago; the first visit was at 42 days, so all second doses are due today.
    given = doses(*(("a", code, "2026-02-10") for code in ("198", "178", "133", "119")))
    row = due(people(a="2025-12-30"), given).loc["a"]
    assert row["days"] == 0
    assert not row["is_late"]
    for named in ("hepatitis B 3", "oral polio 2", "Hib 2", "pneumococcal 2", "rotavirus 2"):
        assert named in row["action"]
    assert "injected polio" not in row["action"]
    assert row["reason"].endswith(
        "Of all vaccines together 4 doses are recorded, the last on 10 February 2026."
    )
    assert "IMMZ.D18" in row["source"]
    assert row["is_verified"]


def test_no_recorded_dose_is_not_called_unvaccinated():
    row = due(people(a="2025-12-30"), doses()).loc["a"]
    assert row["action"].startswith("Ask for the vaccination card.")
    assert row["reason"].endswith(" No vaccine is recorded.")


def test_a_dose_of_weeks_ago_is_late():
    row = due(people(a="2025-06-01"), doses(("a", "19", "2025-06-02"))).loc["a"]
    assert row["is_late"]
    assert row["days"] == -(AS_OF - pd.Timestamp("2025-07-13")).days


@pytest.mark.parametrize(("born", "late"), [("2025-12-30", False), ("2025-12-29", True)])
def test_a_dose_without_a_day_of_its_own_is_late_after_four_weeks(born, late):
    given = doses(*(("a", code, "2026-01-02") for code in ("19", "08")))
    schedule = replace(
        PROGRAMME.vaccination,
        series=tuple(s for s in PROGRAMME.vaccination.series if s.name == "polio_oral"),
    )
    row = vaccines_due(people(a=born), given, schedule=schedule, as_of=AS_OF, ahead_days=7)
    assert row["days"].item() == (-29 if late else -28)
    assert row["is_late"].item() is late


def test_a_child_is_asked_about_until_the_day_before_two_years():
    assert not due(people(a="2024-03-11"), doses()).empty


@pytest.mark.parametrize(
    ("born", "why"),
    [("2024-03-10", "two years old today"), ("2026-02-10", "nothing until six weeks")],
)
def test_who_is_not_asked(born, why):
    given = doses(("a", "19", "2026-02-11"), ("a", "08", "2026-02-11"))
    assert due(people(a=born), given).empty, why


def test_a_vaccine_that_comes_within_days_is_named_ahead():
    folk, given = (
        people(a="2026-02-01"),
        doses(("a", "19", "2026-02-01"), ("a", "08", "2026-02-01")),
    )
    assert due(folk, given, ahead=4).empty
    assert due(folk, given, ahead=5).loc["a", "days"] == 5


def test_a_code_of_another_system_is_no_dose():
    row = due(people(a="2025-12-30"), doses(("a", "198", "2026-02-10"), system="other")).loc["a"]
    assert "No vaccine is recorded" in row["reason"]


def test_one_child_is_advised_as_among_many():
    folk = people(a="2025-12-30", b="2025-06-01", c="2024-09-01")
    given = doses(("b", "19", "2025-06-02"), ("c", "198", "2025-02-02"), ("a", "19", "2026-01-02"))
    everybody = due(folk, given)
    for name in "abc":
        alone = due(folk[folk["id"] == name], given)
        pd.testing.assert_frame_equal(alone, everybody.loc[[name]])


def test_it_goes_the_way_of_all_advice(features_of):
    folk = people(a="2025-06-01")
    rows = vaccines_due(
        folk,
        doses(("a", "19", "2025-06-02")),
        schedule=PROGRAMME.vaccination,
        as_of=AS_OF,
        ahead_days=7,
    )
    advice = recommend(
        features_of(a={"age_years": 0.8, "age_months": 9}, b={"age_years": 30}),
        empty_table(RISKS),
        programme=PROGRAMME,
        as_of=AS_OF,
        vaccines=rows,
    )
    found = advice[advice["rule_id"] == "vaccines_due"]
    assert found["person_id"].tolist() == ["a"]
    assert found["kind"].item() == "guideline"
    assert found["urgency"].item() == "within_days"
    assert found["due_on"].item() == pd.Timestamp("2025-07-13")


TOLD = {
    "fr": (
        "Envoyez l'enfant pour les vaccins : hépatite B 2, polio oral 1, ",
        "Hépatite B 2 est à faire depuis le 13 juillet 2025. "
        "De tous les vaccins, 1 dose est notée, le 2 juin 2025.",
    ),
    "sw": (
        "Mpeleke mtoto kwa chanjo: hepatitisi B 2, polio ya matone 1, ",
        "Hepatitisi B 2 inatakiwa tangu 13 Julai 2025. "
        "Kati ya chanjo zote, dozi 1 imeandikwa, tarehe 2 Juni 2025.",
    ),
    "es": (
        "Envíe al niño por vacunas: hepatitis B 2, polio oral 1, ",
        "Hepatitis B 2 toca desde el 13 julio 2025. "
        "De todas las vacunas hay 1 dosis anotada, el 2 junio 2025.",
    ),
}


@pytest.mark.parametrize("language", TOLD)
def test_it_is_told_in_the_language_of_the_programme(language):
    rows = vaccines_due(
        people(a="2025-06-01", b="2025-12-30"),
        doses(("a", "19", "2025-06-02")),
        schedule=PROGRAMME.vaccination,
        as_of=AS_OF,
        ahead_days=7,
        words=PROGRAMME.translation(language),
    ).set_index("person_id")
    start, reason = TOLD[language]
    assert rows.loc["a", "action"].startswith(start)
    assert rows.loc["a", "reason"] == reason
    assert not rows["action"].str.contains("[en]", regex=False).any()
    assert not rows["reason"].str.contains("[en]", regex=False).any()


def test_a_language_without_texts_tells_english_and_marks_it():
    rows = vaccines_due(
        people(a="2025-06-01"),
        doses(("a", "19", "2025-06-02")),
        schedule=PROGRAMME.vaccination,
        as_of=AS_OF,
        ahead_days=7,
        words=PROGRAMME.translation("xx"),
    )
    assert rows["action"].item().startswith("[en] Send the child")


@pytest.mark.parametrize(
    ("born", "said"),
    [("2026-01-27", "DTP 1 is due on 10 March 2026."), ("2026-01-26", "DTP 1 is due since")],
)
def test_what_is_due_today_is_due_on_the_day_and_then_since(born, said):
    given = doses(*(("a", code, "2026-02-20") for code in ("19", "08", "10", "133", "116", "17")))
    schedule = replace(
        PROGRAMME.vaccination,
        series=tuple(s for s in PROGRAMME.vaccination.series if s.name == "dtp"),
    )
    row = vaccines_due(people(a=born), given, schedule=schedule, as_of=AS_OF, ahead_days=7)
    assert row["reason"].item().startswith(said)
