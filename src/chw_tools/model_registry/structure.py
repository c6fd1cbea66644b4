"""Whether the trees of a loaded model stay within their own arrays.

What reads the file checks types and shapes, not where a node points: a child beyond the end
would make the library read foreign memory, one that points back would never end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chw_tools.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_LEAF = -1


def check_trees(estimator: Any) -> int:
    """The number of trees found, each within bounds.

    Raises
    ------
    ModelRefused
        If a node points outside its tree, back to itself or before, or to no input.
    """
    n_trees = 0
    for tree in _find(estimator, set()):
        n_trees += 1
        if type(tree).__name__ == "Tree":
            is_sound = _is_sound_tree(tree)
        else:
            is_sound = _is_sound_predictor(tree)
        if not is_sound:
            raise ModelRefused(
                "a tree of it points outside its own nodes or inputs",
                where=f"tree {n_trees}",
                cure="Restore the file, or train again.",
            )
    return n_trees


def _find(held: Any, seen: set[int]) -> Iterator[Any]:
    if id(held) in seen or isinstance(held, str | bytes | int | float | type(None)):
        return
    seen.add(id(held))
    if type(held).__name__ in ("Tree", "TreePredictor"):
        yield held
    elif isinstance(held, dict):
        for part in held.values():
            yield from _find(part, seen)
    elif isinstance(held, list | tuple):
        for part in held:
            yield from _find(part, seen)
    elif isinstance(held, np.ndarray):
        if held.dtype == object:
            for part in held.ravel():
                yield from _find(part, seen)
    elif type(held).__module__.partition(".")[0] == "sklearn":
        yield from _find(getattr(held, "__dict__", None), seen)


def _is_sound_tree(tree: Any) -> bool:
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    feature = np.asarray(tree.feature)
    n_nodes = int(tree.node_count)
    if not n_nodes or not len(left) == len(right) == len(feature) == n_nodes:
        return False
    is_leaf = left == _LEAF
    if not np.array_equal(is_leaf, right == _LEAF):
        return False
    return _point_on(left, right, ~is_leaf) and _is_within(feature[~is_leaf], int(tree.n_features))


def _is_sound_predictor(tree: Any) -> bool:
    nodes = tree.nodes
    if not len(nodes):
        return False
    inner = nodes["is_leaf"] == 0
    categorical = inner & (nodes["is_categorical"] != 0)
    n_bitsets = len(tree.raw_left_cat_bitsets)
    return _point_on(nodes["left"], nodes["right"], inner) and _is_within(
        nodes["bitset_idx"][categorical], n_bitsets
    )


def _point_on(left: NDArray[Any], right: NDArray[Any], inner: NDArray[np.bool_]) -> bool:
    """Whether both children of each inner node come after it, and exist."""
    place = np.arange(len(left))[inner]
    return all(
        bool(((child[inner] > place) & (child[inner] < len(left))).all())
        for child in (left.astype("int64"), right.astype("int64"))
    )


def _is_within(found: NDArray[Any], n: int) -> bool:
    whole = found.astype("int64")
    return bool(((whole >= 0) & (whole < n)).all())
