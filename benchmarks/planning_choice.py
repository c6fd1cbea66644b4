"""Whom to visit this week: index, belief and choice against oracles, bounds and public figures.

Run: ``python benchmarks/planning_choice.py`` (``quick`` for a tenth of the simulations).
Simulated people prove the arithmetic, not that a visit helps anybody.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chw_tools.resource_allocation.choice import (
    belief_after,
    belief_index,
    estimate_transitions,
    finite_index,
    index_benefit,
    myopic_gain,
    two_state_index,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = Path(__file__).resolve().parents[2] / "shared" / "allocation"
DISCOUNT = 0.95
ROWS: list[tuple[str, str, str, str, str]] = []


def say(test: str, ours: str, anchor: str, seconds: float, ok: bool) -> None:
    """One line of the table."""
    ROWS.append((test, ours, anchor, f"{seconds:.2f}", "met" if ok else "NOT MET"))
    print("  ".join(ROWS[-1]), flush=True)


# ---- indices against oracles -------------------------------------------------------------


def two_state(n: int = 1_000_000) -> None:
    """A million people, and a sample of them against bisection on the subsidy."""
    p = np.random.default_rng(0).random((n, 2, 2))
    two_state_index(p[:1000], discount=DISCOUNT)
    began = time.process_time()
    index = two_state_index(p, discount=DISCOUNT)
    seconds = time.process_time() - began
    sample = p[:2000]
    chain = np.stack([1.0 - sample, sample], axis=-1)
    oracle = finite_index(chain, np.tile([0.0, 1.0], (len(sample), 1)), discount=DISCOUNT)
    error = float(np.abs(oracle - index[: len(sample)]).max())
    met = seconds <= 0.2 and error <= 1e-9
    say("two-state index, 1M people", f"error {error:.0e}", "<= 1e-9 in 0.2 s", seconds, met)
    _against_package(sample[:200], index[:200])


def _against_package(p: np.ndarray, index: np.ndarray) -> None:
    try:
        from markovianbandit import restless_bandit_from_P0P1_R0R1
    except ImportError:
        print("  (markovianbandit-pkg is not installed: not compared with it)")
        return
    began = time.process_time()
    theirs = []
    for one in p:
        passive, active = (np.column_stack([1.0 - one[:, a], one[:, a]]) for a in (0, 1))
        reward = np.array([0.0, 1.0])
        bandit = restless_bandit_from_P0P1_R0R1(passive, active, reward, reward)
        theirs.append(bandit.whittle_indices(discount=DISCOUNT))
    error = float(np.nanmax(np.abs(np.array(theirs) - index)))
    seconds = time.process_time() - began
    say("  the same, against markovianbandit-pkg", f"{error:.0e}", "1e-13", seconds, error < 1e-9)


def belief(n: int = 1_000_000, sample: int = 600) -> None:
    """A million people unseen for 1 to 26 weeks, and a sample against value iteration."""
    rng = np.random.default_rng(1)
    p = rng.random((n, 2, 2))
    state, weeks = rng.integers(0, 2, n), rng.integers(1, 27, n)
    began = time.process_time()
    index = belief_index(p, belief_after(p, state, weeks), discount=DISCOUNT)
    seconds = time.process_time() - began
    oracle = belief_oracle(p[:sample], state[:sample], weeks[:sample], DISCOUNT)
    rank = pd.Series(index[:sample]).corr(pd.Series(oracle), method="spearman")
    off = float((np.abs(oracle - index[:sample]) > 1e-4).mean())
    ours = f"rank correlation {rank:.5f}, {off:.1%} off by > 1e-4"
    say("belief index, 1M people x 26 weeks", ours, ">= .99 in 2 s", seconds, rank >= 0.99)


def belief_oracle(p: np.ndarray, state: np.ndarray, weeks: np.ndarray, b: float) -> np.ndarray:
    """Halving on the subsidy with value iteration over (state seen, weeks since); no thresholds."""
    n, longest = len(p), 60
    believed = np.empty((n, 2, longest))
    believed[:, :, 0] = p[:, :, 1]
    for week in range(1, longest):
        before = believed[:, :, week - 1]
        believed[:, :, week] = before * p[:, 1:2, 0] + (1 - before) * p[:, 0:1, 0]
    low, high, value = np.full(n, -40.0), np.full(n, 40.0), np.zeros((n, 2, longest))
    for _ in range(30):
        subsidy = (low + high) / 2
        for _ in range(3000):
            after = value[:, 1:, :1] * believed + value[:, :1, :1] * (1 - believed)
            seen = believed + b * after
            later = np.concatenate([value[:, :, 1:], value[:, :, -1:]], axis=2)
            unseen = believed + subsidy[:, None, None] + b * later
            new = np.maximum(seen, unseen)
            change, value = np.abs(new - value).max(), new
            if change < 1e-8:
                break
        gain = (seen - unseen)[np.arange(n), state, weeks - 1]
        low, high = np.where(gain > 0, subsidy, low), np.where(gain > 0, high, subsidy)
    return (low + high) / 2


# ---- weekly choice by simulation against the Lagrangian bound ----------------------------


def draw_people(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Strata with their own chances, people around them: ``p``, stratum, weight."""
    strata = 12
    fall = rng.uniform(0.05, 0.4, strata)  # good to bad, not visited
    rise = rng.uniform(0.02, 0.25, strata)  # bad to good, not visited
    helps_bad, helps_good = rng.beta(1.2, 3, strata) * 0.7, rng.beta(1.2, 3, strata) * 0.7
    stratum = rng.integers(0, strata, n)

    def own(middle: np.ndarray) -> np.ndarray:
        return np.clip(middle[stratum] * rng.lognormal(0, 0.25, n), 0.001, 0.95)

    p = np.empty((n, 2, 2))
    p[:, 0, 0], p[:, 1, 0] = own(rise), 1.0 - own(fall)
    p[:, 0, 1] = p[:, 0, 0] + (1 - p[:, 0, 0]) * own(helps_bad)
    p[:, 1, 1] = p[:, 1, 0] + (1 - p[:, 1, 0]) * own(helps_good)
    return p, stratum, rng.lognormal(0.0, 0.5, n)


