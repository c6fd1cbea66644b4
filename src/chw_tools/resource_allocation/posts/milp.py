"""Posts as a mixed integer programme on HiGHS, over the pairs that a better plan may use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.resource_allocation.posts.problem import Served

if TYPE_CHECKING:
    from chw_tools.resource_allocation.posts.problem import Counts, Numbers, PostsProblem


@dataclass(frozen=True)
class Solved:
    """What HiGHS found, and what nothing in its model can go below."""

    answer: Served | None
    bound: float
    is_infeasible: bool = False


@dataclass(frozen=True)
class _Rows:
    """Rows of a linear programme: entries, and the limits of each row."""

    row: Counts
    column: Counts
    value: Numbers
    lower: Numbers
    upper: Numbers


def solve_milp(
    problem: PostsProblem,
    *,
    seconds: float,
    seed: int,
    start: Served | None = None,
    gap: float = 0.0,
    effort: float = 0.05,
) -> Solved:
    """The best posts over the problem's pairs, with HiGHS.

    Parameters
    ----------
    problem : PostsProblem
        All rules, floors among them.
    seconds : float
        HiGHS's own limit; it may overrun a little.
    seed : int
        HiGHS's random seed.
    start : Served, optional
        A plan to begin from; need not be feasible.
    gap : float
        Relative gap at which to stop.
    effort : float
        Share of the time for finding plans; the rest is for the bound.
    """
    layout = _Layout(problem)
    model = _model(problem, layout)
    highs = _highs(seconds=seconds, seed=seed, gap=gap)
    highs.setOptionValue("mip_heuristic_effort", effort)
    highs.passModel(model)
    if start is not None:
        whole = layout.columns(problem, start)
        where = np.arange(len(whole), dtype=np.int32)
        highs.setSolution(len(whole), where, whole)
    highs.run()
    if start is not None and _tells_another_plan(highs, model):
        # HiGHS 1.16 sometimes gives back the plan it was given, with the cost of the one it found.
        left = seconds - highs.getRunTime()
        return solve_milp(problem, seconds=left, seed=seed, gap=gap, effort=effort)
    return _read(highs, problem, layout)


def _tells_another_plan(highs: Any, model: Any) -> bool:
    """Whether the plan given back does not cost what is said of it."""
    import highspy

    info = highs.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return False
    costs = float(np.dot(model.col_cost_, highs.getSolution().col_value) + model.offset_)
    said = float(info.objective_function_value)
    return bool(abs(costs - said) > 1e-6 * max(abs(said), 1.0))


def solve_worst(problem: PostsProblem, *, seconds: float, seed: int) -> tuple[float, float]:
    """The largest share of its hours that the worst served group can have, and its bound.

    Raises
    ------
    ValueError
        If the problem names no groups.
    """
    import highspy

    if problem.group is None or problem.floor is None:
        raise ValueError("the worst served group is asked for, and no groups are named")
    layout = _Layout(problem)
    model = _model(replace(problem, floor=np.zeros(len(problem.floor))), layout)
    model.col_cost_ = np.zeros(layout.n)
    needed = np.bincount(problem.group, problem.demand, len(problem.floor))
    highs = _highs(seconds=seconds, seed=seed, gap=1e-4)
    highs.passModel(model)
    rows = np.arange(model.num_row_ - len(needed), model.num_row_, dtype=np.int32)
    highs.addCol(-1.0, float(problem.floor.min()), 1.0, len(rows), rows, -needed)
    highs.run()
    info = highs.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return 0.0, 1.0
    return -float(info.objective_function_value), min(-float(info.mip_dual_bound), 1.0)


def _highs(*, seconds: float, seed: int, gap: float) -> Any:
    import highspy

    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # it carries no types
    options = {
        "output_flag": False,
        "threads": 1,
        "time_limit": max(seconds, 0.1),
        "random_seed": seed % 2**31,
        "mip_rel_gap": gap,
        "mip_abs_gap": 1e-6,
    }
    for name, value in options.items():
        highs.setOptionValue(name, value)
    return highs


class _Layout:
    """Which column is what: a share for each pair, the share without service, posts."""

    def __init__(self, problem: PostsProblem) -> None:
        self.n_pairs = len(problem.community)
        self.n_left = problem.n_communities if np.isfinite(problem.unserved_minutes) else 0
        self.posts_at = self.n_pairs + self.n_left
        self.n = self.posts_at + problem.n_sites

    def columns(self, problem: PostsProblem, answer: Served) -> Numbers:
        """The answer as values of all columns."""
        served = np.bincount(problem.community, answer.share, problem.n_communities)
        left = np.maximum(1.0 - served, 0.0)[: self.n_left]
        return np.concatenate([answer.share, left, answer.posts.astype(np.float64)])


def _model(problem: PostsProblem, layout: _Layout) -> Any:
    import highspy
    from scipy.sparse import csc_matrix

    blocks = [_everybody(problem, layout), _only_open(problem, layout), _budget(problem, layout)]
    if np.isfinite(problem.capacity):
        blocks.append(_capacity(problem, layout))
    if problem.group is not None and problem.floor is not None:
        blocks.append(_floors(problem, problem.group, problem.floor))
    first = np.cumsum([0, *(len(block.lower) for block in blocks)])
    row = np.concatenate([block.row + at for block, at in zip(blocks, first[:-1], strict=True)])
    column = np.concatenate([block.column for block in blocks])
    value = np.concatenate([block.value for block in blocks])
    matrix = csc_matrix((value, (row, column)), shape=(int(first[-1]), layout.n))
    left = problem.unserved_cost[: layout.n_left]
    integer, continuous = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = layout.n, int(first[-1])
    model.col_cost_ = np.concatenate([problem.cost, left, np.zeros(problem.n_sites)])
    model.col_lower_ = np.concatenate([np.zeros(layout.posts_at), problem.least])
    model.col_upper_ = np.concatenate([np.ones(layout.posts_at), problem.most])
    model.row_lower_ = np.concatenate([block.lower for block in blocks])
    model.row_upper_ = np.concatenate([block.upper for block in blocks])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    shares = integer if problem.is_whole else continuous
    model.integrality_ = [shares] * layout.posts_at + [integer] * problem.n_sites
    return model


def _everybody(problem: PostsProblem, layout: _Layout) -> _Rows:
    """Each community's shares make one, the share without service among them."""
    left = np.arange(layout.n_left)
    row = np.concatenate([problem.community, left])
    column = np.concatenate([np.arange(layout.n_pairs), layout.n_pairs + left])
    one = np.ones(problem.n_communities)
    lower = np.where(problem.people > 0, one, 0.0)
    return _Rows(row, column, np.ones(len(row)), lower, one)


