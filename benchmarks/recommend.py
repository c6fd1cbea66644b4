"""Time advice for many people and for one: ``python benchmarks/recommend.py --people 100000``.

CPU time of this process on one core. The register is simulated; its people are multiplied, so
that everybody has a full history. The core is what ``chw recommend`` does after loading: the
features, the published risk, the vaccines and every rule; the same functions for one person.

With ``--home FOLDER`` the command itself is timed, from the store to its last line:

    chw simulate district --people 100000
    CHW_HOME=home chw ingest district
    python benchmarks/recommend.py --home home

Measured on one core of a machine with nothing else to do, 102,010 living people of a simulated
district: 12.6 s of CPU for the command, of which reading the store takes 5.2, features 2.9,
vaccines 1.7, the published risk 0.9 and all rules 0.4. One person of a hundred: a median of 4.5 to
4.8 ms in three runs (5.3 before the values of one person were taken out of the table at once).
"""

import argparse
import cProfile
import os
import pstats
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from chw_tools.data_processing import as_known_on
from chw_tools.feature_engineering import Features, features_as_known
from chw_tools.programme import load_programme
from chw_tools.recommendations import all_recommendations, first_few, vaccines_due
from chw_tools.risk_prediction import estimate_risk, who_cvd_score
from chw_tools.testing import simulate_programme

PROGRAMME = load_programme()
SCORE = who_cvd_score(PROGRAMME.who_region)


def timed(name: str, act: Callable[[], Any], repeats: int = 1) -> Any:
    """Run, print CPU seconds (the least of the repeats), give what came out."""
    best = np.inf
    for _ in range(repeats):
        begin = time.process_time()
        result = act()
        best = min(best, time.process_time() - begin)
    print(f"{name:<44}{best * 1000:>12,.1f} ms")
    return result


def advice_of(features: Features, vaccines: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Risk, rules and the first few: what stands on the list."""
    risks = estimate_risk(SCORE, features, bands=PROGRAMME.bands_for(SCORE.outcome))
    everything = all_recommendations(
        features, risks, programme=PROGRAMME, as_of=as_of, vaccines=vaccines
    )
    return first_few(everything, int(PROGRAMME.planning.max_recommendations))


def time_command(home: str) -> None:
    """``chw recommend`` on a store, stage by stage; its own output goes to nothing."""
    from chw_tools.cli.main import main as chw
    from chw_tools.workflows import assess

    stages = ("load_part", "as_known_on", "features_as_known", "estimate_risk", "vaccines_due")
    for name in (*stages, "all_recommendations", "first_few"):
        _timed_stage(assess, name)
    environ = {**os.environ, "CHW_HOME": home}
    timed("chw recommend", lambda: chw(["recommend", "--limit", "1"], environ))


def _timed_stage(module: Any, name: str) -> None:
    stage = getattr(module, name)
    setattr(module, name, lambda *a, **k: timed(name, lambda: stage(*a, **k)))


def multiplied(frame: pd.DataFrame, people: int) -> pd.DataFrame:
    """The table repeated until it holds so many people, each with a key of its own."""
    times = -(-people // len(frame))
    big = pd.concat([frame] * times).iloc[:people]
    big.index = pd.Index([f"{n:08d}" for n in range(people)], name="person_id", dtype="str")
    return big


def main() -> None:
    """Simulate, multiply, time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--simulated", type=int, default=2_000)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--home", help="a folder of a store: time the command on it")
    asked = parser.parse_args()
    if asked.home:
        time_command(asked.home)
        return
    register = simulate_programme(people=asked.simulated, seed=1).register
    as_of = pd.Timestamp("2025-06-30").as_unit("s")
    known = as_known_on(register, as_of)
    rows = len(known.observations) / max(1, len(known.people))
    print(f"{len(known.people):,} simulated people, {rows:.0f} observations each")
    built = timed(
        f"features of {len(known.people):,}", lambda: features_as_known(known, as_of=as_of)
    )
    vaccines = timed(
        f"vaccines of {len(known.people):,}",
        lambda: vaccines_due(
            known.people,
            known.immunisations,
            schedule=PROGRAMME.vaccination,
            as_of=as_of,
            ahead_days=7,
        ),
    )
    many = Features(multiplied(built.frame, asked.people), built.declaration, as_of)
    none = vaccines.iloc[:0]
    profile = cProfile.Profile()
    if asked.profile:
        profile.enable()
    table = timed(f"advice of {asked.people:,}", lambda: advice_of(many, none, as_of))
    if asked.profile:
        profile.disable()
        pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats(25)
    print(f"{len(table):,} pieces of advice")
    spent = []
    for person in built.frame.index[:100]:
        one = built.of_people([person])
        begin = time.process_time()
        for _ in range(5):
            advice_of(one, none, as_of)
        spent.append((time.process_time() - begin) * 200)
    print(f"advice of one, of 100 people: median {np.median(spent):.1f}, most {max(spent):.1f} ms")


if __name__ == "__main__":
    main()
