"""Write the numbers of the published scores as package data.

Reads coefficients and point tables as published with others' implementations and gives them
our own form; those of SCORE2 stand here, typed from the authors' code::

    python scripts/write_scores.py ../shared/vectors
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src/chw_tools/risk_prediction/scores"

#: The terms of PREVENT: the published label, freed of spelling, and our name.
PREVENT_TERMS = {
    "Age, 10 years": "age",
    "Age, per 10 years": "age",
    "Age squared": "age_squared",
    "non-HDL-C per 1 mmol/L": "non_hdl",
    "HDL-C per 0.3 mmol/L": "hdl",
    "SBP <110 per 20 mmHg": "sbp_below_110",
    "SBP ≥110 per 20 mmHg": "sbp_above_110",
    "Diabetes": "diabetes",
    "Current smoking": "smokes",
    "BMI <30, per 5 kg/m2": "bmi_below_30",
    "BMI 30+, per 5 kg/m2": "bmi_above_30",
    "eGFR <60, per -15 ml": "egfr_below_60",
    "eGFR 60+, per -15 ml": "egfr_above_60",
    "Anti-hypertensive use": "antihypertensive",
    "Statin use": "statin",
    "Treated SBP ≥110 mm Hg per 20 mm Hg": "treated_sbp",
    "Treated non-HDL-C": "treated_non_hdl",
    "Age per 10yr * non-HDL-C per 1 mmol/L": "age_x_non_hdl",
    "Age per 10yr * HDL-C per 0.3 mmol/L": "age_x_hdl",
    "Age per 10yr * SBP ≥110 mm Hg per 20 mmHg": "age_x_sbp",
    "Age per 10yr * diabetes": "age_x_diabetes",
    "Age per 10yr * current smoking": "age_x_smokes",
    "Age per 10yr * BMI 30+ per 5 kg/m2": "age_x_bmi",
    "Age per 10yr * eGFR <60, per -15 ml": "age_x_egfr",
    "SDI decile categories 4-6 vs. 1-3": "sdi_4_to_6",
    "SDI decile categories 7-10 vs. 1-3": "sdi_7_to_10",
    "Missing SDI": "sdi_missing",
    "ln-ACR, mg/g, per 1 ln unit": "ln_uacr",
    "Missing ACR/PCR/Dipstick": "uacr_missing",
    "HbA1c in DM, per 1%": "hba1c_with_diabetes",
    "HbA1c no DM, per 1%": "hba1c_without_diabetes",
    "Missing HbA1c": "hba1c_missing",
    "Constant": "constant",
}

#: From the authors' Stata programmes (github.com/skkceu/stata, commit abd8702, score2risk.ado
#: and score2oprisk.ado), read and typed: log subdistribution hazard ratios. SCORE2-OP stands as
#: published, rounded; that code also holds it unrounded, which moves risks by up to 0.3 points
#: and misses half of the published examples.
SCORE2 = {
    "source": "SCORE2 working group, Eur Heart J 2021;42:2439-2454, doi:10.1093/eurheartj/ehab309; "
    "SCORE2-OP working group, Eur Heart J 2021;42:2455-2467, doi:10.1093/eurheartj/ehab312; "
    "numbers as in the authors' Stata programmes (github.com/skkceu/stata)",
    "score2": {
        "centre": {"age": 60, "systolic": 120, "cholesterol": 6, "hdl": 1.3},
        "per": {"age": 5, "systolic": 20, "cholesterol": 1, "hdl": 0.5},
        "coefficients": {
            "female": {
                "age": 0.4648,
                "smokes": 0.7744,
                "systolic": 0.3131,
                "cholesterol": 0.1002,
                "hdl": -0.2606,
                "age_x_smokes": -0.1088,
                "age_x_systolic": -0.0277,
                "age_x_cholesterol": -0.0226,
                "age_x_hdl": 0.0613,
            },
            "male": {
                "age": 0.3742,
                "smokes": 0.6012,
                "systolic": 0.2777,
                "cholesterol": 0.1458,
                "hdl": -0.2698,
                "age_x_smokes": -0.0755,
                "age_x_systolic": -0.0255,
                "age_x_cholesterol": -0.0281,
                "age_x_hdl": 0.0426,
            },
        },
        "mean": {"female": 0.0, "male": 0.0},
        "survival_10y": {"female": 0.9776, "male": 0.9605},
        "regions": {
            "low": {"female": [-0.737966, 0.701868], "male": [-0.569857, 0.747593]},
            "moderate": {"female": [-0.314269, 0.770149], "male": [-0.156481, 0.800869]},
            "high": {"female": [0.570963, 0.936893], "male": [0.320717, 0.936004]},
            "very_high": {"female": [0.941177, 0.832923], "male": [0.583578, 0.829368]},
        },
    },
    "score2_op": {
        "centre": {"age": 73, "systolic": 150, "cholesterol": 6, "hdl": 1.4},
        "per": {"age": 1, "systolic": 1, "cholesterol": 1, "hdl": 1},
        "coefficients": {
            "female": {
                "age": 0.0789,
                "smokes": 0.4921,
                "systolic": 0.0102,
                "cholesterol": 0.0605,
                "hdl": -0.3040,
                "age_x_smokes": -0.0255,
                "age_x_systolic": -0.0004,
                "age_x_cholesterol": -0.0009,
                "age_x_hdl": 0.0154,
            },
            "male": {
                "age": 0.0634,
                "smokes": 0.3524,
                "systolic": 0.0094,
                "cholesterol": 0.0850,
                "hdl": -0.3564,
                "age_x_smokes": -0.0247,
                "age_x_systolic": -0.0005,
                "age_x_cholesterol": 0.0073,
                "age_x_hdl": 0.0091,
            },
        },
        "mean": {"female": 0.2288, "male": 0.0929},
        "survival_10y": {"female": 0.8082, "male": 0.7576},
        "regions": {
            "low": {"female": [-0.52, 1.01], "male": [-0.34, 1.19]},
            "moderate": {"female": [-0.10, 1.10], "male": [0.01, 1.25]},
            "high": {"female": [0.38, 1.09], "male": [0.08, 1.15]},
            "very_high": {"female": [0.38, 0.69], "male": [0.05, 0.70]},
        },
    },
}


def prevent(folder: Path) -> dict[str, Any]:
    """The ten models, terms without weight left out."""
    read = json.loads((folder / "prevent/prevent_coefficients.json").read_text(encoding="utf-8"))
    models: dict[str, Any] = {}
    for key, by_outcome in read.items():
        model, horizon = key.removesuffix("yr").split("_")
        target = models.setdefault(model, {}).setdefault(horizon, {})
        for name, weights in by_outcome.items():
            sex, outcome = name.split("_", 1)
            kept = {PREVENT_TERMS[term]: w for term, w in weights.items() if w}
            target.setdefault(outcome, {})[sex] = kept
    return {
        "source": "Khan SS et al. Circulation 2024;149:430-449, "
        "doi:10.1161/CIRCULATIONAHA.123.067626, supplementary tables; numbers as in preventr "
        "(github.com/martingmayer/preventr, MIT)",
        "models": models,
    }


def who_laboratory(folder: Path) -> dict[str, Any]:
    """The WHO model with laboratory values and its calibration of 21 regions."""
    read = json.loads((folder / "who_cvd/who2019_coefficients.json").read_text(encoding="utf-8"))
    sexes = {"1": "male", "2": "female"}
    terms = ["age", "cholesterol", "systolic", "diabetes", "smokes"]
    terms += [f"age_x_{term}" for term in terms[1:]]
    ends = {"heart_attack": ("chd", "ep_chdmi"), "stroke": ("crbv", "ep_crbv")}
    models = {
        end: {
            name: {
                "coefficients": dict(zip(terms, read["lab"][short][sex][:-1], strict=True)),
                "survival_10y": read["lab"][short][sex][-1],
            }
            for sex, name in sexes.items()
        }
        for end, (short, _) in ends.items()
    }
    regions: dict[str, Any] = {}
    path = folder / "who_cvd/who2019_region_recalibration_2017.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["ccode"].startswith("A00"):
                continue
            region = regions.setdefault(row["country"], {end: {} for end in ends})
            for end, (_, column) in ends.items():
                region[end][sexes[row["sex"]]] = [
                    float(row[f"cal2_m1_cons_{column}"]),
                    float(row[f"cal2_m1_slope_{column}"]),
                ]
    return {
        "source": "WHO CVD Risk Chart Working Group, Lancet Glob Health 2019;7:e1332-e1345, "
        "doi:10.1016/S2214-109X(19)30318-3; numbers as in the authors' calculator",
        "models": models,
        "regions": regions,
    }


def cox_table(path: Path, group: str | None = None) -> dict[str, Any]:
    """Rows of (group,) gender, weights, mean and survival as a nested table."""
    table: dict[str, Any] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            entry = {
                "mean": float(row.pop("group_mean")),
                "survival_10y": float(row.pop("baseline_survival")),
            }
            sex = row.pop("gender")
            place = table.setdefault(row.pop(group), {}) if group else table
            weights = {name: float(value) for name, value in row.items() if float(value)}
            place[sex] = {"coefficients": weights, **entry}
    return table


def steps(items: list[list[Any]]) -> list[list[Any]]:
    """Ranges as [upper end, whether it belongs to the range, points]; the last is open."""
    found = []
    for item in items:
        if len(item) == 3:  # [from, below, points]
            found.append([item[1], False, item[2]])
            continue
        text, points = item
        text = text.removesuffix(" on O2")
        numbers = re.findall(r"\d+(?:\.\d+)?", text)
        open_ended = text.startswith(">")
        below = "<" in text and "<=" not in text
        found.append([None if open_ended else float(numbers[-1]), not below, points])
    found[-1][0] = None
    return found


def points(folder: Path) -> dict[str, Any]:
    """The point tables of FINDRISC, the ADA test and NEWS2."""
    read = json.loads((folder / "points/points_tables.json").read_text(encoding="utf-8"))
    findrisc, ada, news = read["findrisc"]["items"], read["ada_risk_test"]["items"], read["news2"]
    on_air = [item for item in news["spo2_scale2"] if "O2" not in item[0]]
    on_oxygen = [*on_air[:-1], ["88-92", 0], *news["spo2_scale2"][len(on_air) :]]
    ranges = {"age": "age", "bmi": "bmi", "waist_men_cm": "waist_male"}
    ranges["waist_women_cm"] = "waist_female"
    return {
        "findrisc": {
            "steps": {ours: steps(findrisc[theirs]) for theirs, ours in ranges.items()},
            "not_active": findrisc["daily_activity_30min"]["no"],
            "not_daily_vegetables": findrisc["veg_fruit_daily"]["no"],
            "antihypertensive": findrisc["bp_medication_ever"]["yes"],
            "high_glucose": findrisc["high_glucose_ever"]["yes"],
            "relatives": list(findrisc["family_history"].values()),
            "bands": [[low, label] for low, _, label, _ in read["findrisc"]["bands"]],
        },
        "ada": {
            "steps": {name: steps(ada[name]) for name in ("age", "bmi")},
            **{name: value for name, value in ada.items() if isinstance(value, int)},
        },
        "news2": {
            "steps": {
                **{
                    ours: steps(news[theirs])
                    for theirs, ours in (
                        ("rr", "respiratory_rate"),
                        ("spo2_scale1", "oxygen_scale_1"),
                        ("sbp", "systolic"),
                        ("hr", "heart_rate"),
                        ("temp", "temperature"),
                    )
                },
                "oxygen_scale_2_on_air": steps(on_air),
                "oxygen_scale_2_on_oxygen": steps(on_oxygen),
            },
            "on_oxygen": dict(news["o2"])["oxygen"],
            "not_alert": dict(news["consciousness"])["C/V/P/U"],
        },
        "phq9": {"bands": [[low, label] for low, _, label in read["phq"]["phq9_bands"]]},
    }


def main(folder: Path) -> None:
    """Write the files."""
    framingham = {
        "source": "D'Agostino RB et al. Circulation 2008;117:743-753, "
        "doi:10.1161/CIRCULATIONAHA.107.699579, tables 2 and the office-based one",
        "lipids": cox_table(folder / "framingham/frs_coef.csv"),
        "bmi": cox_table(folder / "framingham/frs_simple_coef.csv"),
    }
    cohort = {
        "source": "Goff DC et al. Circulation 2014;129(25 suppl 2):S49-S73, "
        "doi:10.1161/01.cir.0000437741.48606.98, appendix 7",
        "groups": cox_table(folder / "ascvd_pce/ascvd_pooled_coef.csv", "race"),
    }
    numbers = {
        "prevent_2023": prevent(folder),
        "who_cvd_laboratory_2019": who_laboratory(folder),
        "score2_2021": SCORE2,
        "framingham_2008": framingham,
        "pooled_cohort_2013": cohort,
        "points": points(folder),
    }
    for name, read in numbers.items():
        text = json.dumps(read, indent=1, ensure_ascii=False) + "\n"
        (TARGET / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
