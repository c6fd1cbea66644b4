"""Three years as they truly went: risks, admissions, deaths and contacts, window by window.

What a window leaves behind (an admission, a visit) goes into the next one's risks and
contacts; nothing looks ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from chw_tools.testing import contacts
from chw_tools.testing.chance import stream
from chw_tools.testing.life import Life
from chw_tools.testing.true_risk import befall, compute_true_risks

if TYPE_CHECKING:
    import numpy as np

    from chw_tools.testing.assumptions import Assumptions


@dataclass(frozen=True)
class Course:
    """What happened: true risks, events and contacts, all by position and day."""

    risks: pd.DataFrame
    events: pd.DataFrame
    visits: pd.DataFrame
    died: np.ndarray
    moved: np.ndarray


def run_course(
    folk: pd.DataFrame,
    pregnancies: pd.DataFrame,
    households: pd.DataFrame,
    *,
    first_day: np.datetime64,
    part: int,
    seed: int,
    assumed: Assumptions,
) -> Course:
    """Live through all windows, the first of which begins after ``first_day``."""
    rng = stream(seed, part, "course")
    length = int(assumed.number("programme.window_days"))
    windows = int(assumed.number("programme.windows"))
    life = Life.begin(folk, pregnancies, households, length * windows, first_day)
    maternity = contacts.draw_maternity(stream(seed, part, "maternity"), pregnancies, assumed)
    risks, events, visits = [], [], [contacts.draw_surveys(folk), maternity]
    for window in range(windows):
        start = window * length
        at_risk = life.at_risk(start, length)
        truth = compute_true_risks(life, at_risk, start, length, assumed)
        befell = befall(rng, truth, folk, start, length, assumed)
        life.suffer(befell, start + length)
        met = contacts.draw_contacts(rng, life, at_risk, befell, start, length, assumed)
        life.remember(befell, pd.concat([met, maternity]), start + length)
        truth = truth.merge(befell, on="person", how="left")
        risks.append(truth)
        events.append(befell)
        visits.append(met)
    visits.append(contacts.draw_discoveries(rng, life))
    return Course(
        pd.concat(risks, ignore_index=True),
        pd.concat(events, ignore_index=True),
        contacts.while_here(pd.concat(visits, ignore_index=True), life),
        life.died,
        life.moved,
    )
