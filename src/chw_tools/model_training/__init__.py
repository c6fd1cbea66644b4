"""Features and outcomes in, a fitted and calibrated model out."""

from chw_tools.model_training.train import FittedModel, train

__all__ = ["FittedModel", "train"]
