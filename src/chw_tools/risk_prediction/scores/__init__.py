"""Published scores as pure functions of arrays, each with its declaration in ``SCORES``.

>>> from chw_tools.risk_prediction.scores import compute_findrisc
>>> float(compute_findrisc(age_years=40, is_male=1, bmi=24, waist_cm=90, is_active=1,
...                        eats_vegetables_daily=1, takes_antihypertensive=0,
...                        had_high_glucose=0, relatives=0))
0.0
"""

from chw_tools.risk_prediction.scores.cox import (
    compute_framingham_bmi,
    compute_framingham_lipids,
    compute_pooled_cohort,
)
from chw_tools.risk_prediction.scores.diabetes import compute_ada_risk_test, compute_findrisc
from chw_tools.risk_prediction.scores.kidney import compute_egfr
from chw_tools.risk_prediction.scores.models import (
    SCORES,
    declared_score,
    estimate_score,
    score_model,
)
from chw_tools.risk_prediction.scores.mood import (
    compute_epds,
    compute_phq2,
    compute_phq9,
    has_thoughts_of_self_harm,
)
from chw_tools.risk_prediction.scores.news2 import compute_news2
from chw_tools.risk_prediction.scores.prevent import compute_prevent
from chw_tools.risk_prediction.scores.score2 import compute_score2
from chw_tools.risk_prediction.scores.tuberculosis import compute_tb_screen
from chw_tools.risk_prediction.scores.who_laboratory import compute_who_cvd_laboratory

__all__ = [
    "SCORES",
    "compute_ada_risk_test",
    "compute_egfr",
    "compute_epds",
    "compute_findrisc",
    "compute_framingham_bmi",
    "compute_framingham_lipids",
    "compute_news2",
    "compute_phq2",
    "compute_phq9",
    "compute_pooled_cohort",
    "compute_prevent",
    "compute_score2",
    "compute_tb_screen",
    "compute_who_cvd_laboratory",
    "declared_score",
    "estimate_score",
    "has_thoughts_of_self_harm",
    "score_model",
]
