"""A fitted model as files, and files as a model that scores; never a pickle.

The additive model is plain JSON. Others are kept by skops, whose reader builds only the
types on :data:`TRUSTED_TYPES`; the list is ours and is never taken from a model's file.
"""

from __future__ import annotations

import json
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import ModelRefused
from chw_tools.model_registry.structure import check_trees
from chw_tools.model_training import export_model, is_portable
from chw_tools.risk_prediction import read_portable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from chw_tools.model_training import FittedModel
    from chw_tools.risk_prediction import ScoringModel

ADDITIVE_FILE, PIPELINE_FILE, SCORING_FILE = "model.json", "model.skops", "scoring.json"
#: Types outside skops's own list that our recipes need; all hold arrays and numbers only.
TRUSTED_TYPES: tuple[str, ...] = (
    "collections.OrderedDict",
    "interpret.glassbox._ebm._ebm.ExplainableBoostingClassifier",
    "lightgbm.basic.Booster",  # keeps its trees as text
    "lightgbm.sklearn.LGBMClassifier",
    "numpy.dtype",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
#: Saved and fitted model may differ by no more than the order of adding up.
_PARITY = 1e-9
_LIBRARIES = ("chw-tools", "numpy", "pandas", "scikit-learn", "interpret-core", "skops")


def write_model(model: FittedModel, *, version: str) -> dict[str, bytes]:
    """The model's own files by name."""
    if is_portable(model):
        return {ADDITIVE_FILE: export_model(model, version=version).encode()}
    from skops.io import dumps

    about = {
        "format": "chw-pipeline/1",
        "outcome": model.outcome,
        "name": model.name,
        "version": version,
        "population": model.population,
        "calibration": {
            "slope": model.calibration.slope,
            "intercept": model.calibration.intercept,
        },
        "features": [feature.as_dict() for feature in model.features],
        "limits": {name: list(pair) for name, pair in model.limits.items()},
        "needs": list(model.needs),
        "trained_on": dict(model.trained_on),
        "reasons": _reasons_of(model.estimator),
    }
    return {
        PIPELINE_FILE: dumps(model.estimator),
        SCORING_FILE: (json.dumps(about, indent=1, allow_nan=False) + "\n").encode(),
    }


def _reasons_of(estimator: Any) -> str:
    """By what the model's reasons are computed; decided once, so that they stay the same."""
    from chw_tools.risk_prediction.tree_reasons import TREE_SHAP, can_explain_trees, is_of_trees

    steps = getattr(estimator, "steps", None)
    return TREE_SHAP if steps and is_of_trees(steps[-1][1]) and can_explain_trees() else ""


def read_model(
    files: Mapping[str, bytes], *, libraries: Mapping[str, str], digest: str
) -> ScoringModel:
    """The model in the files, whose digests were checked.

    Raises
    ------
    ModelRefused
        If there is none, it holds types outside :data:`TRUSTED_TYPES`, or it was made with
        another minor version of scikit-learn.
    """
    if ADDITIVE_FILE in files:
        return read_portable(files[ADDITIVE_FILE].decode("utf-8"))
    if PIPELINE_FILE not in files or SCORING_FILE not in files:
        raise ModelRefused("there is no model among the files", cure="Train again.")
    _check_library("scikit-learn", libraries)
    from chw_tools.risk_prediction.pipeline_model import PipelineModel

    estimator = load_estimator(files[PIPELINE_FILE])
    check_trees(estimator)
    return PipelineModel.of(estimator, json.loads(files[SCORING_FILE]), digest=digest)


def load_estimator(content: bytes) -> Any:
    """The estimator that skops wrote, if it holds trusted types only.

    Raises
    ------
    ModelRefused
        If not, or if it is not a skops file.
    """
    from zipfile import BadZipFile

    from skops.io import get_untrusted_types, loads

    try:
        unknown = set(get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
        if unknown:
            raise ModelRefused(
                f"it holds types that are not trusted ({', '.join(sorted(unknown))})",
                where=PIPELINE_FILE,
                cure="Train it here, with a shipped recipe.",
            )
        return loads(content, trusted=list(TRUSTED_TYPES))
    except (BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ModelRefused(
            "the file is no skops model", where=PIPELINE_FILE, cure="Train again."
        ) from error


def check_parity(model: FittedModel, saved: ScoringModel, probe: pd.DataFrame) -> None:
    """Refuse a saved form that does not score as the fitted model does.

    Raises
    ------
    ModelRefused
        If any risk of the probe differs by more than 1e-9.
    """
    apart = np.abs(model.predict(probe) - saved.predict(probe))
    if len(apart) and not float(apart.max()) <= _PARITY:
        raise ModelRefused(
            "what was saved does not score as what was fitted",
            where=f"{model.outcome}, {model.recipe}",
            cure="Report this; it is a fault of the software.",
        )


def library_versions() -> dict[str, str]:
    """Versions of what a model's numbers depend on."""
    return {name: installed(name) for name in _LIBRARIES}


def _check_library(name: str, libraries: Mapping[str, str]) -> None:
    made, here = libraries.get(name, ""), installed(name)
    if made.split(".")[:2] != here.split(".")[:2]:
        raise ModelRefused(
            f"made with {name} {made or 'of unknown version'}, and {here} is installed",
            cure="Install that version, or train again.",
        )
