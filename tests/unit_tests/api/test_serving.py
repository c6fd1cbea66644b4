"""Where the app may listen."""

from __future__ import annotations

import pytest

from chw_tools.api.serving import address_of, listen
from chw_tools.errors import SettingsFault


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.org"])  # noqa: S104
def test_a_host_that_others_can_reach_is_refused(host):
    with pytest.raises(SettingsFault, match="health records") as refused:
        listen(host, 0)
    assert refused.value.where == "CHW_HOST"


def test_port_zero_takes_a_free_one():
    with listen("127.0.0.1", 0) as listening:
        address = address_of(listening)
    assert address.startswith("http://127.0.0.1:")
    assert not address.endswith(":0/")


def test_a_taken_port_names_the_cure():
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(SettingsFault, match="another port"):
            listen("127.0.0.1", port)
