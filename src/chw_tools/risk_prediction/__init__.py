"""Features in, calibrated risks with exact reasons out."""

from chw_tools.risk_prediction.scoring import ScoringModel

__all__ = ["ScoringModel"]
