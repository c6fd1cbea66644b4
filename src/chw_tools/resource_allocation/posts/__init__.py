"""How many workers are posted where."""

from chw_tools.resource_allocation.posts.budget import budget_curve, budget_plans
from chw_tools.resource_allocation.posts.communities import (
    Communities,
    path_km,
    posted_table,
    posts_problem,
)
from chw_tools.resource_allocation.posts.fairness import FairPlan, solve_fairly
from chw_tools.resource_allocation.posts.problem import PostsPlan, PostsProblem
from chw_tools.resource_allocation.posts.sites import compare_sites
from chw_tools.resource_allocation.posts.solve import solve_posts

__all__ = [
    "Communities",
    "FairPlan",
    "PostsPlan",
    "PostsProblem",
    "budget_curve",
    "budget_plans",
    "compare_sites",
    "path_km",
    "posted_table",
    "posts_problem",
    "solve_fairly",
    "solve_posts",
]
