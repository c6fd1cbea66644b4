"""Places that cannot be written: said by name, without a traceback."""

from chw_tools.cli.main import main


def test_a_place_that_cannot_be_written_is_said_and_no_traceback(tmp_path, capsys):
    district = tmp_path / "in"
    district.mkdir()
    (district / "people.csv").write_text("id,sex,born_on\np1,F,1990\n")
    environ = {"CHW_HOME": str(tmp_path / "home")}
    assert main(["ingest", str(district), "--report", str(tmp_path)], environ) == 1
    assert str(tmp_path) in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["ingest", str(district)], {"CHW_HOME": str(tmp_path / "file")}) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err
