"""The shipped mappings, on the public data that they are for."""

import gzip
import tomllib
from datetime import date
from pathlib import Path

import pytest

from chw_tools.exchange import load_mapping, open_intake
from chw_tools.records import load_catalogue
from chw_tools.workflows.ingest import read_register

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
NHANES = DATA / "nhanes_2009_2012_mortality2019.csv.gz"
BRFSS = DATA / "brfss2015_health_indicators.csv.gz"


def _read(path, mapping):
    register, (report,) = read_register(
        records=[open_intake(path, mapping=load_mapping(ROOT / "examples" / mapping))],
        catalogue=load_catalogue(),
        today=date(2026, 11, 1),
    )
    assert report.file_faults == ()
    return register, report


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda p: p.stem)
def test_each_example_is_a_sound_mapping(path):
    mapping = load_mapping(path)
    assert mapping.source == tomllib.loads(path.read_text())["source"]


@pytest.mark.shared
@pytest.mark.skipif(not NHANES.exists(), reason="the public data are not here")
def test_nhanes_gives_the_published_counts_of_deaths_and_diabetes():
    register, report = _read(NHANES, "nhanes_2009_2012.toml")
    assert len(register.people) == 20_293
    counts = register.outcomes.groupby("outcome")["is_positive"].agg(["sum", "size"])
    # MANIFEST of the data: 11,747 eligible adults, of whom 738 died within five years.
    assert counts.loc["death_5y"].tolist() == [738, 11_747]
    # 14.2 % of 11,769 adults who were asked had a diagnosis.
    assert counts.loc["diabetes"].tolist() == [1_668, 11_769]
    # Averages of a cuff that heard nothing are written as zero: refused, not believed.
    assert {one.column for one in report.rejections} == {"value_number"}
    assert register.observations.query("code == '8462-4'")["value_number"].min() >= 20


@pytest.mark.shared
@pytest.mark.skipif(not BRFSS.exists(), reason="the public data are not here")
def test_brfss_maps_by_column_with_nothing_refused(tmp_path):
    n = 20_000
    with gzip.open(BRFSS, "rt") as whole:
        lines = [next(whole) for _ in range(n + 1)]
    (tmp_path / "brfss2015_health_indicators.csv").write_text("".join(lines))
    register, report = _read(tmp_path, "brfss2015.toml")
    header = lines[0].strip().split(",")
    rows = [dict(zip(header, line.strip().split(","), strict=True)) for line in lines[1:]]
    assert report.n_rejected == 0
    assert len(register.people) == n
    assert register.outcomes["is_positive"].sum() == sum(row["Diabetes"] == "2" for row in rows)
    codes = register.conditions["code"].value_counts().to_dict()
    assert codes == {
        "I10": sum(row["HighBP"] == "1" for row in rows),
        "E78": sum(row["HighChol"] == "1" for row in rows),
        "I25": sum(row["HeartDiseaseorAttack"] == "1" for row in rows),
        "I64": sum(row["Stroke"] == "1" for row in rows),
    }
    assert len(register.observations) == n * 14


def test_a_day_that_is_none_refuses_its_row_and_no_other(tmp_path):
    # An age is turned into a birth by that day; the rest of the file must not go with it.
    (tmp_path / "s.csv").write_text("n,sex,age,day\n1,F,54,03/02/2025\n2,M,61,30/02/2025\n")
    (tmp_path / "m.toml").write_text(
        'source = "s"\n[[file]]\nname = "s.csv"\nperson = "n"\n'
        'as_of = { column = "day", format = "%d/%m/%Y" }\n'
        '[file.people]\nsex = "sex"\nborn_on = { age = "age" }\n'
    )
    register, (report,) = read_register(
        records=[open_intake(tmp_path / "s.csv", mapping=load_mapping(tmp_path / "m.toml"))],
        catalogue=load_catalogue(),
        today=date(2026, 11, 1),
    )
    assert register.people["born_on"].dt.year.tolist() == [1970]
    assert [(one.column, one.n) for one in report.rejections] == [("known_on", 1)]
