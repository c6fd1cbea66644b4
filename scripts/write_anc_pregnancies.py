"""Write docs/guidelines/anc_test_pregnancies.md: the kit's test pregnancies against the rules.

Reads ``anc_testcases__TestCases.csv`` of WHO's antenatal care kit (CC0), which is not part of
this project: ``python scripts/write_anc_pregnancies.py FOLDER``.
"""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from chw_tools.programme import load_programme
from chw_tools.recommendations import all_recommendations
from chw_tools.recommendations.cases import features_of_cases
from chw_tools.records import empty_table
from chw_tools.records.derived import RISKS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "guidelines" / "anc_test_pregnancies.md"
#: What the kit expects, and the rules that say it; or why none does.
RULES = {
    "Anaemia diagnosis": ("pregnancy_anaemia", "pregnancy_pallor", "child_pallor"),
    "Tobacco user": ("pregnancy_tobacco",),
    "Second hand exposure to tobacco": ("pregnancy_smoke_at_home",),
    "High consumption of caffeine": ("pregnancy_caffeine",),
    "Pre-eclampsia:": ("pregnancy_protein", "pregnancy_bp_"),
    "Hypertension": ("pregnancy_bp_", "pregnancy_preeclampsia_risk"),
    "mild rise in BP": ("pregnancy_bp_",),
    "Pre-eclampsia risk": ("pregnancy_preeclampsia_risk",),
    "Diabetes risk": ("pregnancy_gdm_risk",),
    "Diabetes Mellitus in pregnancy": ("pregnancy_diabetes",),
    "Gestational Diabetes Mellitus (GDM)": ("pregnancy_glucose_raised",),
    "GA > 40 weeks": ("pregnancy_past_term",),
    "labor": ("pregnancy_labour",),
    "HIV positive": ("pregnancy_plan_facility_birth",),
    "Any Danger sign OR Abnormal examination": (
        "pregnancy_danger_sign",
        "pregnancy_fever",
        "pregnancy_low_oxygen",
        "pregnancy_pulse",
        "pregnancy_labour",
        "pregnancy_bp_severe",
        "baby_not_moving",
    ),
}
WHY_NOT = {
    '"Underweight" OR "Overweight" OR "Obese"': "ANC.DT.16 hangs on the place; a body mass index "
    "of 30 or more is acted on (ANC.DT.28.R34)",
    "Rh Factor Negative": "not in the records (ANC.DT.30)",
    "Not using condom": "not asked at home (ANC.DT.15.R24 to R28)",
    "gets tired easily": "not asked (ANC.DT.03.R36)",
    "Past substantce use": "of an earlier pregnancy: not in the records",
    "Urinary infection or Asymptomatic bacteriuria": "urine culture and nitrites (ANC.DT.22)",
    "Multiple fetuses": "not in the records (ANC.DT.27.R06)",
    "Positive for Group B Streptococcus agent (GBS)": "not in the records (ANC.DT.22.R77)",
    "Risk of HIV acquisition": "hangs on the place and the partner (ANC.DT.29)",
    "Syphilis positive": "not in the records (ANC.DT.21)",
    "Any previous health conditions": "a finding, not advice; diabetes, hypertension, kidney "
    "disease and HIV are acted on",
    "Previous C-section": "not in the records (ANC.DT.34.R14)",
    "TB screening positive": "the result of a screen; its signs are acted on (TB.B7.DT.35)",
    "Hepatitis B positive": "not in the records (ANC.DT.19)",
    "Hepatitis C positive": "not in the records (ANC.DT.20)",
    "excessive weight gain": "no row of the kit's tables",
    "oedema": "no row of its own; asked as swelling of both feet",
    "ultrasound not done": "not in the records (ANC.DT.07)",
    "possible GA error or multiple pregnancy (SFH > GA)": "fundal height has no row",
    "SFH< than expected for GA": "fundal height has no row",
    "late return": "overdue contacts are shown by day (ANC.S.01)",
    "genital ulcer and vaginitis": "findings of a pelvic examination (ANC.DT.06.R40)",
    "Substance use - injectable": "not asked at home (ANC.DT.15.R32)",
    "Violence": "never a field of a household record (ANC.DT.36)",
}
#: Where a rule is there and is silent on a test pregnancy: the value that the kit goes by.
SILENT = {
    "Any Danger sign OR Abnormal examination": "the finding is of a breathing, heart, breast, "
    "abdominal or pelvic examination (ANC.DT.06), or of labour in the clinic",
    "GA > 40 weeks": "between 40 and 41 weeks: referral for birth is at 41 (ANC.S.01.R11)",
    "Diabetes risk": "by past pregnancies or urine glucose, which are not in the records "
    "(ANC.DT.28.R35 to R40)",
    "Pre-eclampsia risk": "by past pregnancies, number of babies or autoimmune disease, which "
    "are not in the records, or before 12 weeks (ANC.DT.27)",
    "Hypertension": "by past conditions told otherwise than as hypertension",
    "Anaemia diagnosis": "the haemoglobin entered (10.6 to 10.9) is over the limit of 10.5 "
    "between 13 and 27 weeks, or the week is not told (ANC.DT.25.R07)",
    "Pre-eclampsia:": "the pressure entered is under 140/90 (ANC.DT.17)",
    "mild rise in BP": "the pressure entered is 130/80, under 140/90 (ANC.DT.17)",
    "Tobacco user": "the answer on tobacco is no or empty",
    "Second hand exposure to tobacco": "the answer on smoke at home is no",
    "High consumption of caffeine": "the answer is none of the above (ANC.DT.15.R09)",
    "HIV positive": "the result stands in a test that is not in the records (ANC.DT.18)",
    "Diabetes Mellitus in pregnancy": "by a glucose tolerance test (ANC.DT.23.R87 to R89)",
    "Gestational Diabetes Mellitus (GDM)": "by a glucose tolerance test (ANC.DT.23.R83 to R85)",
    "labor": "labour is a reason of contact or a cervical finding (ANC.DT.05)",
}


