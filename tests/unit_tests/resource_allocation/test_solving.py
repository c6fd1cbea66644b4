"""A solver that fails in any way gives an error of ours, in time."""

from __future__ import annotations

import math
import os
import time

import pytest

from chw_tools.errors import SolverFailed
from chw_tools.resource_allocation.apart import run_apart
from chw_tools.resource_allocation.solving import Stop


def test_the_answer_comes_back() -> None:
    assert run_apart(math.hypot, 3.0, 4.0, seconds=5) == 5.0


def test_what_a_solver_prints_is_not_taken_for_its_answer() -> None:
    assert run_apart(print, "hello", seconds=5) is None


def test_a_solver_that_raises_is_said() -> None:
    with pytest.raises(SolverFailed, match=r"exit 1"):
        run_apart(math.sqrt, -1.0, seconds=5)


def test_a_solver_that_crashes_is_said() -> None:
    with pytest.raises(SolverFailed, match=r"exit -?\d+"):
        run_apart(os._exit, 3, seconds=5)


def test_a_solver_that_hangs_is_ended() -> None:
    with pytest.raises(SolverFailed, match="did not end"):
        run_apart(time.sleep, 60, seconds=0.1, grace_seconds=0.1)


@pytest.mark.parametrize("wrong", [{"seconds": 0.0}, {"iterations": -1}])
def test_a_stop_without_time_is_a_mistake(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="stop"):
        Stop(**wrong)  # type: ignore[arg-type]
