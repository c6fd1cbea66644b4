"""Features in, calibrated risks with exact reasons out."""

from chw_tools.risk_prediction.additive import AdditiveModel, read_additive
from chw_tools.risk_prediction.pipeline_model import PipelineModel
from chw_tools.risk_prediction.published import PublishedScore
from chw_tools.risk_prediction.scoring import Bands, ScoringModel, estimate_risk
from chw_tools.risk_prediction.who_cvd import compute_who_cvd, who_cvd_regions, who_cvd_score

__all__ = [
    "AdditiveModel",
    "Bands",
    "PipelineModel",
    "PublishedScore",
    "ScoringModel",
    "compute_who_cvd",
    "estimate_risk",
    "read_additive",
    "who_cvd_regions",
    "who_cvd_score",
]
