"""Settings to parts: which store, which registry, which programme; the only place that knows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from chw_tools.errors import SettingsFault
from chw_tools.programme import load_programme
from chw_tools.records import load_catalogue
from chw_tools.store import open_store, open_store_as_it_is

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chw_tools.messaging.configured import Gateways
    from chw_tools.model_registry import ModelRegistry
    from chw_tools.programme import Programme
    from chw_tools.programme.templates import Templates
    from chw_tools.programme.words import Words
    from chw_tools.records import Catalogue
    from chw_tools.settings import Settings
    from chw_tools.store import Store
    from chw_tools.store.casebook import Casebook
    from chw_tools.store.inbox import Inbox
    from chw_tools.store.outbox import Outbox
    from chw_tools.workflows.ports import ReportKeeper, Tracker


@dataclass(frozen=True)
class Parts:
    """Everything an entrance hands to a workflow.

    Parameters
    ----------
    settings : Settings
        Where things are.
    store : Store
        The register, risks and plans.
    models : ModelRegistry
        Trained models.
    keep_report : callable
        Keeps a model's report.
    programme : Programme
        What people decided.
    catalogue : Catalogue
        What can be observed.
    today : date
        Today by the machine's clock (UTC); no record can be of a later day.
    tracker : Tracker or None
        Mirrors kept models to MLflow, where that is wanted.
    """

    settings: Settings
    store: Store
    models: ModelRegistry
    keep_report: ReportKeeper
    programme: Programme
    catalogue: Catalogue
    today: date
    tracker: Tracker | None = None

    def clock(self, as_of: date | None = None) -> Callable[[], datetime]:
        """What tells the programme's instant, aware.

        This machine's clock; but simulated people live in days of their own, by today's clock
        all that is due to them would be stale. With them it is this hour of the day that lists
        are made for (:meth:`chw_tools.store.Store.day_of_lists`), or of the day after ``as_of``.
        """
        if self.store.population != "simulated":
            return lambda: datetime.now(UTC)
        day = self.store.day_of_lists() if as_of is None else as_of + timedelta(days=1)
        if day is None:
            return lambda: datetime.now(UTC)
        ahead = self.today - day
        return lambda: datetime.now(UTC) - ahead

    @cached_property
    def templates(self) -> Templates:
        """What may be said to people, read once."""
        from chw_tools.programme.templates import load_templates

        return load_templates(self.settings.programme)

    @cached_property
    def words(self) -> Words:
        """The words that people send, and those that no message may hold; read once."""
        from chw_tools.programme.words import load_words

        return load_words(self.settings.programme)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


def build_parts(settings: Settings) -> Parts:
    """The parts that the settings name; the store is made or brought up to date.

    Raises
    ------
    StoreUnavailable, ProgrammeFault, SettingsFault
        If the store cannot be opened, the programme is faulty, or the home cannot be made.
    """
    from chw_tools.model_registry import ModelRegistry, save_report

    _make_home(settings)
    open_it = open_store if settings.migrations == "auto" else open_store_as_it_is
    models = ModelRegistry(settings.models / "trained_models", trusted_keys=_trusted_keys(settings))
    return Parts(
        settings=settings,
        store=open_it(settings.database_url),
        models=models,
        keep_report=partial(save_report, settings.models / "model_evaluation"),
        programme=load_programme(settings.programme),
        catalogue=load_catalogue(),
        today=datetime.now(UTC).date(),
        tracker=_tracker(settings, models),
    )


def _make_home(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsFault(
            f"the folder cannot be made ({error.strerror}).",
            where=f"CHW_HOME={settings.home}",
            cure="Choose a folder that you may write to.",
        ) from None


def build_outbox(
    parts: Parts, *, by: str, providers: Mapping[str, str] | None = None, drafts: bool | None = None
) -> Outbox:
    """The messages of the store, with the programme's rules and texts.

    Parameters
    ----------
    parts : Parts
        See :func:`build_parts`.
    by : str
        Who acts, for the diary: the name of a process or page, never a person's.
    providers : mapping of str to str, optional
        Name of the gateway of each channel.
    drafts : bool, optional
        Whether texts that nobody approved yet may go out. By default only for simulated people.
    """
    from chw_tools.outreach.filling import Filler
    from chw_tools.outreach.templates import APPROVED, APPROVED_OR_DRAFT
    from chw_tools.store.outbox import Desk, Outbox

    policy = parts.programme.outreach
    with_drafts = parts.store.population == "simulated" if drafts is None else drafts
    filler = Filler(
        parts.templates,
        parts.words,
        policy.fallback_languages,
        APPROVED_OR_DRAFT if with_drafts else APPROVED,
    )
    return Outbox(parts.store, Desk(policy, filler, by, dict(providers or {})))


def build_gateways(
    settings: Settings,
    *,
    environ: Mapping[str, str] | None = None,
    say: Callable[[str], object] = print,
) -> Gateways:
    """The ways out by channel, and the providers that call back.

    Parameters
    ----------
    settings : Settings
        Where the operator's file is.
    environ : mapping of str to str, optional
        Where secrets named ``env:`` are; the process's own by default.
    say : callable
        Says a line of the console's gateway.

    Raises
    ------
    SettingsFault
        If the file is faulty.
    """
    from chw_tools.messaging.configured import read_gateways
    from chw_tools.programme.templates import load_templates

    templates = load_templates(settings.programme).templates.values()
    return read_gateways(
        settings.gateways,
        environ=os.environ if environ is None else environ,
        home=settings.home,
        say=say,
        free_texts=frozenset(one.name for one in templates if one.kind == "reply"),
    )


def build_inbox(parts: Parts, *, by: str) -> Inbox:
    """The messages that people sent, read with the programme's words.

    Parameters
    ----------
    parts : Parts
        See :func:`build_parts`.
    by : str
        Who acts, for the diary: the name of a process, never a person's.
    """
    from chw_tools.store.inbox import Inbox

    return Inbox(parts.store, parts.words, parts.templates, parts.programme.country, by)


def build_cases(parts: Parts, *, by: str) -> Casebook:
    """Follow-ups, enrolments, tasks and experiments of the store.

    Parameters
    ----------
    parts : Parts
        See :func:`build_parts`.
    by : str
        Who acts, for the diary: the name of a process or page, never a person's.
    """
    from chw_tools.store.casebook import Casebook

    return Casebook(parts.store, by)


def _tracker(settings: Settings, models: ModelRegistry) -> Tracker | None:
    if not settings.tracking:
        return None
    from chw_tools.model_registry.tracking import MlflowMirror

    return MlflowMirror(settings.tracking, models, settings.models / "model_evaluation")


def _trusted_keys(settings: Settings) -> tuple[str, ...]:
    if settings.trusted_keys is None:
        return ()
    from chw_tools.model_registry.signatures import read_trusted_keys

    return read_trusted_keys(settings.trusted_keys)
