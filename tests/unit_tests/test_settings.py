import pytest

from chw_tools.errors import SettingsFault
from chw_tools.settings import read_settings


def test_an_empty_environment_gives_a_store_in_the_folder_one_stands_in():
    settings = read_settings({})
    assert settings.database_url == "sqlite:///.chw/chw.db"
    assert settings.host == "127.0.0.1"
    assert settings.programme is None


def test_each_setting_can_be_moved_by_its_variable():
    environ = {
        "CHW_HOME": "/srv/chw",
        "CHW_DATABASE_URL": "postgresql+psycopg://chw:secret@db/chw",
        "CHW_MODELS": "/srv/models",
        "CHW_PROGRAMME": "/srv/programme",
        "CHW_PORT": "9000",
    }
    shown = read_settings(environ).shown()
    assert shown["CHW_HOME"] == "/srv/chw"
    assert shown["CHW_MODELS"] == "/srv/models"
    assert shown["CHW_PROGRAMME"] == "/srv/programme"
    assert shown["CHW_PORT"] == "9000"


def test_a_password_is_never_shown():
    shown = read_settings({"CHW_DATABASE_URL": "postgresql+psycopg://chw:p@ss:w@db/chw"}).shown()
    assert shown["CHW_DATABASE_URL"] == "postgresql+psycopg://chw:***@db/chw"


@pytest.mark.parametrize("port", ["eighty", "-1", "70000"])
def test_a_port_that_is_none_is_refused_with_the_variable_named(port):
    with pytest.raises(SettingsFault, match="CHW_PORT"):
        read_settings({"CHW_PORT": port})


def test_runs_are_tracked_beside_the_models_unless_said_otherwise():
    assert read_settings({"CHW_MODELS": "m"}).tracking == "sqlite:///m/mlflow/mlflow.db"
    assert read_settings({"CHW_TRACKING_URI": "https://track:5000"}).tracking.startswith("https")
    off = read_settings({"CHW_TRACKING_URI": "off"})
    assert (off.tracking, off.shown()["CHW_TRACKING_URI"]) == ("", "off")
    server = read_settings({"CHW_TRACKING_URI": "https://me:secret@track"}).shown()
    assert "secret" not in server["CHW_TRACKING_URI"]


@pytest.mark.parametrize("place", ["file:///srv/mlruns", "file:mlruns", "mlruns", "/srv/mlruns"])
def test_a_folder_is_no_place_to_track(place):
    with pytest.raises(SettingsFault, match=r"CHW_TRACKING_URI.*sqlite"):
        read_settings({"CHW_TRACKING_URI": place})


def test_keys_are_named_by_their_files():
    settings = read_settings({"CHW_SIGNING_KEY": "a.pem", "CHW_TRUSTED_KEYS": "keys.txt"})
    assert settings.shown()["CHW_SIGNING_KEY"] == "a.pem"
    assert settings.trusted_keys.name == "keys.txt"


def test_the_url_may_lie_in_a_file(tmp_path):
    place = tmp_path / "url"
    place.write_text("postgresql+psycopg://chw:secret@db/chw\n", encoding="utf-8")
    settings = read_settings({"CHW_DATABASE_URL_FILE": str(place)})
    assert settings.database_url == "postgresql+psycopg://chw:secret@db/chw"
    assert "secret" not in settings.shown()["CHW_DATABASE_URL"]
    with pytest.raises(SettingsFault, match="given twice"):
        read_settings({"CHW_DATABASE_URL_FILE": str(place), "CHW_DATABASE_URL": "sqlite://"})


def test_an_empty_file_is_no_database_of_this_folder(tmp_path):
    (tmp_path / "url").touch()
    with pytest.raises(SettingsFault, match="is empty"):
        read_settings({"CHW_DATABASE_URL_FILE": str(tmp_path / "url")})


def test_names_of_the_proxy_are_parted_by_commas():
    assert read_settings({"CHW_PUBLIC_HOSTS": "A.example, b.example,"}).public_hosts == (
        "a.example",
        "b.example",
    )


def test_migrations_are_automatic_or_off():
    assert read_settings({}).migrations == "auto"
    with pytest.raises(SettingsFault, match="CHW_MIGRATIONS"):
        read_settings({"CHW_MIGRATIONS": "maybe"})
