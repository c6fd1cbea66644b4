"""Where models are kept: one folder each, checked on loading, approved by a person."""

from chw_tools.model_registry.entries import Entry
from chw_tools.model_registry.registry import ModelRegistry, save_report

__all__ = ["Entry", "ModelRegistry", "save_report"]
