"""Write the Grafana dashboard from the panels below; ``--check`` compares.

Every query names a series of ``chw_tools.api.metrics.METRICS``; a test holds it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PLACE = Path(__file__).resolve().parents[1] / "deployment/monitoring/grafana/dashboard.json"
WIDE, HIGH = 24, 7

#: Rows of panels: title, unit, queries with what each line is called.
PANELS: tuple[tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...], ...] = (
    (
        ("Store answers", "none", (("chw_up", ""),)),
        ("Data age, days", "none", (("chw_data_age_days", ""),)),
        ("Plan age, days", "none", (("chw_plan_age_days", ""),)),
        ("In quarantine", "short", (("sum(chw_quarantine_records)", ""),)),
    ),
    (
        (
            "Requests a second, by route",
            "reqps",
            (("sum by (route) (rate(chw_http_requests_total[5m]))", "{{route}}"),),
        ),
        (
            "Share that fails",
            "percentunit",
            (
                (
                    '(sum(rate(chw_http_requests_total{status=~"5.."}[5m])) or vector(0)) '
                    "/ sum(rate(chw_http_requests_total[5m]))",
                    "of all",
                ),
                ("sum by (kind) (rate(chw_http_failures_total[5m]))", "{{kind}} a second"),
            ),
        ),
        (
            "Seconds to answer",
            "s",
            tuple(
                (
                    f"histogram_quantile({share}, "
                    "sum by (le) (rate(chw_http_request_seconds_bucket[5m])))",
                    f"{share:.0%}",
                )
                for share in (0.5, 0.95, 0.99)
            ),
        ),
        ("Requests open", "short", (("chw_http_requests_open", ""),)),
    ),
    (
        ("Records, by table", "short", (("chw_records", "{{table}}"),)),
        ("Quarantine, by table", "short", (("chw_quarantine_records", "{{table}}"),)),
        ("Scores kept, by model", "short", (("sum by (model) (chw_scores)", "{{model}}"),)),
        (
            "Newest planned day",
            "short",
            (("chw_planned_visits", "on a list"), ("chw_unvisited", "wait")),
        ),
    ),
    (
        (
            "Messages kept, by state",
            "short",
            (("sum by (state) (chw_outreach_messages)", "{{state}}"),),
        ),
        (
            "Messages an hour, by what became of them",
            "short",
            (
                ("sum by (state) (increase(chw_outreach_messages_total[1h]))", "{{state}}"),
                (
                    "sum by (gate) (increase(chw_outreach_refused_total[1h]))",
                    "not let out: {{gate}}",
                ),
            ),
        ),
        (
            "Oldest message that is due",
            "s",
            (("chw_outreach_oldest_due_seconds", "waits"),),
        ),
        (
            "Channels stopped, reports unmatched, rounds broken",
            "short",
            (
                ("chw_outreach_stopped", "{{channel}}, {{why}}"),
                ("chw_outreach_unmatched_receipts", "reports unmatched"),
                (
                    'increase(chw_worker_rounds_total{outcome!="done"}[1h])',
                    "rounds broken in an hour",
                ),
            ),
        ),
    ),
)


def make_dashboard() -> dict[str, Any]:
    """The dashboard as Grafana's JSON."""
    panels = []
    for row, titles in enumerate(PANELS):
        width = WIDE // len(titles)
        for column, (title, unit, queries) in enumerate(titles):
            kind = "stat" if row == 0 else "timeseries"
            place = {"x": column * width, "y": row * HIGH, "w": width, "h": HIGH}
            panels.append(_panel(len(panels) + 1, kind, title, unit, queries, place))
    return {
        "uid": "chw-tools",
        "title": "CHW Tools",
        "description": "Counts only; nobody's values.",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}
            ]
        },
        "panels": panels,
    }


def _panel(
    number: int,
    kind: str,
    title: str,
    unit: str,
    queries: tuple[tuple[str, str], ...],
    place: dict[str, int],
) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    targets = [
        {"refId": chr(65 + at), "datasource": source, "expr": query, "legendFormat": called}
        for at, (query, called) in enumerate(queries)
    ]
    return {
        "id": number,
        "type": kind,
        "title": title,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": targets,
    }


def main(arguments: list[str]) -> int:
    """Write the file, or with ``--check`` say whether it is as it would be written."""
    text = json.dumps(make_dashboard(), indent=1) + "\n"
    if "--check" in arguments:
        if PLACE.is_file() and PLACE.read_text(encoding="utf-8") == text:
            return 0
        print("deployment/monitoring/grafana/dashboard.json is out of date: make docs")
        return 1
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
