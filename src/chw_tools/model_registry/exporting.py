"""A kept model in forms that other programs read; what goes out is measured against what scores.

A sum of one term a feature goes out as its JSON or as an ONNX graph in double precision. A
pipeline of scikit-learn goes out as skops or joblib. We never read any of them back.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import MissingExtra, ModelRefused
from chw_tools.model_registry.formats import ADDITIVE_FILE, PIPELINE_FILE
from chw_tools.model_registry.golden import GOLDEN_FILE, golden_rows
from chw_tools.risk_prediction import PortableModel
from chw_tools.risk_prediction.terms import Levels, Pieces, Steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from chw_tools.model_registry.registry import ModelRegistry

FORMATS = ("json", "onnx", "skops", "joblib")
_OPSET, _ML_OPSET = 18, 3
JOBLIB_WARNING = (
    "WARNING: whoever loads a joblib file runs whatever code is in it. Give it only to people who "
    "trust you, over a channel that nobody can change; chw-tools itself never loads one."
)


@dataclass(frozen=True)
class Exported:
    """A model in another form.

    Parameters
    ----------
    content : bytes
        The file.
    notes : tuple of str
        What whoever uses it must know.
    """

    content: bytes
    notes: tuple[str, ...]


def export_model(registry: ModelRegistry, outcome: str, version: str, *, form: str) -> Exported:
    """A kept model, verified as for scoring, in a form for others.

    Raises
    ------
    ModelNotFound, ModelRefused
        If there is no such model, it may not be loaded, or it has no such form.
    MissingExtra
        If ONNX is asked for and not installed.
    """
    model = registry.load_model(outcome, version)
    files = registry.read_files(registry.find(outcome, version))
    if form == "json" and ADDITIVE_FILE in files:
        return Exported(files[ADDITIVE_FILE], ("Its form is described in docs/model_format.md.",))
    if form == "onnx" and isinstance(model, PortableModel):
        return _onnx(model, files)
    if form == "skops" and PIPELINE_FILE in files:
        return Exported(files[PIPELINE_FILE], (_raw(model),))
    if form == "joblib" and PIPELINE_FILE in files:
        return Exported(_joblib(model), (_raw(model), JOBLIB_WARNING))
    offered = "json or onnx" if ADDITIVE_FILE in files else "skops or joblib"
    raise ModelRefused(
        f"this kind of model has no {form} form",
        where=f"{outcome}/{version}",
        cure=f"Choose {offered}.",
    )


def _raw(model: Any) -> str:
    return (
        "It gives probabilities before calibration: take their log-odds times "
        f"{model.slope!r} plus {model.calibration_intercept!r}."
    )


def _joblib(model: Any) -> bytes:
    import joblib

    held = io.BytesIO()
    joblib.dump(model.estimator, held)
    return held.getvalue()


def _onnx(model: PortableModel, files: Mapping[str, bytes]) -> Exported:
    if not all(map(find_spec, ("onnx", "onnxruntime"))):
        raise MissingExtra.of("ONNX", extra="onnx")
    content = write_onnx(model)
    rows = golden_rows(files[GOLDEN_FILE], model.features)
    apart = np.abs(run_onnx(content, model, rows) - model.predict(rows))
    return Exported(
        content,
        (
            f"{len(rows)} golden rows: largest distance from our own risk {apart.max():.1g}. It "
            "computes in double precision; numbers are NaN and answers empty where not known.",
            "Limits of validity, needs and plausible ranges are not in it; they are in the JSON.",
        ),
    )


def run_onnx(content: bytes, model: PortableModel, rows: pd.DataFrame) -> NDArray[np.float64]:
    """The risks by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given: dict[str, Any] = {}
    for term in model.terms:
        values = rows[term.feature].astype("object")
        if isinstance(term, Levels):
            given[term.feature] = values.where(values.notna(), "").to_numpy(dtype=object)
        else:
            given[term.feature] = values.where(values.notna(), np.nan).to_numpy(dtype="float64")
    risks: NDArray[np.float64] = session.run(["risk"], given)[0]
    return risks


def write_onnx(model: PortableModel) -> bytes:
    """The model as an ONNX graph: one input a term, each of shape (n,), and ``risk``."""
    from onnx import TensorProto, checker, helper

    graph = _Graph()
    total = graph.constant(model.intercept)
    inputs = []
    for term in model.terms:
        kind = TensorProto.STRING if isinstance(term, Levels) else TensorProto.DOUBLE
        inputs.append(helper.make_tensor_value_info(term.feature, kind, ["n"]))
        total = graph.add("Add", total, graph.score(term))
    held = graph.constant(model.log_odds_within)
    total = graph.add("Max", graph.add("Min", total, held), graph.add("Neg", held))
    scaled = graph.add("Mul", total, graph.constant(model.slope))
    shifted = graph.add("Add", scaled, graph.constant(model.calibration_intercept))
    graph.add("Sigmoid", shifted, name="risk")
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"{model.outcome} {model.version}",
            inputs,
            [helper.make_tensor_value_info("risk", TensorProto.DOUBLE, ["n"])],
            graph.constants,
        ),
        opset_imports=[
            helper.make_opsetid("", _OPSET),
            helper.make_opsetid("ai.onnx.ml", _ML_OPSET),
        ],
        ir_version=9,
        producer_name="chw-tools",
    )
    made.metadata_props.add(key="model_digest", value=model.digest)
    made.metadata_props.add(key="population", value=model.population)
    checker.check_model(made)
    content: bytes = made.SerializeToString()
    return content


class _Graph:
    """Nodes and constants as they are added, each with a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, kind: str = "float64") -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def add(self, operator: str, *given: str, name: str = "", **attributes: Any) -> str:
        from onnx import helper

        made = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(given), [made], **attributes))
        return made

    def score(self, term: Steps | Levels | Pieces) -> str:
        if isinstance(term, Levels):
            return self._score_of_level(term)
        cuts = term.cuts if isinstance(term, Steps) else term.knots
        column = self.add("Unsqueeze", term.feature, self.constant([1], "int64"))
        above = self.add("GreaterOrEqual", column, self.constant(cuts[None, :]))
        counted = self.add("Cast", above, to=7)
        place = self.add("ReduceSum", counted, self.constant([1], "int64"), keepdims=0)
        if isinstance(term, Steps):
            found = self.add("Gather", self.constant(term.scores), place)
        else:
            found = self._score_of_piece(term, place)
        is_known = self.add("Equal", term.feature, term.feature)  # NaN is not equal to itself
        return self.add("Where", is_known, found, self.constant(term.missing))

    def _score_of_piece(self, term: Pieces, place: str) -> str:
        origins = np.append(term.knots[0], term.knots)
        from_knot = self.add("Sub", term.feature, self.add("Gather", self.constant(origins), place))
        score = self.constant(0.0)
        for power in reversed(range(term.coefficients.shape[1])):
            of_power = self.add("Gather", self.constant(term.coefficients[:, power]), place)
            score = self.add("Add", self.add("Mul", score, from_knot), of_power)
        return score

    def _score_of_level(self, term: Levels) -> str:
        n_levels = len(term.levels)
        place = self._coded(term, n_levels)
        return self.add("Gather", self.constant([*term.scores, term.unknown, term.missing]), place)

    def _coded(self, term: Levels, n_levels: int) -> str:
        return self.add(
            "LabelEncoder",
            term.feature,
            domain="ai.onnx.ml",
            keys_strings=[*term.levels, ""],
            values_int64s=[*range(n_levels), n_levels + 1],
            default_int64=n_levels,
        )
