"""The registry mirrored into MLflow: training runs, registered versions, aliases.

The folders are the truth, and what lies in MLflow can be made from them again at any time:
mirroring twice changes nothing, and a run that was cut off is completed. Here is the one place
that knows MLflow; it is imported inside, takes a second, and is never on the way of a request.
What goes there is what the folders hold: no record and no name of anybody.
"""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chw_tools.errors import MissingExtra, ModelRefused, TrackingFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chw_tools.model_registry.entries import Entry
    from chw_tools.model_registry.registry import ModelRegistry

_EXPERIMENT = "chw-tools"
_KEY, _DONE, _STAGE = "chw.manifest_sha256", "chw.complete", "chw.stage"
#: Of the manifest, what an experimenter filters by.
_TAGS = ("outcome", "version", "population", "recipe", "parent", "data_digest", "code_version")
#: MLflow cuts longer values off, or refuses them.
_LONGEST = 500
_MODEL = "model"


@dataclass(frozen=True)
class Mirrored:
    """What mirroring came to.

    Parameters
    ----------
    n_new, n_there, n_refused : int
        Models that MLflow did not have, those it had, and those whose files were changed.
    place : str
        Where it is, without a password.
    """

    n_new: int
    n_there: int
    n_refused: int
    place: str


@dataclass(frozen=True)
class MlflowMirror:
    """Where the registry is mirrored to.

    Parameters
    ----------
    uri : str
        ``sqlite:///path/mlflow.db``, or the address of a server.
    registry : ModelRegistry
        What is mirrored.
    reports : Path
        Folder of the reports, ``<outcome>/<version>/``.
    """

    uri: str
    registry: ModelRegistry
    reports: Path

    def mirror(self, outcome: str | None = None, version: str | None = None) -> Mirrored:
        """Bring MLflow up to date with the folders: everything, one outcome, or one model.

        Raises
        ------
        MissingExtra
            If MLflow is not installed.
        TrackingFailed
            If it cannot be reached or written; the models are kept all the same.
        """
        with warnings.catch_warnings():
            # What libraries tell their developers is nothing to whoever trains a model.
            warnings.simplefilter("ignore")
            return self._mirror(outcome, version)

    def _mirror(self, outcome: str | None, version: str | None) -> Mirrored:
        _quiet()
        try:
            from mlflow import MlflowClient

            _quiet()  # its import sets its own lines on again
        except ModuleNotFoundError:
            raise MissingExtra.of("MLflow", extra="track") from None
        entries = self.registry.list_models(outcome)
        chosen = [e for e in entries if version is None or e.version == version]
        try:
            self._make_room()
            client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            experiment = self._experiment(client)
            new = [self._mirror_one(client, experiment, entry) for entry in chosen]
            for name in sorted({entry.outcome for entry in chosen}):
                self._point_aliases(client, name)
        except _faults() as error:
            raise TrackingFailed(
                f"MLflow did not take it ({type(error).__name__}).",
                where=_shown(self.uri),
                cure="The models are kept all the same; mirror them later: chw models mirror",
            ) from error
        return Mirrored(new.count(True), new.count(False), new.count(None), _shown(self.uri))

    def _make_room(self) -> None:
        if self.uri.startswith("sqlite:///"):
            Path(self.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)

    def _experiment(self, client: Any) -> str:
        found = client.get_experiment_by_name(_EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        place = None
        if self.uri.startswith("sqlite:///"):
            # Else files would go to the folder that one happens to stand in.
            folder = Path(self.uri.removeprefix("sqlite:///")).parent / "artifacts"
            place = folder.resolve().as_uri()
        return str(client.create_experiment(_EXPERIMENT, artifact_location=place))

    def _mirror_one(self, client: Any, experiment: str, entry: Entry) -> bool | None:
        """Mirror one model; whether its run was missing, or None where its files were changed."""
        try:
            files = self.registry.read_files(entry)
        except ModelRefused:
            return None
        runs = client.search_runs([experiment], f"tags.`{_KEY}` = '{entry.manifest_sha256}'")
        done = [run for run in runs if run.data.tags.get(_DONE) == "yes"]
        if done:
            run_id = str(done[0].info.run_id)
        else:
            for run in runs:  # cut off by a crash or a full disk
                client.delete_run(run.info.run_id)
            run_id = self._write_run(client, experiment, entry, files)
        registered = self._registered(client, entry)
        if registered is None:
            registered = self._register(client, entry, run_id)
        client.set_model_version_tag(entry.outcome, registered, _STAGE, entry.stage)
        client.set_model_version_tag(entry.outcome, registered, "chw.by", entry.by)
        return not done

    def _write_run(
        self, client: Any, experiment: str, entry: Entry, files: Mapping[str, bytes]
    ) -> str:
        run = client.create_run(
            experiment,
            start_time=_milliseconds(entry.manifest.get("created_at")),
            run_name=f"{entry.outcome} {entry.version}",
            tags=_tags(entry),
        )
        run_id = str(run.info.run_id)
        client.log_batch(run_id, metrics=_metrics(files), params=_parameters(entry, files))
        client.log_artifacts(
            run_id, str(self.registry.root / entry.outcome / entry.version), _MODEL
        )
        report = self.reports / entry.outcome / entry.version
        if report.is_dir():
            client.log_artifacts(run_id, str(report), "report")
        client.set_tag(run_id, _DONE, "yes")
        client.set_terminated(run_id)
        return run_id

    def _registered(self, client: Any, entry: Entry) -> str | None:
        """MLflow's number of the version, if it is registered."""
        for found in client.search_model_versions(f"name = '{entry.outcome}'"):
            if found.tags.get(_KEY) == entry.manifest_sha256:
                return str(found.version)
        return None

    def _register(self, client: Any, entry: Entry, run_id: str) -> str:
        if not client.search_registered_models(f"name = '{entry.outcome}'"):
            client.create_registered_model(entry.outcome, description="Mirror of chw-tools.")
        made = client.create_model_version(
            entry.outcome, f"runs:/{run_id}/{_MODEL}", run_id, tags=_tags(entry)
        )
        return str(made.version)

    def _point_aliases(self, client: Any, outcome: str) -> None:
        standing = self.registry.standing(outcome)
        kept = {entry.version: entry for entry in self.registry.list_models(outcome)}
        for alias in ("champion", "shadow"):
            entry = kept.get(getattr(standing, alias) or "")
            registered = None if entry is None else self._registered(client, entry)
            if registered is not None:
                client.set_registered_model_alias(outcome, alias, registered)
            elif self._points(client, outcome, alias):
                client.delete_registered_model_alias(outcome, alias)

    def _points(self, client: Any, outcome: str, alias: str) -> bool:
        there = client.search_registered_models(f"name = '{outcome}'")
        return bool(there) and alias in client.get_registered_model(outcome).aliases


def _quiet() -> None:
    """No telemetry, which is on by default, and no lines on making tables."""
    import logging

    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    # A server that is down is told within seconds, not after minutes of trying again.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _faults() -> tuple[type[Exception], ...]:
    """What MLflow raises where its place is down, full or not ours."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError, OSError)


def _tags(entry: Entry) -> dict[str, str]:
    held = {f"chw.{name}": str(entry.manifest.get(name) or "") for name in _TAGS}
    is_simulated = entry.manifest.get("population") == "simulated"
    return {
        **{name: value[:_LONGEST] for name, value in held.items() if value},
        "chw.simulated": str(is_simulated).lower(),
        "chw.run_id": str(entry.manifest.get("run_id") or ""),
        _KEY: entry.manifest_sha256,
    }


def _parameters(entry: Entry, files: Mapping[str, bytes]) -> list[Any]:
    from mlflow.entities import Param

    facts: dict[str, Any] = {
        name: entry.manifest.get(name) for name in ("recipe", "seed", "data_digest", "parent")
    }
    trained_on = _trained_on(files)
    facts |= {name: value for name, value in trained_on.items() if not isinstance(value, dict)}
    for name, value in trained_on.items():
        if isinstance(value, dict):
            facts |= {f"{name}.{key}": one for key, one in value.items()}
    return [
        Param(_key(name), str(value)[:_LONGEST])
        for name, value in facts.items()
        if value is not None
    ]


def _trained_on(files: Mapping[str, bytes]) -> dict[str, Any]:
    for name in ("model.json", "scoring.json"):
        if name in files:
            return dict(json.loads(files[name]).get("trained_on") or {})
    return {}


def _metrics(files: Mapping[str, bytes]) -> list[Any]:
    """Each measure, and both ends of its interval, as numbers of their own."""
    from mlflow.entities import Metric

    judged = json.loads(files["metrics.json"]) if "metrics.json" in files else {}
    found = {"n_judged": judged.get("n"), "n_events_judged": judged.get("n_events")}
    for row in judged.get("metrics") or []:
        for end, ending in (("value", ""), ("low", "_low"), ("high", "_high")):
            found[f"{row['name']}{ending}"] = row.get(end)
    return [
        Metric(_key(name), float(value), 0, 0)
        for name, value in found.items()
        if isinstance(value, int | float)
    ]


def _key(name: str) -> str:
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name)


def _milliseconds(instant: Any) -> int | None:
    return int(datetime.fromisoformat(instant).timestamp() * 1000) if instant else None


def _shown(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else uri