def read_pregnancies(folder: Path) -> list[dict[str, str]]:
    """The rows of the test file, by the key in braces of each column."""
    with (folder / "anc_testcases__TestCases.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    names: list[str] = []
    for title in header:
        match = re.search(r"\{(\w+)\}?", title)
        name = match[1] if match else title.strip()
        names.append(name if name not in names else f"{name}_again")
    return [dict(zip(names, row, strict=True)) for row in rows]


def known_of(row: dict[str, str]) -> dict[str, object]:
    """What the register could know of a test pregnancy."""
    known: dict[str, object] = {"is_pregnant": True, "sex": "female", "days_since_visit": 0.0}
    for name, key, factor in (
        ("age_years", "age_entered", 1.0),
        ("gravidity", "gravida", 1.0),
        ("temperature_celsius", "body_temp", 1.0),
        ("heart_rate_per_min", "pulse_rate", 1.0),
        ("oxygen_saturation_percent", "oximetry", 1.0),
        ("weight_kg", "current_weight", 1.0),
        ("fasting_glucose_mmol_l", "fasting_plasma_gluc", 0.0555),
        ("glucose_mmol_l", "random_plasma", 0.0555),
    ):
        put_number(known, name, row.get(key, ""), factor)
    put_number(known, "systolic_mmhg", row.get("bp_systolic_repeat") or row.get("bp_systolic", ""))
    put_number(
        known, "diastolic_mmhg", row.get("bp_diastolic_repeat") or row.get("bp_diastolic", "")
    )
    for key in ("cbc", "hb_gmeter", "hb_colour"):
        put_number(known, "haemoglobin_g_dl", row.get(key, ""))
    weeks = next((row[key] for key in _WEEKS if re.match(r"\d", row.get(key, ""))), "")
    put_number(known, "gestational_weeks", re.sub(r"[^\d.].*", "", weeks))
    height, weight = _number(row.get("height", "")), _number(row.get("current_weight", ""))
    if height and weight:
        metres = height if height < 3 else height / 100
        put(known, "bmi", weight / metres**2)
    known |= answers_of(row)
    return known


_WEEKS = ("lmp_gest_age", "Return's Gestational Age:", "sfh_gest_age")


def answers_of(row: dict[str, str]) -> dict[str, object]:
    """The answers that are choices."""
    found: dict[str, object] = {}
    if row.get("tobacco_user", "").startswith("Yes"):
        put(found, "tobacco", "current")
    if row.get("shs_exposure", "").startswith("Yes"):
        put(found, "smoke_at_home", "yes")
    if row.get("caffeine_intake", "").startswith("More than"):
        put(found, "caffeine_high", "yes")
    protein = {"+": "1+", "++": "2+", "+++": "3+", "++++": "4+"}
    if row.get("urine_protein", "") in protein:
        put(found, "urine_protein", protein[row["urine_protein"]])
    if row.get("pallor", "").startswith("Yes"):
        put(found, "pallor", "some")
    if "No fetal movement" in row.get("mat_percept_fetal_move", ""):
        put(found, "baby_moves", "no")
    if "fever" in row.get("danger_signs", "").lower():
        put(found, "fever_days", 1.0)
    if "Dyspnoea" in row.get("repiratory_exam", ""):
        put(found, "danger_difficulty_breathing", "yes")
    signs = f"{row.get('danger_signs', '')} {row.get('symp_sev_preeclampsia', '')}".lower()
    for word, sign in (
        ("bleeding", "danger_vaginal_bleeding"),
        ("convuls", "danger_convulsions"),
        ("headache", "danger_severe_headache"),
        ("visual", "danger_severe_headache"),
        ("vision", "danger_severe_headache"),
        ("labour", "danger_labour"),
        ("delivery", "danger_labour"),
        ("very ill", "danger_looks_very_ill"),
        ("vomiting", "danger_vomits_everything"),
        ("severe pain", "danger_severe_pain"),
        ("abdominal pain", "danger_severe_abdominal_pain"),
        ("epigastric", "danger_severe_abdominal_pain"),
        ("unconscious", "danger_lethargic"),
        ("cyanosis", "danger_blue_lips"),
    ):
        if word in signs:
            put(found, sign, "yes")
    conditions = row.get("health_conditions", "").lower()
    for word, flag in (
        ("diabetes", "has_diabetes"),
        ("hypertension", "has_hypertension"),
        ("kidney", "has_chronic_kidney_disease"),
        ("hiv", "has_hiv"),
    ):
        if word in conditions:
            found[flag] = True
    if row.get("hiv_test_result", "").startswith("Positive"):
        found["has_hiv"] = True
    return found


def put(known: dict[str, object], name: str, value: object) -> None:
    """A value measured today."""
    known[name] = value
    known[f"{name}_days_since"] = 0.0


def put_number(known: dict[str, object], name: str, text: str, factor: float = 1.0) -> None:
    """A number measured today, where one stands there."""
    value = _number(text)
    if value is not None:
        known[name] = value * factor
        if name not in ("age_years", "gravidity", "gestational_weeks"):
            known[f"{name}_days_since"] = 0.0


def _number(text: str) -> float | None:
    """A number, or the lower end of a band such as "10,6-10,9"; "<10,5" is just under it."""
    text = text.strip().replace(",", ".")
    band = re.fullmatch(r"(>=|<)?\s*(\d+\.?\d*)(?:-\d+\.?\d*)?", text)
    if band and band[1] == "<":
        return float(band[2]) - 0.1
    try:
        return float(band[2]) if band else float(text)
    except ValueError:
        return None


def compared(folder: Path) -> Iterator[tuple[str, str, str, bool]]:
    """Test pregnancy, what is expected, the rules or why not, and whether it was reproduced."""
    rows = [row for row in read_pregnancies(folder) if row["Risks and Diagnosis"].strip()]
    features = features_of_cases(list(_as_registered(rows)))
    advice = all_recommendations(
        features, empty_table(RISKS), programme=load_programme(), as_of=features.as_of
    )
    given = advice.groupby("person_id")["rule_id"].agg(set)
    for person, row in zip(features.frame.index, rows, strict=True):
        fired = given.get(person, set())
        title = row["Identifier"].strip()
        for expected in _expected(row["Risks and Diagnosis"]):
            starts = RULES.get(expected)
            if starts is None:
                yield title, expected, WHY_NOT.get(expected, "no reason is given"), False
                continue
            by = sorted(rule for rule in fired if rule.startswith(starts))
            said = ", ".join(f"`{rule}`" for rule in by) or f"silent: {SILENT[expected]}"
            yield title, expected, said, bool(by)


def _as_registered(rows: list[dict[str, str]]) -> Iterator[dict[str, object]]:
    """What the register knows at each contact: answers of earlier contacts stand until changed."""
    told: dict[str, dict[str, object]] = {}
    for row in rows:
        woman = re.sub(r"-\d+$", "", row["Identifier"].strip())
        earlier = told.setdefault(woman, {})
        known = earlier | known_of(row)
        told[woman] = {k: v for k, v in known.items() if k.startswith(_LASTING)}
        yield known


_LASTING = ("tobacco", "smoke_at_home", "has_", "gravidity")


def _expected(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,\n](?![^(]*\))", text) if part.strip()]


def page(folder: Path) -> str:
    """The page as Markdown."""
    found = list(compared(folder))
    people = {title for title, *_ in found}
    hit = sum(ok for *_, ok in found)
    mapped = sum(expected in RULES for _, expected, *_ in found)
    lines = [
        "# The kit's test pregnancies against the rules",
        "",
        "Written by `python scripts/write_anc_pregnancies.py FOLDER` from the test cases of WHO's",
        "antenatal care kit (2021, CC0; invented women). The expectations are the kit's own words,",
        "for a clinic with laboratory and examination; the rules know what a community health",
        "worker records. Each difference is explained.",
        "",
        f"{len(people)} women with {len(found)} expectations; {mapped} of these are about",
        f"something that the rules know, and {hit} of them are said by a rule.",
        "",
        "| Woman and contact | Expected | Rule, or why not |",
        "|---|---|---|",
    ]
    lines += [f"| {title} | {expected} | {said} |" for title, expected, said, _ in found]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    pd.options.mode.copy_on_write = True
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
