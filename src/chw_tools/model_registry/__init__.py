"""Where models are kept: one folder each, checked on loading, approved by a person."""

from chw_tools.model_registry.deciding import (
    approve_model,
    retire_model,
    roll_back,
    shadow_model,
)
from chw_tools.model_registry.entries import Entry
from chw_tools.model_registry.folders import save_report
from chw_tools.model_registry.gates import Gate
from chw_tools.model_registry.registry import ModelRegistry

__all__ = [
    "Entry",
    "Gate",
    "ModelRegistry",
    "approve_model",
    "retire_model",
    "roll_back",
    "save_report",
    "shadow_model",
]