def simulate(p: np.ndarray, weight: np.ndarray, score: np.ndarray, k: int, seed: int) -> float:
    """Discounted weight in the good state when the ``k`` highest scores are visited each week."""
    rng = np.random.default_rng(seed)
    n = len(p)
    state = (rng.random(n) < 0.5).astype(int)
    total, factor = 0.0, 1.0
    for _ in range(120):
        total += factor * float(weight[state == 1].sum())
        visited = np.zeros(n, dtype=int)
        if k:
            visited[np.argpartition(-score[np.arange(n), state], k)[:k]] = 1
        state = (rng.random(n) < p[np.arange(n), state, visited]).astype(int)
        factor *= DISCOUNT
    return total


def bound_of(p: np.ndarray, weight: np.ndarray, k: int, seeds: range) -> float:
    """No policy exceeds it: the budget holds only on average over time (Lagrange).

    For each start on its own, then the mean: the same starts that :func:`simulate` has.
    """
    starts = [(np.random.default_rng(seed).random(len(p)) < 0.5).astype(int) for seed in seeds]
    best = np.full(len(starts), np.inf)
    for price in np.concatenate([[0.0], np.geomspace(1e-3, 20, 160)]):
        value = np.zeros((len(p), 2))
        for _ in range(400):
            q = weight[:, None] * np.array([0.0, 1.0])
            ahead = p * value[:, 1, None, None] + (1 - p) * value[:, 0, None, None]
            new = np.maximum(q + DISCOUNT * ahead[:, :, 0], q - price + DISCOUNT * ahead[:, :, 1])
            done = np.abs(new - value).max() < 1e-6
            value = new
            if done:
                break
        paid = price * k / (1 - DISCOUNT)
        found = [value[np.arange(len(p)), state].sum() + paid for state in starts]
        best = np.minimum(best, found)
    return float(best.mean())


def history_of(p: np.ndarray, stratum: np.ndarray, k: int, weeks: int, seed: int) -> pd.DataFrame:
    """Steps of a programme that visited the worst-off first, with some by chance."""
    rng = np.random.default_rng(seed)
    n, parts = len(p), []
    state = (rng.random(n) < 0.5).astype(int)
    for _ in range(weeks):
        order = rng.random(n) - 0.5 * (state == 0)
        visited = np.zeros(n, dtype=int)
        visited[np.argpartition(order, k)[:k]] = 1
        after = (rng.random(n) < p[np.arange(n), state, visited]).astype(int)
        columns = {"stratum": stratum, "state": state, "is_visited": visited, "next_state": after}
        parts.append(pd.DataFrame(columns))
        state = after
    return pd.concat(parts, ignore_index=True)


