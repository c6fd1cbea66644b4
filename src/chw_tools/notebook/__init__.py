"""What notebooks stand on: records opened in one line, and pictures of a register.

The notebooks in ``notebooks/`` tell a story; whatever they compute is done here or further
down, by the same functions as everywhere else.
"""

from chw_tools.notebook.opening import Opened, open_records
from chw_tools.notebook.planned import plot_week_load
from chw_tools.notebook.received import plot_import, plot_last_digits, plot_rejections
from chw_tools.notebook.register_figures import (
    compute_known_share,
    plot_event_share,
    plot_known_share,
    plot_places,
    plot_population,
    plot_values_by_age,
    plot_visits,
)

__all__ = [
    "Opened",
    "compute_known_share",
    "open_records",
    "plot_event_share",
    "plot_import",
    "plot_known_share",
    "plot_last_digits",
    "plot_places",
    "plot_population",
    "plot_rejections",
    "plot_values_by_age",
    "plot_visits",
    "plot_week_load",
]
