"""Experiments on how people are reached: declared before they begin, arms by a keyed hash.

A person's arm is the first 32 bits of HMAC-SHA256(salt, person): the same on every machine,
known to nobody without the salt, and not to be chosen. Only *reminders* may differ between
arms, or be held out: calls, visits and everything that a guideline asks for go on alike in
all of them, and whoever is urgent takes part in none.
"""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chw_tools.errors import InputError
from chw_tools.outreach.messages import HOLDOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

#: What an arm may withhold. Whatever is due by a guideline is not among it.
WITHHOLDABLE = ("reminders",)
#: With a smaller share nobody could tell whether reminders help at all. Project decision.
LEAST_HOLDOUT = 0.05
#: Urgencies that no experiment touches.
NEVER_IN_ARMS = ("emergency", "same_day")
DESIGNS = ("fixed", "sequential")
#: Outcome that is read from the visits: somebody of ours or of a facility saw the person.
SEEN = "visit_seen"
_LONGEST_WINDOW = 366
_SHARE_SLACK = 1e-9


@dataclass(frozen=True)
class Arm:
    """One way of reaching people.

    Parameters
    ----------
    name : str
        Name; ``holdout`` is that which gets no reminders.
    share : float
        Share of people, in (0, 1).
    templates : mapping of str to str
        Template to use instead of the protocol's, by step.
    withholds : tuple of str
        Of :data:`WITHHOLDABLE`; only the holdout withholds.
    """

    name: str
    share: float
    templates: Mapping[str, str] = field(default_factory=dict)
    withholds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """One comparison, as declared before it began.

    Parameters
    ----------
    name : str
        Key.
    question : str
        What it is to answer, in one sentence.
    protocol : str
        Protocol whose reminders differ.
    arms : tuple of Arm
        With their shares, which sum to one.
    outcome : str
        ``visit_seen``, or the name of an outcome of the register.
    window_days : int
        Days from exposure in which the outcome counts.
    n_planned : int
        People to be exposed before a fixed design is read; what a sequential one is tuned to.
    starts_on : date
        First day on which anybody is exposed.
    design : {"fixed", "sequential"}
        Read once at the end, or whenever one likes.
    alpha : float
        Chance of a false alarm that is accepted.
    """

    name: str
    question: str
    protocol: str
    arms: tuple[Arm, ...]
    outcome: str
    window_days: int
    n_planned: int
    starts_on: date
    design: str = "fixed"
    alpha: float = 0.05

    def declared(self) -> dict[str, Any]:
        """The declaration as plain values, for keeping."""
        return {**asdict(self), "starts_on": self.starts_on.isoformat()}

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Names of the arms, in their order."""
        return tuple(arm.name for arm in self.arms)

    def arm(self, name: str) -> Arm:
        """The arm of that name.

        Raises
        ------
        KeyError
            If there is none.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(f"experiment {self.name} has no arm {name}")


def arm_of(experiment: Experiment, person_id: str, salt: str) -> str:
    """The arm of a person: reproducible wherever the salt is known.

    >>> from datetime import date
    >>> arms = (Arm("reminded", 0.5), Arm("holdout", 0.5, withholds=("reminders",)))
    >>> trial = Experiment("t", "q", "p", arms, "visit_seen", 14, 100, date(2026, 1, 1))
    >>> arm_of(trial, "018bcfe5-6800-7cc0-8b4f-000000000001", "salt")
    'holdout'
    """
    return str(arms_of(experiment, [person_id], salt)[0])


def arms_of(experiment: Experiment, person_ids: Iterable[str], salt: str) -> NDArray[np.object_]:
    """The arm of each person, in their order."""
    key = salt.encode()
    drawn = np.array(
        [
            int.from_bytes(hmac.digest(key, person.encode(), sha256)[:4], "big")
            for person in person_ids
        ],
        dtype="float64",
    )
    edges = np.cumsum([arm.share for arm in experiment.arms])[:-1]
    names: NDArray[np.object_] = np.array(experiment.arm_names, dtype=object)
    return names[np.searchsorted(edges, drawn / 2.0**32, side="right")]


def may_take_part(urgency: pd.Series) -> pd.Series:
    """Who may be in an arm by the urgency of what is followed up: nobody who is urgent."""
    return ~urgency.isin(NEVER_IN_ARMS)


