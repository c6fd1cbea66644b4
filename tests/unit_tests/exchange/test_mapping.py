"""A mapping is checked as a whole before anything is read, then applied to whole columns."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chw_tools.errors import MappingFault
from chw_tools.exchange.mapped import map_rows
from chw_tools.exchange.mapping import check_columns, parse_mapping

WIDE = """
source = "clinic"
population = "real"
[[file]]
name = "clinic*.csv"
person = "No"
as_of = 2020-06-30
only = [["Age", ">=", 18]]
[file.people]
sex = { column = "Sex", values = { "0" = "female", "1" = "male", "9" = "" } }
born_on = { age = "Age" }
[[file.observations]]
name = "systolic_mmhg"
column = "SBP"
[[file.observations]]
system = "urn:x"
code = "mood"
column = "Mood"
[[file.observations]]
name = "tobacco"
cases = [
  { when = [["Now", "==", "Yes"]], value = "current" },
  { when = [["Now", "==", "No"]], value = "former" },
  { when = [["Ever", "==", "No"]], value = "never" },
]
[[file.conditions]]
code = "I10"
when = [["HTN", "==", 1]]
[[file.outcomes]]
outcome = "died"
when = [["Eligible", "==", 1]]
positive = [["Dead", "==", 1], ["Months", "<=", 60]]
negative = [["Dead", "is_known"]]
"""

ROWS = pd.DataFrame(
    {
        "No": ["1", "2", "3"],
        "Age": ["40", "17", "60"],
        "Sex": ["0", "1", "7"],
        "SBP": ["120", "110", None],
        "Mood": ["good", "bad", "good"],
        "Now": ["Yes", "No", None],
        "Ever": ["Yes", "Yes", "No"],
        "HTN": ["1", "1", "0"],
        "Eligible": ["1", "1", "1"],
        "Dead": ["1", "0", "1"],
        "Months": ["12", "90", "61"],
    },
    index=[2, 3, 4],
)


def _mapped(text=WIDE, rows=ROWS):
    (file,) = parse_mapping(text, where="clinic.toml").files
    return {batch.table: batch.rows for batch in map_rows(rows, file, name="clinic.csv")}


def test_a_wide_file_feeds_several_tables():
    tables = _mapped()
    assert list(tables) == ["people", "observations", "conditions", "outcomes"]
    people = tables["people"].set_index("id")
    assert people.index.tolist() == ["1", "3"]  # the child is filtered out
    assert people["sex"].tolist() == ["female", "7"]  # what is not translated is refused later
    assert people["at"].tolist() == ["clinic.csv:2", "clinic.csv:4"]
    assert set(people["known_on"]) == {"2020-06-30"}


def test_an_age_gives_a_birth_in_the_middle_of_its_year():
    person = _mapped()["people"].iloc[0]
    age_days = (pd.Timestamp("2020-06-30") - pd.Timestamp(person["born_on"])).days
    assert 40.4 < age_days / 365.2425 < 40.6
    assert person["born_precision"] == "year"


def test_observations_by_name_by_code_and_by_cases():
    rows = _mapped()["observations"].set_index("id")
    assert rows.loc["1#systolic_mmhg#2020-06-30", ["code", "value_number", "unit"]].tolist() == [
        "8480-6",
        "120",
        "mm[Hg]",
    ]
    assert "3#systolic_mmhg#2020-06-30" not in rows.index  # not measured is no row
    assert rows.loc["1#urn:x|mood#2020-06-30", "value_code"] == "good"
    tobacco = rows[rows["code"] == "72166-2"]
    assert tobacco["value_code"].tolist() == ["current", "never"]


def test_a_condition_only_where_it_is_said_and_an_outcome_only_where_it_is_known():
    tables = _mapped()
    assert tables["conditions"][["person_id", "code"]].to_numpy().tolist() == [["1", "I10"]]
    assert tables["outcomes"].set_index("person_id")["is_positive"].to_dict() == {
        "1": True,
        "3": False,
    }
    unknown = ROWS.assign(Dead=None)
    assert "outcomes" not in _mapped(rows=unknown)


def test_days_by_format_and_what_cannot_be_read_stays():
    text = """
    source = "s"
    [[file]]
    name = "v.csv"
    person = "No"
    as_of = { column = "Day", format = "%d/%m/%Y" }
    [file.visits]
    kind = { constant = "home" }
    outcome = { constant = "seen" }
    """
    rows = pd.DataFrame({"No": ["1", "2"], "Day": ["03/04/2020", "soon"]}, index=[2, 3])
    visits = _mapped(text, rows)["visits"]
    assert visits["visited_on"].tolist() == ["2020-04-03", "soon"]
    assert visits["id"].is_unique


def test_row_numbers_stand_for_people_where_nobody_is_named():
    text = WIDE.replace('person = "No"', "person = { row_number = true }")
    assert _mapped(text)["people"]["id"].tolist() == ["row-2", "row-4"]


def test_numbers_of_parquet_are_compared_and_translated_like_text():
    native = ROWS.assign(
        Age=[40, 17, 60], Sex=[0.0, 1.0, None], HTN=[1.0, 1.0, 0.0], Dead=[1, 0, 1]
    )
    people = _mapped(rows=native)["people"]
    assert people["sex"].fillna("missing").tolist() == ["female", "missing"]
    assert len(_mapped(rows=native)["conditions"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('source = "clinic"', "", "no `source`"),
        ('population = "real"', 'population = "both"', "real or simulated"),
        ("sex = {", "gender = {", "declares no column `gender`"),
        ('name = "systolic_mmhg"', 'name = "sbp"', "no such observable"),
        ("as_of = 2020-06-30", "", "as_of"),
        ('person = "No"', "", "person"),
        ('["Age", ">=", 18]', '["Age", "~", 18]', "a condition is"),
        ('name = "clinic*.csv"', 'name = "clinic*.csv"\nfoo = 1', "unknown key `foo`"),
        ('born_on = { age = "Age" }', "born_on = { years = 3 }", "exactly one of"),
        ("[[file]]", "[[file", "not TOML"),
    ],
)
def test_each_fault_of_a_mapping_is_named(old, new, said):
    with pytest.raises(MappingFault, match=said) as caught:
        parse_mapping(WIDE.replace(old, new), where="clinic.toml")
    assert caught.value.where == "clinic.toml"


def test_all_faults_are_said_at_once():
    text = WIDE.replace("sex = {", "gender = {").replace('"systolic_mmhg"', '"sbp"')
    with pytest.raises(MappingFault, match=r"observable.*gender"):
        parse_mapping(text, where="clinic.toml")


def test_columns_that_are_not_there_are_named():
    (file,) = parse_mapping(WIDE, where="clinic.toml").files
    with pytest.raises(MappingFault, match="no column SBP, Mood"):
        check_columns(file, "clinic.csv", [c for c in ROWS if c not in ("SBP", "Mood")], "m")
    check_columns(file, "clinic.csv", list(ROWS), "m")


@settings(deadline=None)
@given(order=st.permutations(range(3)), cut=st.integers(0, 3))
def test_a_row_is_mapped_alike_alone_and_in_company(order, cut):
    (file,) = parse_mapping(WIDE, where="clinic.toml").files
    whole = {b.table: b.rows for b in map_rows(ROWS, file, name="c")}
    shuffled = ROWS.iloc[list(order)]
    parts: dict = {}
    for piece in (shuffled.iloc[:cut], shuffled.iloc[cut:]):
        if len(piece):
            for batch in map_rows(piece, file, name="c"):
                parts.setdefault(batch.table, []).append(batch.rows)
    for table, rows in whole.items():
        again = pd.concat(parts[table]).set_index("id").sort_index().astype(str)
        expected = rows.set_index("id").sort_index().astype(str)
        assert again[expected.columns].fillna("").equals(expected.fillna(""))


_COUNTED = """
source = "trial"
[[file]]
name = "clinic*.csv"
person = "No"
as_of = 2004-04-20
[file.pregnancies]
last_period_on = { constant = 2004-01-01 }
ended_on = { days = "SBP", after = 2004-01-01 }
"""


def test_a_day_may_be_counted_from_another():
    rows = ROWS.assign(SBP=["270", "soon", None])
    ended = _mapped(_COUNTED, rows)["pregnancies"]["ended_on"]
    assert ended.iloc[0] == "2004-09-27"
    assert ended.iloc[1] == "soon"  # stays as it is, and cleaning refuses it
    assert pd.isna(ended.iloc[2])


@pytest.mark.parametrize("said", ['{ days = "SBP" }', '{ days = "SBP", after = "May" }'])
def test_days_need_a_day_to_be_counted_from(said):
    text = _COUNTED.replace('{ days = "SBP", after = 2004-01-01 }', said)
    with pytest.raises(MappingFault, match="after = 2004-01-01"):
        parse_mapping(text, where="trial.toml")
