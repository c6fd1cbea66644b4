"""What the service counts, in the form that Prometheus reads.

:data:`METRICS` declares every series; ``docs/monitoring.md``, the dashboard and the alert
rules are held to it by tests. Labels are routes, tables, outcomes and models: never a key or
a value of a person.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from chw_tools.store.census import Census

#: A census counts every table, so a scrape within so many seconds gets the last one.
CENSUS_SECONDS = 60.0
#: Seconds; the targets of the pages are 0.1 to 1 s.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metric(NamedTuple):
    """One declared series: name, kind, what it says, labels."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: tuple[Metric, ...] = (
    Metric(
        "chw_http_requests_total",
        "counter",
        "Requests answered, by route template.",
        ("method", "route", "status"),
    ),
    Metric(
        "chw_http_request_seconds",
        "histogram",
        "Seconds from a request to the end of its answer.",
        ("method", "route"),
    ),
    Metric(
        "chw_http_failures_total",
        "counter",
        "Requests that broke inside, by kind of error.",
        ("route", "kind"),
    ),
    Metric("chw_http_requests_open", "gauge", "Requests being answered now."),
    Metric("chw_up", "gauge", "1 where the store answered the last census, else 0."),
    Metric("chw_records", "gauge", "Rows of a table of the register.", ("table",)),
    Metric(
        "chw_quarantine_records",
        "gauge",
        "Rejected records that wait to be mended, by the table they were meant for.",
        ("table",),
    ),
    Metric(
        "chw_scores",
        "gauge",
        "Estimates kept, by outcome, model version and state.",
        ("outcome", "model", "state"),
    ),
    Metric("chw_planned_visits", "gauge", "People on the lists of the newest planned day."),
    Metric("chw_unvisited", "gauge", "People who are due and wait on the newest planned day."),
    Metric("chw_plan_age_days", "gauge", "Days since the newest planned day; below 0 ahead of it."),
    Metric("chw_data_age_days", "gauge", "Days since anything became known to the programme."),
)


@dataclass
class Metrics:
    """The counters of one running service.

    Parameters
    ----------
    take_census : callable
        Gives the :class:`~chw_tools.store.census.Census`; may raise one of our errors.
    today : callable
        The day on this machine.
    """

    take_census: Callable[[], Census]
    today: Callable[[], date]
    _registry: Any = field(init=False)

    def __post_init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        declared = {metric.name: metric for metric in METRICS}

        def made(kind: Any, name: str, **options: Any) -> Any:
            one = declared[name]
            return kind(name, one.meaning, one.labels, registry=self._registry, **options)

        self._registry = CollectorRegistry()
        self._requests = made(Counter, "chw_http_requests_total")
        self._seconds = made(Histogram, "chw_http_request_seconds", buckets=_BUCKETS)
        self._failures = made(Counter, "chw_http_failures_total")
        self.open = made(Gauge, "chw_http_requests_open")
        self._registry.register(_CensusCollector(self.take_census, self.today))

    def count(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """One request that was answered."""
        self._requests.labels(method=method, route=route, status=str(status)).inc()
        self._seconds.labels(method=method, route=route).observe(seconds)

    def count_failure(self, *, route: str, kind: str) -> None:
        """One request that broke inside."""
        self._failures.labels(route=route, kind=kind).inc()

    def write(self) -> bytes:
        """Every series in Prometheus' text format."""
        from prometheus_client import generate_latest

        return bytes(generate_latest(self._registry))


class _CensusCollector:
    """The gauges of what the store holds, counted at most once in :data:`CENSUS_SECONDS`."""

    def __init__(self, take_census: Callable[[], Census], today: Callable[[], date]) -> None:
        self._take, self._today = take_census, today
        self._held: Census | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def describe(self) -> list[Any]:
        """Nothing is counted when the collector is registered."""
        return []

    def collect(self) -> Iterator[Any]:
        """The gauges; only ``chw_up`` 0 where the store does not answer."""
        from chw_tools.errors import ChwError

        try:
            census = self._census()
        except ChwError:
            yield _gauge("chw_up", {(): 0})
            return
        yield _gauge("chw_up", {(): 1})
        yield from _gauges(census, self._today())

    def _census(self) -> Census:
        with self._lock:
            if self._held is None or time.monotonic() >= self._until:
                self._held = self._take()
                self._until = time.monotonic() + CENSUS_SECONDS
            return self._held


def _gauges(census: Census, today: date) -> Iterator[Any]:
    yield _gauge("chw_records", {(table,): n for table, n in census.records.items()})
    yield _gauge("chw_quarantine_records", {(t,): n for t, n in census.in_quarantine.items()})
    yield _gauge("chw_scores", {(*labels,): n for labels, n in census.scores.items()})
    if census.planned_on is not None:
        yield _gauge("chw_planned_visits", {(): census.planned_visits})
        yield _gauge("chw_unvisited", {(): census.unvisited})
        yield _gauge("chw_plan_age_days", {(): (today - census.planned_on).days})
    if census.last_recorded_on is not None:
        yield _gauge("chw_data_age_days", {(): (today - census.last_recorded_on).days})


def _gauge(name: str, values: Mapping[tuple[str, ...], int]) -> Any:
    return gauge_of(METRICS, name, values)


def gauge_of(declared: Iterable[Metric], name: str, values: Mapping[Any, float]) -> Any:
    """A gauge among those declared, with its values by labels."""
    from prometheus_client.core import GaugeMetricFamily

    metric = next(one for one in declared if one.name == name)
    family = GaugeMetricFamily(name, metric.meaning, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
