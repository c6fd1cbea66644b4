"""What every test may ask for: a small simulated register, and the public data beside us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chw_tools.records import Register
    from chw_tools.testing import Simulated


@pytest.fixture(scope="session")
def small_programme() -> Simulated:
    """Three hundred simulated people with three years of care, and their truth."""
    from chw_tools.testing import simulate_programme

    return simulate_programme(people=300, seed=7)


@pytest.fixture(scope="session")
def small_register(small_programme: Simulated) -> Register:
    """The clean register of the small programme; tests must not change its frames."""
    return small_programme.register


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public data beside the project; skipped with a reason where absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the public data folder ../shared is not on this machine")
    return folder
