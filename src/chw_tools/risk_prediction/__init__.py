"""Features in, calibrated risks with exact reasons out."""

from chw_tools.risk_prediction.model_shape import Bands, ScoringModel
from chw_tools.risk_prediction.pipeline_model import PipelineModel
from chw_tools.risk_prediction.portable import PortableModel, read_portable
from chw_tools.risk_prediction.published import PublishedScore
from chw_tools.risk_prediction.reasons import reason_text
from chw_tools.risk_prediction.scoring import estimate_risk
from chw_tools.risk_prediction.signing import check_signature, public_key_of, sign_model
from chw_tools.risk_prediction.who_cvd import compute_who_cvd, who_cvd_regions, who_cvd_score

__all__ = [
    "Bands",
    "PipelineModel",
    "PortableModel",
    "PublishedScore",
    "ScoringModel",
    "check_signature",
    "compute_who_cvd",
    "estimate_risk",
    "public_key_of",
    "read_portable",
    "reason_text",
    "sign_model",
    "who_cvd_regions",
    "who_cvd_score",
]
