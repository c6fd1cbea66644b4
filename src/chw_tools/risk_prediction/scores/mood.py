"""PHQ-2, PHQ-9 and the Edinburgh scale (EPDS): questions about low mood.

They find who needs a talk with somebody trained; they are no diagnosis. The last question of
PHQ-9 and of the EPDS is about self-harm: any answer above 0 is urgent, whatever the sum.

Sources: Kroenke K et al. J Gen Intern Med 2001;16:606-613 (PHQ-9); Med Care 2003;41:1284-1292
(PHQ-2). Cox JL et al. Br J Psychiatry 1987;150:782-786 (EPDS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chw_tools.risk_prediction.scores.formula import Numbers

#: Questions of the EPDS whose first box, at the top, is the worst: 3, and 5 to 10.
EPDS_REVERSED = (3, 5, 6, 7, 8, 9, 10)
_BOXES = (0.0, 1.0, 2.0, 3.0)


def compute_phq2(answers: ArrayLike) -> Numbers:
    """Points of PHQ-2, 0 to 6, from two answers of 0 to 3 in the last axis.

    Missing where an answer is missing or none of 0, 1, 2, 3.

    >>> compute_phq2([[1, 2], [0, 4]]).tolist()
    [3.0, nan]
    """
    return _sum(answers, 2)


def compute_phq9(answers: ArrayLike) -> Numbers:
    """Points of PHQ-9, 0 to 27, from nine answers of 0 to 3 in the last axis.

    Missing where an answer is missing or none of 0, 1, 2, 3. See also
    :func:`has_thoughts_of_self_harm`.

    >>> float(compute_phq9([1, 1, 2, 2, 0, 1, 1, 0, 0]))
    8.0
    """
    return _sum(answers, 9)


def compute_epds(boxes: ArrayLike) -> Numbers:
    """Points of the EPDS, 0 to 30, from the boxes ticked, ten in the last axis.

    Parameters
    ----------
    boxes : array of float
        Place of the ticked box on the printed form, 0 for the first (top) to 3 for the last:
        questions 3 and 5 to 10, whose first box is the worst, are turned here.

    Returns
    -------
    ndarray
        Missing where a box is missing or none of 0, 1, 2, 3.

    Examples
    --------
    Somebody well: the first box of 1, 2 and 4, the last of the others.

    >>> float(compute_epds([0, 0, 3, 0, 3, 3, 3, 3, 3, 3]))
    0.0
    """
    turned = np.array([question in EPDS_REVERSED for question in range(1, 11)])
    given = np.asarray(boxes, dtype="float64")
    _check(given, 10)
    return _sum(np.where(turned, 3 - given, given), 10)


def has_thoughts_of_self_harm(points_of_last_question: ArrayLike) -> Numbers:
    """1 where the last question has points, whatever the sum; missing where not answered.

    For the EPDS give points, not boxes: the first box of question 10 has 3.
    """
    last = _usable(np.asarray(points_of_last_question, dtype="float64"))
    return np.where(np.isnan(last), np.nan, (last > 0).astype("float64"))


def _sum(answers: ArrayLike, n: int) -> Numbers:
    given = np.asarray(answers, dtype="float64")
    _check(given, n)
    total: Numbers = _usable(given).sum(axis=-1)
    return total


def _check(given: Numbers, n: int) -> None:
    if given.shape[-1:] != (n,):
        raise ValueError(f"{n} answers are needed in the last axis, not {given.shape[-1:]}")


def _usable(given: Numbers) -> Numbers:
    return np.where(np.isin(given, _BOXES), given, np.nan)
