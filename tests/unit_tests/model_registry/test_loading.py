"""What is not as it was kept is refused, with the cause and the cure, before it scores anybody."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest

from chw_tools.errors import ModelNotFound, ModelRefused
from chw_tools.model_registry.entries import compute_digest
from chw_tools.model_registry.golden import UNSEEN, check_golden
from chw_tools.model_registry.structure import check_trees
from chw_tools.model_training import train
from chw_tools.risk_prediction.signing import sealed


def _rewrite(folder, **contents):
    """Change files and make the manifest fit: what somebody with access to the disk can do."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, change in contents.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(change(path.read_bytes()))
        manifest["files"][path.name] = compute_digest(path.read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _edit(change):
    def edited(content):
        read = json.loads(content)
        change(read)
        return json.dumps(sealed(read)).encode()

    return edited


@pytest.fixture(scope="module")
def boosted(fall_features):
    return train(*fall_features, recipe="gradient_boosting", seed=1, outcome="fall")


@pytest.fixture(scope="module")
def forest(fall_features):
    return train(*fall_features, recipe="random_forest", seed=1, outcome="fall")


class Evil:
    """Would write a file on being unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_renamed_to_skops_is_refused_and_never_run(registry, keep, boosted, tmp_path):
    folder = keep(model=boosted)
    trap = tmp_path / "run"
    _rewrite(folder, model__skops=lambda _: pickle.dumps(Evil(trap)))
    with pytest.raises(ModelRefused, match="no skops model") as refused:
        registry.load_model("fall")
    assert "Train again" in str(refused.value)
    assert not trap.exists()


def _shift(read):
    read["intercept"] += 1e-6


def _rename(read):
    read["features"][0]["name"] = "age_month"
    for term in read["terms"]:
        term["feature"] = {"age_years": "age_month"}.get(term["feature"], term["feature"])


def _other_unit(read):
    read["features"][0]["unit"] = "mo"


def _other_answers(read):
    read["features"][1]["allowed"] = ["female", "male", "other"]


def _real(read):
    read["population"] = "real"


@pytest.mark.parametrize("change", [_shift, _rename, _other_unit, _other_answers, _real])
def test_a_changed_model_is_refused_even_where_the_digests_were_made_to_fit(registry, keep, change):
    folder = keep()
    _rewrite(folder, model__json=_edit(change))
    with pytest.raises(ModelRefused):
        registry.load_model("fall")


@pytest.mark.parametrize("missing", ["format", "terms", "calibration"])
def test_another_schema_is_refused(registry, keep, missing):
    folder = keep()
    _rewrite(folder, model__json=_edit(lambda read: read.pop(missing)))
    with pytest.raises(ModelRefused) as refused:
        registry.load_model("fall")
    assert refused.value.cure


def test_a_model_without_golden_rows_is_refused(registry, keep):
    folder = keep()
    (folder / "golden.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["golden.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelRefused, match=r"fall/v1.*golden rows.*Train again"):
        registry.load_model("fall")


@pytest.mark.parametrize("content", [b"{}", b"[]", b"{", b'{"rows": [], "risks": [1]}'])
def test_golden_rows_that_cannot_be_read_are_refused(registry, keep, content):
    _rewrite(keep(), golden__json=lambda _: content)
    with pytest.raises(ModelRefused):
        registry.load_model("fall")


def test_golden_rows_hold_gaps_unseen_answers_and_both_sides_of_a_jump(registry, keep, boosted):
    folder = keep(model=boosted)
    golden = json.loads((folder / "golden.json").read_text())
    rows, risks = pd.DataFrame(golden["rows"]), np.array(golden["risks"])
    assert (rows["sex"] == UNSEEN).any()
    assert rows.isna().all(axis=1).any()
    assert (rows["age_years"].isna() & rows["sex"].notna()).any()
    low, high = rows["age_years"].iloc[-2:]
    assert np.nextafter(low, high) == high
    assert risks[-1] != risks[-2]


def test_no_golden_row_is_a_person(keep, fall_features):
    rows = pd.DataFrame(json.loads((keep() / "golden.json").read_text())["rows"])
    people = fall_features[0].frame["age_years"].dropna()
    assert not rows["age_years"].isin(people).any()


def test_a_risk_that_moved_a_little_is_found(registry, keep):
    folder = keep()
    model = registry.load_model("fall")
    content = (folder / "golden.json").read_bytes()
    assert check_golden(model, model.features, content) == 0
    golden = json.loads(content)
    golden["risks"][3] += 2e-9
    with pytest.raises(ModelRefused, match="does not score the golden rows"):
        check_golden(model, model.features, json.dumps(golden).encode())


def _boosted_nodes(fitted):
    return fitted.estimator.steps[-1][1]._predictors[0][0].nodes


@pytest.mark.parametrize("child", [0, 9_999])
def test_a_boosted_tree_that_points_outside_or_back_is_refused(boosted, child):
    import copy

    spoiled = copy.deepcopy(boosted)
    assert check_trees(spoiled.estimator) > 10
    _boosted_nodes(spoiled)["left"][0] = child
    with pytest.raises(ModelRefused, match="points outside"):
        check_trees(spoiled.estimator)


class Tree:
    """The arrays of a tree, as scikit-learn's own has them."""

    def __init__(self, left, right, feature, n_features=2):
        self.children_left, self.children_right = np.array(left), np.array(right)
        self.feature, self.n_features, self.node_count = np.array(feature), n_features, len(left)


@pytest.mark.parametrize(
    ("tree", "is_sound"),
    [
        (Tree([1, -1, -1], [2, -1, -1], [1, -2, -2]), True),
        (Tree([1, -1, -1], [3, -1, -1], [1, -2, -2]), False),
        (Tree([0, -1, -1], [2, -1, -1], [1, -2, -2]), False),
        (Tree([1, -1, -1], [2, -1, -1], [2, -2, -2]), False),
        (Tree([1, -1, -1], [-1, -1, -1], [1, -2, -2]), False),
        (Tree([], [], []), False),
    ],
)
def test_the_bounds_of_a_tree(tree, is_sound):
    if is_sound:
        assert check_trees([tree]) == 1
    else:
        with pytest.raises(ModelRefused, match="tree 1"):
            check_trees([tree])


def test_every_tree_of_a_forest_is_looked_at(forest):
    last = forest.estimator.steps[-1][1]
    assert check_trees(forest.estimator) == len(last.estimators_)


def test_retired_models_are_found_by_their_digest(registry, keep, boosted):
    from datetime import UTC, datetime

    from chw_tools.model_registry import retire_model

    keep("v1")
    keep("v2", model=boosted)
    retire_model(registry, "fall", "v1", by="Dr Achieng", at=datetime(2026, 1, 1, tzinfo=UTC))
    for version in ("v1", "v2"):
        model = registry.load_model("fall", version)
        assert registry.load_scorer(model.digest).version == version
    with pytest.raises(ModelNotFound):
        registry.load_scorer("0" * 64)


def test_a_model_put_under_another_version_is_still_itself(registry, keep):
    shutil.copytree(keep("v1"), registry.root / "fall" / "v7")
    with pytest.raises(ModelRefused, match="another"):
        registry.load_model("fall", "v7")
