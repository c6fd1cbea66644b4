"""Which worker looks after which home: whole homes, fair loads, and who stands in for whom."""

from chw_tools.resource_allocation.caseloads.pairs import (
    CaseloadRules,
    Caseloads,
    absent_numbers,
    as_assignment,
    caseload_problem,
)
from chw_tools.resource_allocation.caseloads.problem import CaseloadPlan, CaseloadProblem
from chw_tools.resource_allocation.caseloads.solve import reassign, solve_caseloads
from chw_tools.resource_allocation.caseloads.whole import n_kept

__all__ = [
    "CaseloadPlan",
    "CaseloadProblem",
    "CaseloadRules",
    "Caseloads",
    "absent_numbers",
    "as_assignment",
    "caseload_problem",
    "n_kept",
    "reassign",
    "solve_caseloads",
]
