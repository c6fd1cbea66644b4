"""How good a risk is: discrimination, calibration, benefit, and for whom."""

from chw_tools.model_evaluation.card import About, write_card
from chw_tools.model_evaluation.evaluation import Evaluation, evaluate
from chw_tools.model_evaluation.metrics import METRICS, compute_metrics
from chw_tools.model_evaluation.report import write_report
from chw_tools.model_evaluation.verdict import CalibrationVerdict, compute_calibration_verdict

__all__ = [
    "METRICS",
    "About",
    "CalibrationVerdict",
    "Evaluation",
    "compute_calibration_verdict",
    "compute_metrics",
    "evaluate",
    "write_card",
    "write_report",
]
