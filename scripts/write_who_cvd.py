"""Write the numbers of the WHO cardiovascular score (2019) as package data.

Reads the coefficients and the regional calibration as published with the authors' code, and
keeps the model without laboratory values for the 21 regions::

    python scripts/write_who_cvd.py ../shared/vectors/who_cvd
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

SOURCE = (
    "WHO CVD Risk Chart Working Group, Lancet Glob Health 2019;7:e1332-e1345, "
    "doi:10.1016/S2214-109X(19)30318-3; numbers as in the authors' calculator"
)
SEXES = {"1": "male", "2": "female"}
ENDPOINTS = {"heart_attack": ("chd", "ep_chdmi"), "stroke": ("crbv", "ep_crbv")}
TERMS = ["age", "bmi", "systolic", "smokes", "age x bmi", "age x systolic", "age x smokes"]


def read_models(folder: Path) -> dict[str, object]:
    """Coefficients and ten-year survival, by endpoint and sex."""
    read = json.loads((folder / "who2019_coefficients.json").read_text(encoding="utf-8"))
    return {
        endpoint: {
            name: {
                "coefficients": read["nonlab"][short][sex][:-1],
                "survival_10y": read["nonlab"][short][sex][-1],
            }
            for sex, name in SEXES.items()
        }
        for endpoint, (short, _) in ENDPOINTS.items()
    }


def read_regions(folder: Path) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Calibration by region, endpoint and sex; super-regions left out."""
    path = folder / "who2019_region_recalibration_2017.csv"
    regions: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["ccode"].startswith("A00"):
                continue
            region = regions.setdefault(row["country"], {name: {} for name in ENDPOINTS})
            for endpoint, (_, column) in ENDPOINTS.items():
                region[endpoint][SEXES[row["sex"]]] = {
                    "constant": float(row[f"cal2_m2_cons_{column}"]),
                    "slope": float(row[f"cal2_m2_slope_{column}"]),
                }
    return regions


def main(folder: Path, target: Path) -> None:
    """Write the file."""
    numbers = {
        "source": SOURCE,
        "terms": TERMS,
        "centering": {"age_years": 60.0, "bmi": 25.0, "systolic_mmhg": 120.0},
        "models": read_models(folder),
        "regions": read_regions(folder),
    }
    target.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(__file__).parents[1] / "src/chw_tools/risk_prediction/who_cvd_2019.json",
    )
