"""The whole way by commands: from records to a list, a visit, and the list after it."""

import json

import pytest

from chw_tools.cli.main import main


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "district"
    assert main(["simulate", str(folder), "--people", "400", "--seed", "3"], {}) == 0
    return folder


@pytest.fixture(scope="module")
def environ(district):
    home = district.parent / "home"
    environ = {"CHW_HOME": str(home), "CHW_MODELS": str(home / "models")}
    assert main(["ingest", str(district)], environ) == 0
    return environ


@pytest.fixture
def chw(environ, capsys):
    def run(*args):
        code = main([*args, "--json"], environ)
        out = capsys.readouterr().out
        assert code == 0, out
        return json.loads(out)

    return run


def test_ingesting_twice_changes_nothing(district, environ, capsys):
    capsys.readouterr()
    assert main(["ingest", str(district), "--json"], environ) == 0
    tables = json.loads(capsys.readouterr().out)["import"]["tables"]
    assert sum(table["new"] + table["changed"] for table in tables) == 0
    assert sum(table["unchanged"] for table in tables) > 1000


def test_a_messy_register_ends_with_code_three_where_strict(district, environ):
    assert main(["ingest", str(district), "--strict"], environ) == 3


def test_the_report_of_the_import_is_written(environ, chw):
    from pathlib import Path

    page = Path(environ["CHW_HOME"]) / "import_report.html"
    assert "<html" in page.read_text(encoding="utf-8")


def test_risks_are_probabilities_or_say_why_not(chw):
    said = chw("score")
    states = {row["state"] for row in said["risks"]}
    assert "estimated" in states
    for row in said["risks"]:
        if row["state"] == "estimated":
            assert 0 <= row["risk"] <= 1
        else:
            assert row["risk"] is None
            assert row["note"]
    assert any("No model" in note for note in said["notes"])


def test_advice_has_reason_source_and_day(chw):
    for row in chw("recommend")["recommendations"]:
        assert row["reason"]
        assert row["source"]
        assert row["due_on"]


@pytest.mark.parametrize("name", ["features.csv", "features.parquet"])
def test_the_table_that_models_learn_from_holds_nobody_by_name(environ, tmp_path, name):
    import pandas as pd

    place = tmp_path / name
    words = ["features", "--as-of", "2025-06-30", "--output", str(place)]
    assert main(words, environ) == 0
    read = pd.read_csv if name.endswith("csv") else pd.read_parquet
    frame = read(place)
    assert len(frame) > 100
    assert "systolic_mmhg" in frame
    identifying = {"given_name", "family_name", "phone", "born_on", "latitude", "longitude"}
    assert not identifying & set(frame)


def test_the_loop_closes_by_commands(chw):
    plan = chw("plan")
    visit = plan["visits"][0]
    days = chw("visits", "list")
    assert days["visit_on"] == plan["visit_on"]
    stops = chw("visits", "list", "--worker", visit["worker_id"])["stops"]
    assert visit["person_id"] in {stop["person_id"] for stop in stops}

    person = next(
        row["person_id"]
        for row in plan["unvisited"]
        if row["urgency"] == "routine" and row["worker_id"]
    )
    kept = chw(
        "visits", "record", person, "--on", plan["visit_on"],
        "--measure", "temperature_celsius=37", "--danger-sign", "convulsions",
        "--danger-sign", "chest_pain", "--danger-sign", "unable_to_drink",
    )  # fmt: skip
    assert kept["recommendations"][0]["urgency"] == "emergency"
    tomorrow = chw("plan")
    assert tomorrow["as_of"] == plan["visit_on"]
    assert person in {row["person_id"] for row in tomorrow["visits"]}

    change = chw("people", "died", person, "--on", tomorrow["visit_on"])
    later = chw("plan")
    assert person not in {row["person_id"] for row in (*later["visits"], *later["unvisited"])}
    assert chw("people", "show", person)["status"] == "died"
    chw("people", "undo", person, "--change", change["change_id"], "--on", later["as_of"])
    again = chw("plan")
    assert person in {row["person_id"] for row in (*again["visits"], *again["unvisited"])}


def test_a_person_is_found_by_name_and_shown(chw):
    view = chw("visits", "list")
    worker = next(w for w in view["workers"] if w["n_visits"])
    stop = chw("visits", "list", "--worker", worker["worker_id"])["stops"][0]
    found = chw("people", "find", stop["name"].split()[0])
    assert stop["person_id"] in {hit["person_id"] for hit in found}
    shown = chw("people", "show", stop["person_id"])
    assert shown["advice"]
    assert shown["advice"][0]["action"] == stop["actions"][0]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["ingest", "no-such-folder"], "no-such-folder"),
        (["people", "show", "nobody"], "No such person"),
        (["visits", "list", "--on", "1999-01-01"], "not planned"),
        (["models", "approve", "diabetes", "v9", "--by", "me"], "diabetes"),
    ],
)
def test_what_cannot_be_done_ends_with_code_one_and_says_what(environ, capsys, words, named):
    assert main(words, environ) == 1
    assert named in capsys.readouterr().err


def test_people_of_the_other_population_do_not_join(environ, tmp_path, capsys):
    (tmp_path / "people.csv").write_text("id,sex,known_on\nx,female,2024-01-01\n")
    assert main(["ingest", str(tmp_path)], environ) == 1
    assert "simulated" in capsys.readouterr().err


