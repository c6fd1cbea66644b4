"""The operator's file: what it gives, and every fault, without a secret in its words."""

from pathlib import Path

import pytest

from chw_tools.errors import SettingsFault
from chw_tools.messaging.configured import REACHING_NOBODY, Gateways, read_gateways

ENVIRON = {"KEY": "a-secret-of-the-operator", "SHORT": "short"}
GOOD = """
public_url = "https://chw.example/"
[sms]
provider = "twilio"
account = "AC1"
token = "env:KEY"
sender = "+15005550006"
[whatsapp]
provider = "whatsapp_cloud"
phone_number_id = "1234"
token = "file:{secret}"
app_secret = "env:KEY"
verify_token = "env:KEY"
[email]
provider = "smtp"
host = "mail.example"
sender = "chw@programme.example"
user = "chw"
password = "env:KEY"
"""


def read(folder: Path, text: str) -> Gateways:
    path = folder / "gateways.toml"
    path.write_text(text, encoding="utf-8")
    return read_gateways(path, environ=ENVIRON, home=folder, free_texts=frozenset({"stopped"}))


def test_without_a_file_nobody_is_reached(tmp_path: Path) -> None:
    found = read_gateways(None, environ={}, home=tmp_path)
    assert {gateway.name for gateway in found.by_channel.values()} <= REACHING_NOBODY
    assert found.callbacks == {}


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a-secret-of-a-file\n", encoding="utf-8")
    found = read(tmp_path, GOOD.format(secret=tmp_path / "secret"))
    assert {channel: way.name for channel, way in found.by_channel.items()} == {
        "sms": "twilio",
        "whatsapp": "whatsapp_cloud",
        "email": "smtp",
    }
    assert set(found.callbacks) == {"twilio", "whatsapp_cloud"}
    assert "a-secret" not in repr(found)


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ('[sms]\nprovider = "console"', {"sms": "console"}),
        ('[sms]\nprovider = "simulated"\nseed = 3', {"sms": "simulated"}),
        ('[sms]\nprovider = "africas_talking"\nusername = "u"\napi_key = "env:KEY"\n'
         'callback_secret = "env:KEY"\ncallbacks_from = ["192.0.2.0/24"]',
         {"sms": "africas_talking"}),
        ('[sms]\nprovider = "webhook"\nurl = "https://x"\nsecret = "env:KEY"', {"sms": "webhook"}),
        ('[whatsapp]\nprovider = "rapidpro"\nurl = "http://10.0.0.5"\nallow_private = true\n'
         'token = "env:KEY"\ncallback_token = "env:KEY"', {"whatsapp": "rapidpro"}),
        ('[email]\nprovider = "smtp"\nhost = "10.0.0.5"\nsender = "a@b"\nsecurity = "none"\n'
         "allow_private = true", {"email": "smtp"}),
    ],
)  # fmt: skip
def test_each_provider(tmp_path: Path, section: str, names: dict[str, str]) -> None:
    found = read(tmp_path, section)
    assert {channel: found.by_channel[channel].name for channel in names} == names


TWILIO = 'public_url = "https://x"\n[sms]\nprovider = "twilio"\naccount = "AC1"\nsender = "+1"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sms = 1", "must be a section"),
        ("[fax]", "no channel"),
        ('[sms]\nprovider = "pigeon"', "must be one of"),
        ("[sms]\nprovider = 1", "must be one of"),
        ('[email]\nprovider = "twilio"', "does not serve"),
        ('[sms]\nprovider = "file"\npath = "x"', "is not known"),
        ('[sms]\nprovider = "simulated"\nseed = true', "whole number"),
        (TWILIO + 'token = "a-secret-of-the-operator"', "never the secret itself"),
        (TWILIO + 'token = "env:NOTHING"', "is empty"),
        (TWILIO + 'token = "file:/nowhere/at/all"', "cannot be read"),
        (TWILIO, "must be given"),
        (TWILIO.replace("https://x", "http://x") + 'token = "env:KEY"', "https"),
        (TWILIO + 'token = "env:KEY"\nallow_private = 1', "true or false"),
        (TWILIO + 'token = "env:KEY"\nurl = "http://x.example"', "https address"),
        ('[sms]\nprovider = "webhook"\nurl = "https://x"\nsecret = "env:SHORT"', "shorter than 16"),
        ('[sms]\nprovider = "africas_talking"\nusername = "u"\napi_key = "env:KEY"\n'
         'callback_secret = "env:KEY"\ncallbacks_from = ["everywhere"]', "list networks"),
        ('[email]\nprovider = "smtp"\nhost = "h"\nsender = "a@b"\nsecurity = "none"', "starttls"),
        ('[sms]\nprovider = "webhook"\nurl = "https://x"\nsecret = "env:KEY"\n'
         '[whatsapp]\nprovider = "webhook"\nurl = "https://x"\nsecret = "env:KEY"', "already"),
        ('token = "a-secret-of-the-operator', "no TOML"),
    ],
)  # fmt: skip
def test_each_fault(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsFault, match=said) as caught:
        read(tmp_path, text)
    assert "a-secret" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="cannot be read"):
        read_gateways(tmp_path / "none.toml", environ={}, home=tmp_path)
