"""What every test may ask for: a small simulated register, and the public data beside us."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from chw_tools.records import Register
    from chw_tools.testing import Simulated

# Drawn examples of a property: few in every run, many before a release (make test-long).
settings.register_profile("suite", max_examples=25, deadline=None)
settings.register_profile("long", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


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
