"""Features and outcomes in, a fitted and calibrated model out."""

from chw_tools.model_training.backtest import Backtest, backtest, choose_origins
from chw_tools.model_training.cohorts import Cohorts, choose_index_days, make_cohorts
from chw_tools.model_training.export import export_model, is_portable
from chw_tools.model_training.guards import (
    check_known_at,
    check_no_answer,
    check_trainable,
)
from chw_tools.model_training.recipes import FULL_BOOSTING_GRID, RECIPES, Range, Recipe
from chw_tools.model_training.run import TrainingRun, run_training
from chw_tools.model_training.split import Split, split_cohorts
from chw_tools.model_training.tables import train_table
from chw_tools.model_training.train import FittedModel, train
from chw_tools.model_training.tuning import Search

__all__ = [
    "FULL_BOOSTING_GRID",
    "RECIPES",
    "Backtest",
    "Cohorts",
    "FittedModel",
    "Range",
    "Recipe",
    "Search",
    "Split",
    "TrainingRun",
    "backtest",
    "check_known_at",
    "check_no_answer",
    "check_trainable",
    "choose_index_days",
    "choose_origins",
    "export_model",
    "is_portable",
    "make_cohorts",
    "run_training",
    "split_cohorts",
    "train",
    "train_table",
]