def _only_open(problem: PostsProblem, layout: _Layout) -> _Rows:
    """A site without a post serves nobody."""
    pair = np.arange(layout.n_pairs)
    column = np.concatenate([pair, layout.posts_at + problem.site])
    value = np.concatenate([np.ones(len(pair)), -np.ones(len(pair))])
    return _Rows(np.tile(pair, 2), column, value, np.full(len(pair), -np.inf), np.zeros(len(pair)))


def _budget(problem: PostsProblem, layout: _Layout) -> _Rows:
    column = np.arange(layout.posts_at, layout.n)
    ones = np.ones(len(column))
    row = np.zeros(len(column), dtype=np.int64)
    return _Rows(row, column, ones, np.array([-np.inf]), np.array([float(problem.budget)]))


def _capacity(problem: PostsProblem, layout: _Layout) -> _Rows:
    site = np.arange(problem.n_sites)
    row = np.concatenate([problem.site, site])
    column = np.concatenate([np.arange(layout.n_pairs), layout.posts_at + site])
    hours = problem.demand[problem.community]
    value = np.concatenate([hours, np.full(len(site), -problem.capacity)])
    return _Rows(row, column, value, np.full(len(site), -np.inf), np.zeros(len(site)))


def _floors(problem: PostsProblem, group: Counts, floor: Numbers) -> _Rows:
    hours = problem.demand[problem.community]
    needed = np.bincount(group, problem.demand, len(floor)) * floor
    none = np.full(len(floor), np.inf)
    return _Rows(group[problem.community], np.arange(len(hours)), hours, needed, none)


def _read(highs: Any, problem: PostsProblem, layout: _Layout) -> Solved:
    import highspy

    status = highs.getModelStatus()
    nothing = status in (
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kUnboundedOrInfeasible,
    )
    if nothing:
        return Solved(None, np.inf, is_infeasible=True)
    info = highs.getInfo()
    is_integer = problem.is_whole or bool((problem.least < problem.most).any())
    bound = info.mip_dual_bound if is_integer else info.objective_function_value
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return Solved(None, bound if np.isfinite(bound) else -np.inf)
    value = np.array(highs.getSolution().col_value)
    posts = np.round(value[layout.posts_at :]).astype(np.int64)
    share = np.clip(value[: layout.n_pairs], 0.0, 1.0)
    share = np.round(share) if problem.is_whole else np.where(share < 1e-9, 0.0, share)
    return Solved(Served(posts, share), float(bound))
