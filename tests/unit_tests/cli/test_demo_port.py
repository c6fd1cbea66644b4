"""A port that is taken is told before anything is simulated."""

import socket

from chw_tools.cli.main import main


def test_a_port_that_is_taken_is_told_first(tmp_path, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        environ = {"CHW_HOME": str(tmp_path / ".chw"), "CHW_MODELS": str(tmp_path / "models")}
        assert main(("demo", "--port", port), environ) != 0
    said = capsys.readouterr()
    assert "cannot be used" in said.err
    assert "Simulating" not in said.out
    assert not (tmp_path / ".chw/demo").exists()