def read_experiment(raw: Mapping[str, Any], *, protocols: Mapping[str, Any]) -> Experiment:
    """An experiment from plain values, as a file or the store holds them.

    Parameters
    ----------
    raw : mapping
        As :meth:`Experiment.declared` gives it.
    protocols : mapping of str to OutreachProtocol
        Those of the programme.

    Raises
    ------
    InputError
        With every fault; among them an arm that would withhold due care.
    """
    faults = [f"no `{name}`" for name in _NEEDED if name not in raw]
    faults += [f"`{name}` is not known" for name in raw if name not in (*_NEEDED, *_OPTIONAL)]
    if not faults:
        try:
            experiment = _experiment(raw)
        except (KeyError, TypeError, ValueError) as error:
            faults = [f"a value cannot be read ({type(error).__name__})"]
        else:
            faults = [*_faults(experiment), *_care_faults(experiment, protocols)]
    if faults:
        raise InputError(
            "; ".join(faults), where="experiment", cure="Mend the declaration and declare it again."
        )
    return experiment


_NEEDED = ("name", "question", "protocol", "arms", "outcome", "window_days", "n_planned")
_OPTIONAL = ("starts_on", "design", "alpha")


def _experiment(raw: Mapping[str, Any]) -> Experiment:
    return Experiment(
        name=str(raw["name"]),
        question=str(raw["question"]),
        protocol=str(raw["protocol"]),
        arms=tuple(
            Arm(
                str(arm["name"]),
                float(arm["share"]),
                dict(arm.get("templates", {})),
                tuple(arm.get("withholds", ())),
            )
            for arm in raw["arms"]
        ),
        outcome=str(raw["outcome"]),
        window_days=int(raw["window_days"]),
        n_planned=int(raw["n_planned"]),
        starts_on=pd.Timestamp(raw["starts_on"]).date(),
        design=str(raw.get("design", "fixed")),
        alpha=float(raw.get("alpha", 0.05)),
    )


def _faults(experiment: Experiment) -> list[str]:
    shares = [arm.share for arm in experiment.arms]
    names = experiment.arm_names
    held = [arm.share for arm in experiment.arms if arm.name == HOLDOUT]
    checks = {
        "`question` is empty": bool(experiment.question.strip()),
        "two arms at least": len(names) > 1,
        "arms must have names of their own": len(set(names)) == len(names),
        "each share must lie between 0 and 1": all(0 < share < 1 for share in shares),
        "shares must sum to 1": abs(sum(shares) - 1) < _SHARE_SLACK,
        f"an arm `{HOLDOUT}` of {LEAST_HOLDOUT:.0%} at least": bool(held)
        and min(held) >= LEAST_HOLDOUT,
        f"`window_days` must be from 1 to {_LONGEST_WINDOW}": 1
        <= experiment.window_days
        <= _LONGEST_WINDOW,
        "`n_planned` must be positive": experiment.n_planned > 0,
        f"`design` is one of {', '.join(DESIGNS)}": experiment.design in DESIGNS,
        "`alpha` must lie above 0 and at most at 0.2": 0 < experiment.alpha <= 0.2,
    }
    return [what for what, holds in checks.items() if not holds]


def _care_faults(experiment: Experiment, protocols: Mapping[str, Any]) -> list[str]:
    """What would take from somebody what is due to them."""
    faults = []
    for arm in experiment.arms:
        faults += [
            f"arm `{arm.name}` would withhold `{what}`, which is due care"
            for what in arm.withholds
            if what not in WITHHOLDABLE
        ]
        if arm.withholds and arm.name != HOLDOUT:
            faults.append(f"arm `{arm.name}` withholds; only `{HOLDOUT}` may")
    protocol = protocols.get(experiment.protocol)
    if protocol is None:
        return [*faults, "no protocol of that name is in the programme"]
    if protocol.carries_care:
        faults.append("the messages of that protocol are due care; none of them may be withheld")
    steps = {step.name for step in protocol.steps}
    faults += [
        f"arm `{arm.name}` names a step that the protocol has not"
        for arm in experiment.arms
        if set(arm.templates) - steps
    ]
    return faults