def test_an_empty_store_says_how_to_begin(tmp_path, capsys):
    assert main(["plan"], {"CHW_HOME": str(tmp_path)}) == 1
    assert "chw ingest" in capsys.readouterr().err


def test_an_archive_and_its_unpacked_folder_share_a_source(district, tmp_path, capsys):
    import tarfile

    packed = tmp_path / "packed.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        for path in sorted(district.glob("*.csv")):
            archive.add(path, path.name)
    environ = {"CHW_HOME": str(tmp_path / "home")}
    named = ["--source", "east", "--population", "simulated", "--json"]
    assert main(["ingest", str(district), *named], environ) == 0
    capsys.readouterr()
    assert main(["ingest", str(packed), *named], environ) == 0
    tables = json.loads(capsys.readouterr().out)["import"]["tables"]
    assert sum(table["new"] + table["changed"] for table in tables) == 0
    assert main(["ingest", str(packed), "--source", "east", "--population", "real"], environ) == 1
    assert "simulated" in capsys.readouterr().err
    assert main(["ingest", str(district), "--population", "invented"], environ) == 2


@pytest.mark.parametrize("name", ["", " ", "a\x1bb"])
def test_a_source_needs_a_name(district, tmp_path, capsys, name):
    environ = {"CHW_HOME": str(tmp_path / "home")}
    assert main(["ingest", str(district), "--source", name], environ) == 1
    assert "--source" in capsys.readouterr().err


def test_the_truth_is_not_read_even_where_it_is_given(district, tmp_path, capsys):
    environ = {"CHW_HOME": str(tmp_path / "home")}
    assert (district / "truth").is_dir()
    for path in (district / "truth", next((district / "truth").iterdir())):
        assert main(["ingest", str(path)], environ) == 1
        assert "truth" in capsys.readouterr().err


def test_published_scores_are_shown_by_name_and_not_kept(chw):
    said = chw("score", "--with", "framingham_bmi", "--with", "ada_risk_test")
    models = {row["model"] for row in said["risks"]}
    assert len(models) == 2
    states = {row["state"] for row in said["risks"] if row["outcome"] == "general_cvd_10y"}
    assert "estimated" in states
    # Points are no probabilities.
    told = [row for row in said["risks"] if row["outcome"] == "undiagnosed_diabetes"]
    assert told
    assert all(row["risk"] is None for row in told)
    assert any("Framingham" in note for note in said["notes"])


def test_a_score_takes_its_own_region(environ, chw, capsys):
    south = chw("score", "--with", "who_cvd", "--region", "South Asia")
    europe = chw("score", "--with", "who_cvd", "--region", "Western Europe")
    assert {row["model"].endswith("South Asia") for row in south["risks"]} == {True}
    assert [r["risk"] for r in south["risks"]] != [r["risk"] for r in europe["risks"]]
    assert main(["score", "--with", "score2"], environ) == 1
    assert "name one" in capsys.readouterr().err
    assert main(["score", "--with", "score2", "--region", "Atlantis"], environ) == 1
    assert main(["score", "--with", "fortune"], environ) == 1
    assert main(["score", "--region", "low"], environ) == 2


def test_the_published_scores_are_listed_with_their_sources(environ, chw, capsys):
    declared = chw("scores", "list")
    assert {"prevent", "who_cvd", "score2", "findrisc", "news2", "tb_screen"} <= {
        score["name"] for score in declared
    }
    assert all(score["source"] for score in declared)
    assert main(["scores", "list", "--regions"], environ) == 0
    assert "South Asia" in capsys.readouterr().out
    assert main(["score", "--with", "framingham_bmi"], environ) == 0
    assert "Why not" in capsys.readouterr().out


def test_two_places_of_one_name_do_not_share_a_store(tmp_path, capsys):
    for place in ("north", "south"):
        (tmp_path / place / "export").mkdir(parents=True)
        (tmp_path / place / "export" / "people.csv").write_text(
            f"id,sex,known_on\n{place},female,2025-01-10\n"
        )
        data = str(tmp_path / place / "export")
        home = {"CHW_HOME": str(tmp_path / "home"), "CHW_MODELS": str(tmp_path / "models")}
        assert main(["demo", "--data", data, "--no-serve"], home) == 0
        assert "1 rows can be trusted (1 new)" in capsys.readouterr().out
    stores = list((tmp_path / "home" / "demo").glob("data-export-*/chw.db"))
    assert len(stores) == 2


def test_a_search_that_is_cut_says_so(environ, capsys):
    assert main(["people", "find", "a", "--limit", "2"], environ) == 0
    assert "there may be more" in capsys.readouterr().out


def test_outcomes_are_told_as_they_are_declared(environ, chw, capsys):
    told = chw("models", "outcomes")
    assert told["missed_follow_up"]["index_rule"] == "each_visit"
    assert list(chw("models", "outcomes", "preterm_birth")) == ["preterm_birth"]
    assert main(["models", "outcomes", "uncontrolled_hypertension_180d"], environ) == 0
    assert "measure it" in capsys.readouterr().out
    assert main(["models", "outcomes", "gout"], environ) != 0


def test_what_a_formula_foresees_is_not_trained(environ, capsys):
    assert main(["train", "--outcome", "cardiovascular_10y"], environ) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "published score who_cvd" in said
    assert "chw score --with who_cvd" in said


def test_missed_visits_are_trained_and_judged_on_the_simulated_programme(environ, chw):
    judged = chw("train", "--outcome", "missed_follow_up", "--recipe", "logistic")
    assert judged["population"] == "simulated"
    assert judged["n_events"] > 0
