"""Pictures of posts: where they are and whom they serve, and what each further post buys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from chw_tools.model_evaluation.drawing import BLUE, INK, ORANGE, new_axes, set_title
from chw_tools.resource_allocation.posts.problem import served_share

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from chw_tools.resource_allocation.posts.problem import Numbers, PostsPlan, PostsProblem


def plot_posts(
    problem: PostsProblem, plan: PostsPlan, *, longitude: Numbers, latitude: Numbers, note: str
) -> Figure:
    """A map: communities by people and share served, posts, and lines from one to the other.

    Parameters
    ----------
    longitude, latitude : ndarray, shape (n_communities,)
        Of the communities, which are the sites too.
    note : str
        What kind of people these are; stands under the map.
    """
    drawn = new_axes("Longitude", "Latitude", height=5.6)
    figure, axes = drawn[0], cast("Any", drawn[1])
    pairs = np.flatnonzero(plan.share > 1e-6)
    for pair in pairs.tolist():
        ends = [problem.community[pair], problem.site[pair]]
        axes.plot(longitude[ends], latitude[ends], color=BLUE, linewidth=0.6, zorder=1)
    served = served_share(problem, plan.share) > 1 - 1e-3
    size = 6 + 60 * problem.people / max(float(problem.people.max()), 1.0)
    for those, colour, label in (
        (served, BLUE, "community, served"),
        (~served, ORANGE, "community, not or in part"),
    ):
        axes.scatter(
            longitude[those], latitude[those], s=size[those], color=colour, label=label, zorder=2
        )
    at = np.flatnonzero(plan.posts > 0)
    axes.scatter(longitude[at], latitude[at], s=46, marker="^", color=INK, label="post", zorder=3)
    for site in at[plan.posts[at] > 1].tolist():
        said = f" {plan.posts[site]}"
        axes.annotate(said, (longitude[site], latitude[site]), fontsize=8, zorder=4)
    axes.set_aspect(1.0 / np.cos(np.radians(float(latitude.mean()))))
    n_unserved = int((~served).sum())
    said = f"{int(plan.posts.sum())} posts; {n_unserved} of {len(served)} communities not fully "
    set_title(axes, f"{said}served; gap {plan.gap:.1%}")
    look: dict[str, Any] = {"frameon": False, "fontsize": 8, "title_fontsize": 8}
    figure.legend(loc="outside lower center", ncols=3, title=note, **look)
    return figure


def plot_budget(curve: pd.DataFrame, *, note: str) -> Figure:
    """What each budget reaches: mean walk and share of hours served, by posts."""
    drawn = new_axes("Posts", "Mean minutes, one way", height=3.2)
    figure, walk = drawn[0], cast("Any", drawn[1])
    walk.plot(curve["posts"], curve["mean_minutes"], marker="o", color=BLUE)
    walk.set(ylim=(0, None))
    walk.yaxis.label.set_color(BLUE)
    served: Any = walk.twinx()
    served.plot(curve["posts"], 100 * curve["served"], marker="s", color=ORANGE)
    served.set(ylabel="Hours served, %", ylim=(0, 105))
    served.yaxis.label.set_color(ORANGE)
    set_title(walk, "What each further post buys")
    figure.supxlabel(note, fontsize=8)
    return figure
