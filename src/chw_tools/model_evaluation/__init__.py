"""How good a risk is: discrimination, calibration, benefit, and for whom."""

from chw_tools.model_evaluation.backtest_report import say_backtest, write_backtest_report
from chw_tools.model_evaluation.calibration_shape import (
    compute_chance_of_error,
    compute_smooth_calibration,
)
from chw_tools.model_evaluation.capacity import compute_at_capacity
from chw_tools.model_evaluation.card import About, write_card
from chw_tools.model_evaluation.comparison import compare_models
from chw_tools.model_evaluation.drift import Drift, compute_drift, summarise_inputs
from chw_tools.model_evaluation.evaluation import Evaluation, evaluate
from chw_tools.model_evaluation.metrics import METRICS, compute_metrics
from chw_tools.model_evaluation.net_benefit import (
    compute_net_benefit,
    compute_survival_net_benefit,
)
from chw_tools.model_evaluation.report import write_report
from chw_tools.model_evaluation.resampling import Resampling
from chw_tools.model_evaluation.risk_control import RecallThreshold, choose_threshold_for_recall
from chw_tools.model_evaluation.stability import (
    compute_overlap,
    compute_refit_stability,
    compute_stability,
)
from chw_tools.model_evaluation.subgroups import compute_subgroups
from chw_tools.model_evaluation.verdict import CalibrationVerdict, compute_calibration_verdict

__all__ = [
    "METRICS",
    "About",
    "CalibrationVerdict",
    "Drift",
    "Evaluation",
    "RecallThreshold",
    "Resampling",
    "choose_threshold_for_recall",
    "compare_models",
    "compute_at_capacity",
    "compute_calibration_verdict",
    "compute_chance_of_error",
    "compute_drift",
    "compute_metrics",
    "compute_net_benefit",
    "compute_overlap",
    "compute_refit_stability",
    "compute_smooth_calibration",
    "compute_stability",
    "compute_subgroups",
    "compute_survival_net_benefit",
    "evaluate",
    "say_backtest",
    "summarise_inputs",
    "write_backtest_report",
    "write_card",
    "write_report",
]
