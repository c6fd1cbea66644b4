"""Stored risks computed again: equal bit for bit, and what is not equal is found with its cause."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from chw_tools.feature_engineering import build_features
from chw_tools.feature_engineering.outcomes import last_known_day
from chw_tools.model_registry import ModelRegistry, retire_model, shadow_model
from chw_tools.model_training import train
from chw_tools.programme import load_programme
from chw_tools.records import new_id
from chw_tools.store import open_store
from chw_tools.workflows.assess import PRIORITY_OUTCOME, score_people
from chw_tools.workflows.verify import CAUSES, verify_scores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chw_tools.records import Register
    from chw_tools.store import Store

_INPUTS = ("age_years", "sex", "systolic_mmhg", "days_since_visit", "n_visits_year")
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def kept_models(small_register: Register, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models of the register's people, one on trial; what they foresee is made up."""
    features = build_features(small_register, as_of=last_known_day(small_register))
    chosen = features.only(_INPUTS)
    drawn = np.random.default_rng(1).random(len(chosen.frame)) < 0.4
    labels = pd.Series(drawn, chosen.frame.index, dtype="boolean")
    sources = sorted(small_register.people["source"].unique())
    registry = ModelRegistry(tmp_path_factory.mktemp("kept") / "models")
    for version, recipe in (("v1", "gradient_boosting"), ("v2", "additive")):
        model = train(
            chosen,
            labels,
            recipe=recipe,
            seed=1,
            outcome=PRIORITY_OUTCOME,
            trained_on={"people_from": sources},
        )
        registry.save_model(model, version=version, created_at=_AT)
    shadow_model(registry, PRIORITY_OUTCOME, "v1", by="Dr Achieng", at=_AT, why="try it")
    return registry.root


@pytest.fixture
def registry(tmp_path: Path, kept_models: Path) -> ModelRegistry:
    return ModelRegistry(shutil.copytree(kept_models, tmp_path / "models"))


def _fill(url: str, register: Register, models: Path) -> None:
    """The register, scored by the newest model, with the other on trial."""
    with open_store(url) as store:
        for name in sorted(register.people["source"].unique()):
            store.register_source(name, "simulated")
        with store.transaction():
            for name, frame in register.tables():
                store.save(name, frame)
        _score(store, ModelRegistry(models))


# Filled once for each database; each test changes a copy.
@pytest.fixture(scope="module")
def kept_sqlite(
    small_register: Register, kept_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    place = tmp_path_factory.mktemp("kept") / "store.sqlite"
    _fill(f"sqlite:///{place}", small_register, kept_models)
    return place


@pytest.fixture(scope="module")
def kept_postgres(
    small_register: Register, kept_models: Path, postgres_server: Any
) -> Iterator[str]:
    postgres_server.psql("CREATE DATABASE scored_kept;")
    _fill(_postgres_url(postgres_server, "scored_kept"), small_register, kept_models)
    yield "scored_kept"
    postgres_server.psql("DROP DATABASE scored_kept;")


def _postgres_url(server: Any, database: str) -> str:
    return str(server.get_uri(database)).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def scored_sqlite(kept_sqlite: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(kept_sqlite, tmp_path)}"


@pytest.fixture
def scored_postgres(kept_postgres: str, postgres_server: Any) -> Iterator[str]:
    postgres_server.psql(f"CREATE DATABASE scored TEMPLATE {kept_postgres};")
    yield _postgres_url(postgres_server, "scored")
    postgres_server.psql("DROP DATABASE scored WITH (FORCE);")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def scored_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"scored_{request.param}"))


@pytest.fixture
def scored(scored_url: str) -> Iterator[Store]:
    with open_store(scored_url) as store:
        yield store


def _score(store: Store, registry: ModelRegistry, **more: Any) -> Any:
    return score_people(store=store, models=registry, programme=load_programme(), **more)


def _verify(store: Store, registry: ModelRegistry, **more: Any) -> Any:
    given = {"programme": load_programme(), "batch": 120} | more
    return verify_scores(store=store, models=registry, **given)


