import subprocess
import sys

import pytest

import chw_tools


@pytest.mark.parametrize("name", [n for n in chw_tools.__all__ if n != "__version__"])
def test_each_public_name_is_there(name):
    assert callable(getattr(chw_tools, name)) or isinstance(getattr(chw_tools, name), dict)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = chw_tools.nonsense


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from chw_tools.cli.main import main; main(['--help'], {}); "
        "heavy = {'pandas', 'numpy', 'sklearn', 'sqlalchemy', 'fastapi', 'matplotlib'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ingest" in done.stdout
