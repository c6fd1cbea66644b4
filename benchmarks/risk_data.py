"""The public data beside the project as raw columns, for the benchmarks of risk.

Here lie what is asked of each file and which columns may answer it; race is nowhere an input.
Nothing is committed of the data themselves; see ``docs/sources.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from chw_tools.feature_engineering import Feature, Features

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SEED = 42


@dataclass(frozen=True)
class Task:
    """A question put to one file.

    Parameters
    ----------
    name, note : str
        For the table, and what a reader must know.
    inputs : DataFrame
        Numbers as float64, choices as words; gaps as gaps.
    labels : array of 0 and 1
    groups : DataFrame
        By what O/E is judged apart; never inputs by being here.
    """

    name: str
    note: str
    inputs: pd.DataFrame
    labels: np.ndarray
    groups: pd.DataFrame

    def features(self) -> Features:
        """The inputs as our own stages take them."""
        return Features(
            self.inputs, tuple(declare(self.inputs[c]) for c in self.inputs), pd.Timestamp(0)
        )


def declare(column: pd.Series) -> Feature:
    """The declaration of a raw column."""
    name = str(column.name)
    if column.dtype == object or pd.api.types.is_string_dtype(column):
        levels = tuple(sorted(column.dropna().unique()))
        return Feature(name, name, "choice", allowed=levels)
    return Feature(name, name, "number")


#: What a survey can ask or measure without a laboratory; the means of pulse and pressure only.
_NHANES_ASKED = (
    "Gender", "Age", "Education", "MaritalStatus", "HHIncomeMid", "Poverty", "HomeRooms",
    "HomeOwn", "Work", "Weight", "Height", "BMI", "Pulse", "BPSysAve", "BPDiaAve", "HealthGen",
    "DaysPhysHlthBad", "DaysMentHlthBad", "LittleInterest", "Depressed", "SleepHrsNight",
    "SleepTrouble", "PhysActive", "Alcohol12PlusYr", "AlcoholDay", "AlcoholYear", "SmokeNow",
    "Smoke100", "SmokeAge",
)  # fmt: skip
_NHANES_LABORATORY = ("DirectChol", "TotChol", "UrineVol1", "UrineFlow1")


def load_nhanes_death() -> Task:
    """Death within five years of the examination, adults followed up."""
    frame = _nhanes_adults()
    inputs = _clean(frame, (*_NHANES_ASKED, *_NHANES_LABORATORY, "Diabetes"))
    died = (frame["mort_stat"] == 1) & (frame["permth_int"] <= 60)
    note = "age is top-coded at 80; dates of death are partly perturbed"
    return Task("NHANES 2009-12, death in 5 years", note, inputs, _labels(died), _nhanes_by(frame))


def load_nhanes_diabetes() -> Task:
    """Diabetes that was diagnosed, without laboratory values."""
    frame = _nhanes_adults()
    frame = frame[frame["Diabetes"].notna()]
    note = "finding those diagnosed already, not new cases"
    return Task(
        "NHANES 2009-12, diabetes, no laboratory",
        note,
        _clean(frame, _NHANES_ASKED),
        _labels(frame["Diabetes"] == "Yes"),
        _nhanes_by(frame),
    )


def load_brfss_diabetes(n: int = 60_000) -> Task:
    """Diabetes (2) against none (0) in a sample of BRFSS 2015."""
    frame = pd.read_csv(SHARED / "brfss2015_health_indicators.csv.gz")
    frame = frame[frame["Diabetes"].isin([0, 2])]
    frame = (frame.sample(n, random_state=SEED) if n < len(frame) else frame).reset_index(drop=True)
    by = pd.DataFrame(
        {
            "sex": np.where(frame["Sex"] == 1, "men", "women"),
            "age": pd.cut(frame["Age"], [0, 4, 7, 10, 13], labels=["-39", "40-54", "55-69", "70-"]),
            "income": pd.cut(frame["Income"], [0, 2, 4, 6, 8], labels=["1-2", "3-4", "5-6", "7-8"]),
        }
    )
    inputs = frame.drop(columns="Diabetes").astype("float64")
    note = "finding those diagnosed already; general health may follow the diagnosis"
    return Task("BRFSS 2015, diabetes", note, inputs, _labels(frame["Diabetes"] == 2), by)


def load_mozambique_wasting() -> Task:
    """Weight for height below -2 among children of 6 to 59 months; no weight or arm measured."""
    frame = pd.read_csv(SHARED / "mozambique_iof2019_child_anthropometry.csv")
    frame = frame[frame["wfhz"].notna() & (frame["flag_wfhz"] == 0)].reset_index(drop=True)
    inputs = _clean(frame, ("province", "strata", "sex", "age"))
    by = pd.DataFrame({"sex": frame["sex"].map({1.0: "boys", 2.0: "girls"})})
    note = "place, sex and age only: measure the child instead"
    return Task("Mozambique 2019, wasting", note, inputs, _labels(frame["wfhz"] < -2), by)


_OPT_BASELINE = (
    "Clinic", "Age", "Education", "Public.Asstce", "Hypertension", "Diabetes", "BMI", "Use.Tob",
    "Use.Alc", "Drug.Add", "Prev.preg", "N.prev.preg", "Live.PTB", "Any.stillbirth", "Spont.ab",
    "Induced.ab", "N.living.kids", "BL.GE", "BL..BOP", "BL.PD.avg", "BL.CAL.avg", "BL.Pl.I",
)  # fmt: skip


def load_opt_preterm() -> Task:
    """Birth before 37 weeks, from what was known when the woman entered the trial."""
    frame = pd.read_csv(SHARED / "opt_pregnancy_rct.csv.gz")
    ended = frame["Preg.ended...37.wk"].str.strip()
    kept = ended.isin(["Yes", "No"])
    frame, ended = frame[kept].reset_index(drop=True), ended[kept].reset_index(drop=True)
    by = pd.DataFrame({"clinic": frame["Clinic"].str.strip()})
    note = "an honest demonstrator; of no use for deciding on care"
    return Task(
        "OPT, preterm birth", note, _clean(frame, _OPT_BASELINE), _labels(ended == "Yes"), by
    )


def load_uci_maternal() -> Task:
    """High risk as experts labelled it; 562 of 1,014 rows repeat another."""
    frame = pd.read_csv(SHARED / "uci863_maternal_health_risk.csv")
    inputs = frame.drop(columns="RiskLevel").astype("float64")
    note = "a test of leakage, not of medicine"
    by = pd.DataFrame(index=frame.index)
    high = frame["RiskLevel"] == "high risk"
    return Task("UCI 863, maternal risk", note, inputs, _labels(high), by)


def _nhanes_adults() -> pd.DataFrame:
    frame = pd.read_csv(SHARED / "nhanes_2009_2012_mortality2019.csv.gz", low_memory=False)
    kept = (frame["Age"] >= 20) & (frame["elig_stat"] == 1)
    return frame[kept].reset_index(drop=True)


def _nhanes_by(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sex": frame["Gender"],
            "age": pd.cut(
                frame["Age"], [0, 39, 54, 69, 120], labels=["-39", "40-54", "55-69", "70-"]
            ),
            "race": frame["Race1"],
            "income": pd.cut(frame["Poverty"], [-1, 1, 2, 4, 9], labels=["-1", "1-2", "2-4", "4-"]),
        }
    ).reset_index(drop=True)


def _clean(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    found = frame[list(columns)].copy().reset_index(drop=True)
    for name in found:
        if pd.api.types.is_numeric_dtype(found[name]):
            found[name] = found[name].astype("float64")
        else:
            words = found[name].astype("str").str.strip()
            found[name] = words.astype(object).where(found[name].notna() & (words != ""), np.nan)
    # Numbers that a file writes as words.
    for name in found.select_dtypes(object):
        numbers = pd.to_numeric(found[name], errors="coerce")
        if numbers.notna().sum() and (numbers.notna() == found[name].notna()).all():
            found[name] = numbers
    return found


def _labels(event: pd.Series) -> np.ndarray:
    return event.to_numpy(dtype=float)


BENCHMARKS = {
    "nhanes_death": load_nhanes_death,
    "nhanes_diabetes": load_nhanes_diabetes,
    "brfss": load_brfss_diabetes,
}
AS_THEY_COME = {"mozambique": load_mozambique_wasting, "opt": load_opt_preterm}