def test_every_risk_is_computed_again_bit_for_bit(scored: Store, registry: ModelRegistry) -> None:
    retire_model(registry, PRIORITY_OUTCOME, "v2", by="Dr Achieng", at=_AT)
    kept = scored.load_risks(latest=False)
    assert kept["risk"].notna().sum() > 200
    for shadow, n_rows in ((False, len(kept)), (True, len(scored.load_shadow_risks()))):
        told: list[int] = []
        found = _verify(
            scored,
            registry,
            shadow=shadow,
            progress=lambda _, done, __: told.append(done),  # noqa: B023
        )
        assert (found.n_risks, found.n_equal, found.by_cause()) == (n_rows, n_rows, {})
        assert found.is_equal
        assert told[-1] == found.n_people
    some = _verify(scored, registry, sample=20)
    assert (some.n_people, some.is_equal) == (20, True)
    assert _verify(scored, registry, outcome="nothing").n_risks == 0


def test_what_was_entered_later_the_same_day_was_not_known(
    scored: Store, registry: ModelRegistry
) -> None:
    day = scored.last_recorded_day()
    person = scored.scored_people()[0]
    visit = (
        scored.load_register()
        .visits.iloc[[0]]
        .assign(
            id=new_id(),
            person_id=person,
            visited_on=pd.Timestamp(day).as_unit("s"),
            known_on=pd.Timestamp(day).as_unit("s"),
            supersedes_id=None,
            source_id=None,
        )
    )
    scored.save("visits", visit)
    _score(scored, registry, as_of=day, person_ids=[person])
    kept = scored.load_risks(outcome=PRIORITY_OUTCOME, latest=False, person_ids=[person])
    assert kept["inputs_digest"].nunique() == 2
    found = _verify(scored, registry)
    assert found.is_equal, found.by_cause()


def test_an_earlier_day_is_verified_as_it_was_known(scored: Store, registry: ModelRegistry) -> None:
    last = scored.last_recorded_day()
    assert last is not None
    earlier = last.replace(year=last.year - 1)
    _score(scored, registry, as_of=earlier)
    assert _verify(scored, registry).is_equal
    since = _verify(scored, registry, since=last)
    assert since.n_risks < _verify(scored, registry).n_risks


def test_a_register_that_tells_otherwise_is_found(scored: Store, registry: ModelRegistry) -> None:
    people = scored.load_register(tables=("people",)).people
    known = people["born_on"].notna() & people["id"].isin(scored.scored_people())
    changed = people[known].iloc[[0]]
    scored.save("people", changed.assign(born_on=changed["born_on"] - pd.Timedelta(days=9000)))
    found = _verify(scored, registry)
    assert set(found.by_cause()) == {"inputs"}
    assert changed["id"].iloc[0] in set(found.differences["person_id"])


def test_a_lost_or_tampered_model_is_found(scored: Store, registry: ModelRegistry) -> None:
    path = registry.root / PRIORITY_OUTCOME / "v2" / "model.json"
    path.write_text(path.read_text().replace("0.1", "0.2", 1))
    found = _verify(scored, registry)
    of_model = scored.load_risks(outcome=PRIORITY_OUTCOME, latest=False)
    assert found.by_cause() == {"model_missing": len(of_model)}


def test_other_bands_and_other_code_are_told_apart(
    scored: Store, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme = load_programme()
    bands = programme.risk_bands["default"]
    stricter = {name: replace(bands, moderate=bands.moderate / 3) for name in programme.risk_bands}
    found = _verify(scored, registry, programme=replace(programme, risk_bands=stricter))
    assert set(found.by_cause()) == {"bands"}
    from chw_tools.workflows import verify

    real = verify.estimate_risk

    def moved(*args: Any, **more: Any) -> pd.DataFrame:
        risks = real(*args, **more)
        return risks.assign(risk=np.nextafter(risks["risk"], 1))

    monkeypatch.setattr(verify, "estimate_risk", moved)
    assert set(_verify(scored, registry).by_cause()) == {"code"}


def test_a_changed_row_is_found_even_where_the_wall_was_taken_away(
    scored: Store, registry: ModelRegistry, scored_url: str
) -> None:
    engine = sa.create_engine(scored_url)
    with engine.begin() as connection:
        is_postgres = engine.dialect.name == "postgresql"
        wall = "risks_append_only ON risks" if is_postgres else "risks_no_update"
        connection.exec_driver_sql(f"DROP TRIGGER {wall}")
        connection.exec_driver_sql("UPDATE risks SET risk = risk * 0.5 WHERE risk > 0.4")
    engine.dispose()
    found = _verify(scored, registry)
    assert set(found.by_cause()) == {"changed_in_store"}
    assert set(found.by_cause()) <= set(CAUSES)
