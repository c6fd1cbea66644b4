"""A starter mapping names columns and kinds, never a value, and can be filled in."""

import tomllib

import pandas as pd
import pytest

from chw_tools.errors import MappingFault, NothingToRead
from chw_tools.exchange import parse_mapping
from chw_tools.exchange.mapped import map_rows
from chw_tools.exchange.suggest import kind_of, recognise, suggest_mapping
from chw_tools.records import load_catalogue

TEXT = """PatientNo,Gender,Age,VisitDate,SBP,Secret word,HTN
K77,F,34,25/12/2020,141,zebrafish,1
K78,M,61,26/12/2020,128,aardvark,0
"""


def test_the_starter_can_be_used_and_holds_no_value(tmp_path):
    (tmp_path / "clinic.csv").write_text(TEXT)
    text = suggest_mapping(tmp_path / "clinic.csv")
    mapping = parse_mapping(text, where="starter")
    rows = pd.read_csv(tmp_path / "clinic.csv", dtype="str")
    tables = {b.table: b.rows for b in map_rows(rows, mapping.files[0], name="clinic.csv")}
    assert tables["people"]["id"].tolist() == ["K77", "K78"]
    assert tables["observations"]["observed_on"].tolist() == ["2020-12-25", "2020-12-26"]
    for value in ("K77", "141", "zebrafish", "25/12/2020", "34"):
        assert value not in text
    assert '# not used: "Secret word"' in text
    assert '# code = "I10"' in text


def test_a_file_without_a_day_asks_for_one(tmp_path):
    (tmp_path / "clinic.csv").write_text("ID,SBP\n1,120\n")
    text = suggest_mapping(tmp_path)
    with pytest.raises(MappingFault, match="as_of"):
        parse_mapping(text, where="starter")
    parse_mapping(text.replace("# as_of", "as_of"), where="starter")


def test_nothing_to_map(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(NothingToRead, match="map"):
        suggest_mapping(tmp_path)


@pytest.mark.parametrize(
    ("column", "what"),
    [("bp_sys", "systolic_mmhg"), ("Date of Birth", "born_on"), ("BMICatUnder20yrs", ""),
     ("SEQN", "person"), ("Hobby", ""), ("waist_cm", "waist_cm")],
)  # fmt: skip
def test_what_a_name_says(column, what):
    assert recognise(column) == what


def test_the_catalogue_knows_what_is_suggested():
    from chw_tools.exchange.suggest import WORDS

    named = {what for what in WORDS if "_" in what and not what.endswith(("_on", "_of", "_name"))}
    assert named <= set(load_catalogue().entries)


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["2020-01-31"], "day"), (["31.01.2020"], "day"), (["1", "2.5"], "number"),
     (["a", "b"], "choice"), ([None], "empty"), ([f"w{i}" for i in range(40)], "text")],
)  # fmt: skip
def test_kinds(values, kind):
    assert kind_of(pd.Series(values, dtype="str"))[0] == kind


def test_the_unit_is_the_one_that_the_head_names(tmp_path):
    (tmp_path / "s.csv").write_text(
        "RBS mg/dl,FBS,Weight (lbs),Height in cm,Patient Name,Smoker?\n"
        "98,5.1,150,160,A,No\n110,5.5,160,170,B,Yes\n"
    )
    found = tomllib.loads(suggest_mapping(tmp_path))["file"][0]
    units = {item["column"]: item.get("unit") for item in found["observations"]}
    assert units == {
        "RBS mg/dl": "mg/dL",
        "FBS": "mmol/L",
        "Weight (lbs)": "[lb_av]",
        "Height in cm": "cm",
        "Smoker?": None,
    }
    assert found["people"]["given_name"] == "Patient Name"