def policies_of(trial: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """A programme: chances, weights, and each policy's score of a person in either state."""
    p, stratum, weight = draw_people(n, np.random.default_rng(100 + trial))
    steps = history_of(p, stratum, k, 26, 500 + trial)
    estimated = estimate_transitions(steps.assign(stratum=steps["stratum"].astype(str)))
    name = pd.Series(stratum.astype(str))
    each = pd.Series(weight)
    ours = [
        index_benefit(name, pd.Series(state, name.index), transitions=estimated, weight=each)
        for state in (False, True)
    ]
    own = weight[:, None]
    return (
        p,
        weight,
        {
            "no visits": own * np.zeros(2),
            "greedy by risk": own * (1 - p[:, :, 0]),
            "index, P known": own * two_state_index(p, discount=DISCOUNT),
            "next step's benefit, P estimated": own
            * myopic_gain(estimated.of(name), discount=DISCOUNT),
            "ours, P estimated": np.column_stack(ours),
        },
    )


def gains_of(trials: range, n: int, budget: float, repeats: int, *, bounded: bool) -> pd.DataFrame:
    """By programme and policy: the gain over no visits, as a share of the bound's or best's."""
    k, rows = int(n * budget), []
    for trial in trials:
        p, weight, policies = policies_of(trial, n, k)
        values = {
            name: np.mean(
                [
                    simulate(p, weight, score, 0 if name == "no visits" else k, 900 + r)
                    for r in range(repeats)
                ]
            )
            for name, score in policies.items()
        }
        most = (
            bound_of(p, weight, k, range(900, 900 + repeats))
            if bounded
            else values["index, P known"]
        )
        none = values.pop("no visits")
        rows.append({name: (value - none) / (most - none) for name, value in values.items()})
    return pd.DataFrame(rows)


def weekly_choice(trials: int, fresh: int, n: int = 2000, budget: float = 0.03) -> None:
    """Share of the bound's gain over no visits, by policy; then on programmes never looked at."""
    began = time.process_time()
    shares = gains_of(range(trials), n, budget, 8, bounded=True)
    seconds = time.process_time() - began
    known, risk = shares["index, P known"].mean(), shares["greedy by risk"].mean()
    say(
        f"weekly choice, P known, 3 %, {trials}",
        f"{known:.1%} of bound",
        ">= 93 %",
        seconds,
        known >= 0.93,
    )
    say("  greedy by risk", f"{risk:.1%}", "34-57 %", 0, True)
    _say_estimated(f"  ours, P estimated, {trials} programmes", shares, 0)
    began = time.process_time()
    others = gains_of(range(5000, 5000 + fresh), n, budget, 8, bounded=False)
    seconds = time.process_time() - began
    _say_estimated(f"  the same, {fresh} others, share of P known", others, seconds)


def _say_estimated(test: str, shares: pd.DataFrame, seconds: float) -> None:
    ours, myopic = shares["ours, P estimated"], shares["next step's benefit, P estimated"]
    worst, above = (ours - myopic).min(), ours.mean() - shares["greedy by risk"].mean()
    text = f"{ours.mean():.1%}, worst {worst:+.1%} beside myopic {myopic.mean():.1%}"
    text += f", {above:+.1%} beside risk"
    met = worst >= -0.01 and above >= 0.10
    say(test, text, ">= myopic - 1, risk + 10", seconds, met)


# ---- the public maternal simulator -------------------------------------------------------


def maternal(name: str, n: int = 200, budget: float = 0.10) -> tuple[np.ndarray, ...]:
    """Groups, chances and rewards: states self-motivated, persuadable, lost."""
    given = pd.read_csv(SHARED / "equitable_rmab" / f"{name}.csv")
    group = np.repeat(given["Group"].to_numpy(), (given["frac"] * n).round().astype(int))
    row = given.iloc[group]
    chance = np.zeros((len(row), 3, 2, 3))
    stays = {0: ("p000", "p010"), 2: ("p202", "p212")}
    for state, names in stays.items():
        for action, column in enumerate(names):
            chance[:, state, action, state] = row[column]
            chance[:, state, action, 1] = 1 - row[column]
    chance[:, 1, 0, 2], chance[:, 1, 0, 1] = row["p102"], 1 - row["p102"]
    chance[:, 1, 1, 0], chance[:, 1, 1, 1] = row["p110"], 1 - row["p110"]
    return group, chance, row[["r0", "r1", "r2"]].to_numpy(dtype=float)


def run_maternal(
    group: np.ndarray,
    chance: np.ndarray,
    reward: np.ndarray,
    pick: Callable[[np.ndarray, np.random.Generator], np.ndarray],
    trials: int,
    first: int = 0,
) -> tuple[float, float]:
    """Mean reward per arm and step over 20 steps from ``first`` on: all, and worst group."""
    n, found = len(group), []
    cumulative = chance.cumsum(axis=-1)
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        state = rng.integers(0, 3, n)
        earned = np.zeros(n)
        for step in range(first + 20):
            visited = np.zeros(n, dtype=int)
            visited[pick(state, rng)] = 1
            line = cumulative[np.arange(n), state, visited]
            state = (rng.random(n)[:, None] > line).sum(axis=1).clip(max=2)
            earned += (step >= first) * reward[np.arange(n), state] / 20
        found.append([earned.mean(), *(earned[group == g].mean() for g in np.unique(group))])
    mean = np.mean(found, axis=0)
    return float(mean[0]), float(mean[1:].min())


def nobody(state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Nobody is visited."""
    return np.zeros(0, int)


def floors_pick(
    index: np.ndarray, group: np.ndarray, floor: dict[int, int], k: int
) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """The highest indices after each group's floor of visits a step."""
    rows = np.arange(len(group))

    def pick(state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        score = index[rows, state] + rng.random(len(rows)) * 1e-9
        taken: list[int] = []
        for g, wanted in floor.items():
            those = np.flatnonzero(group == g)
            taken.extend(those[np.argsort(-score[those])[:wanted]].tolist())
        score[taken] = np.inf
        return np.argsort(-score)[:k]

    return pick


def equity(trials: int) -> None:
    """Published figures first, all and worst group, then ours with floors beside them.

    From an even start people sink while nobody is visited, so it matters which 20 steps are
    counted. Counted from the first state reached, doing nothing lies .012 above the published;
    counted from the second it agrees, its worst group to the third place, within what the five
    trials of the publication leave to chance. Both are shown; each is judged against .02.
    """
    published = {"maternal_A": ((0.190, 0.183), (0.347, 0.197))}
    for name in ("maternal_A", "maternal_C"):
        group, chance, reward = maternal(name)
        k = 20
        began = time.process_time()
        index = finite_index(chance, reward, discount=DISCOUNT)
        for first, said in ((0, ""), (1, ", from the second state on")):
            for at, (label, floored) in enumerate((("do nothing", None), ("index", {}))):
                pick = nobody if floored is None else floors_pick(index, group, floored, k)
                got = run_maternal(group, chance, reward, pick, trials, first)
                want = published[name][at] if name in published else None
                near = want is None or max(np.abs(np.subtract(got, want))) <= 0.02
                text = f"{got[0]:.3f} / worst group {got[1]:.3f}"
                told = "-" if want is None else f"{want[0]:.3f} / {want[1]:.3f}"
                seconds = time.process_time() - began
                say(f"{name}: {label}{said}", text, told, seconds, near)
        nothing, plain = (
            run_maternal(group, chance, reward, pick, trials)
            for pick in (nobody, floors_pick(index, group, {}, k))
        )
        best = _best_floors(group, chance, reward, index, k, nothing[1], trials)
        loss = 1 - best[0] / plain[0]
        lift = best[1] / nothing[1]
        say(
            f"{name}: index with floors {best[2]}",
            f"{best[0]:.3f} / worst group {best[1]:.3f}: lift {lift:.2f}, loss {loss:.1%}",
            ">= 1.3x at <= 14 %",
            time.process_time() - began,
            lift >= 1.3 and loss <= 0.14,
        )


def _best_floors(
    group: np.ndarray,
    chance: np.ndarray,
    reward: np.ndarray,
    index: np.ndarray,
    k: int,
    nothing: float,
    trials: int,
) -> tuple[float, float, dict[int, int]]:
    """Of floors that raise the worst group by 1.3 (with a little to spare), the cheapest."""
    found = []
    for second in range(0, k + 1, 2):
        for third in range(0, k + 1 - second, 2):
            floor = {1: second, 2: third}
            got = run_maternal(
                group, chance, reward, floors_pick(index, group, floor, k), max(trials // 4, 5)
            )
            found.append((*got, floor))
    enough = [f for f in found if f[1] >= 1.32 * nothing] or [max(found, key=lambda f: f[1])]
    best = max(enough, key=lambda f: f[0])
    pick = floors_pick(index, group, best[2], k)
    # Judged on more and other draws than the search saw.
    return (*run_maternal(group, chance, reward, pick, trials), best[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("quick", nargs="?", choices=["quick"])
    quick = parser.parse_args().quick is not None
    print("test  ours  goal or published  CPU seconds")
    two_state()
    belief(sample=100 if quick else 600)
    weekly_choice(*((2, 2) if quick else (20, 100)))
    if SHARED.is_dir():
        equity(trials=20 if quick else 200)
    else:
        print("The public simulator's data are not beside the project: not compared.")


if __name__ == "__main__":
    main()
