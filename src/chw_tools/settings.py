"""Where things are on this machine, read from the environment once.

What the programme's people decided (thresholds, intervals, capacities) is not here: see
:mod:`chw_tools.programme`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chw_tools.errors import SettingsFault

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Settings:
    """Settings of one installation.

    Parameters
    ----------
    home : Path
        ``CHW_HOME``: folder of the store and reports; by default ``.chw`` in the folder
        that one stands in.
    database_url : str
        ``CHW_DATABASE_URL``: SQLite by default; ``postgresql+psycopg://…`` for PostgreSQL. Or
        ``CHW_DATABASE_URL_FILE``: the file that holds it, for a password that no environment shows.
    models : Path
        ``CHW_MODELS``: folder with ``trained_models`` and ``model_evaluation``.
    programme : Path or None
        ``CHW_PROGRAMME``: folder whose files override the shipped programme.
    host, port : str, int
        ``CHW_HOST``, ``CHW_PORT``: where ``chw serve`` listens.
    public_hosts : tuple of str
        ``CHW_PUBLIC_HOSTS``: names (parted by commas) under which a proxy that signs people in
        hands requests on; needs the proxy's secret.
    proxy_secret : Path or None
        ``CHW_PROXY_SECRET_FILE``: file of the secret with which that proxy proves itself.
    metrics_secret : Path or None
        ``CHW_METRICS_SECRET_FILE``: file of the secret with which Prometheus may read ``/metrics``
        without going through the proxy.
    migrations : str
        ``CHW_MIGRATIONS``: ``auto`` brings the schema of the store up to date when it is opened;
        ``off`` refuses an older one, where ``chw migrate`` is run by other hands.
    tracking : str
        ``CHW_TRACKING_URI``: where MLflow keeps training runs; by default a database beside
        the models; empty (``off``) for nowhere.
    signing_key, trusted_keys : Path or None
        ``CHW_SIGNING_KEY``: file of the private key that signs approvals; ``CHW_TRUSTED_KEYS``:
        file of public keys, of which one must have signed what is approved.
    gateways : Path or None
        ``CHW_GATEWAYS``: file that says which provider serves which channel; without it messages
        go to files below the home, and reach nobody.
    """

    home: Path
    database_url: str
    models: Path
    programme: Path | None
    host: str
    port: int
    tracking: str = ""
    signing_key: Path | None = None
    trusted_keys: Path | None = None
    public_hosts: tuple[str, ...] = ()
    proxy_secret: Path | None = None
    metrics_secret: Path | None = None
    gateways: Path | None = None
    migrations: str = "auto"

    def shown(self) -> dict[str, str]:
        """Each setting by its environment name, with any password hidden."""
        return {
            "CHW_HOME": str(self.home),
            "CHW_DATABASE_URL": _without_password(self.database_url),
            "CHW_MODELS": str(self.models),
            "CHW_PROGRAMME": str(self.programme or "(shipped defaults)"),
            "CHW_HOST": self.host,
            "CHW_PORT": str(self.port),
            "CHW_TRACKING_URI": _without_password(self.tracking) or "off",
            "CHW_SIGNING_KEY": str(self.signing_key or "(none)"),
            "CHW_TRUSTED_KEYS": str(self.trusted_keys or "(none)"),
            "CHW_PUBLIC_HOSTS": ", ".join(self.public_hosts) or "(none)",
            "CHW_PROXY_SECRET_FILE": str(self.proxy_secret or "(none)"),
            "CHW_METRICS_SECRET_FILE": str(self.metrics_secret or "(none)"),
            "CHW_GATEWAYS": str(self.gateways or "(none: messages go to files)"),
            "CHW_MIGRATIONS": self.migrations,
        }


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that an environment gives.

    Raises
    ------
    SettingsFault
        If ``CHW_PORT`` is no port number, ``CHW_TRACKING_URI`` names a folder,
        ``CHW_MIGRATIONS`` is another word, or the file of the database's URL cannot be read.

    Examples
    --------
    >>> read_settings({"CHW_HOME": "data"}).database_url
    'sqlite:///data/chw.db'
    """
    home = Path(environ.get("CHW_HOME") or ".chw")
    models = Path(environ.get("CHW_MODELS") or "models")
    programme = environ.get("CHW_PROGRAMME")
    return Settings(
        home=home,
        database_url=_database_url(environ) or f"sqlite:///{(home / 'chw.db').as_posix()}",
        models=models,
        programme=Path(programme) if programme else None,
        host=environ.get("CHW_HOST") or "127.0.0.1",
        port=_port(environ.get("CHW_PORT") or "8000"),
        tracking=_tracking(environ.get("CHW_TRACKING_URI"), models),
        signing_key=_path(environ.get("CHW_SIGNING_KEY")),
        trusted_keys=_path(environ.get("CHW_TRUSTED_KEYS")),
        public_hosts=_names(environ.get("CHW_PUBLIC_HOSTS") or ""),
        proxy_secret=_path(environ.get("CHW_PROXY_SECRET_FILE")),
        metrics_secret=_path(environ.get("CHW_METRICS_SECRET_FILE")),
        gateways=_path(environ.get("CHW_GATEWAYS")),
        migrations=_migrations(environ.get("CHW_MIGRATIONS") or "auto"),
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _database_url(environ: Mapping[str, str]) -> str:
    url, place = environ.get("CHW_DATABASE_URL") or "", environ.get("CHW_DATABASE_URL_FILE")
    if not place:
        return url
    if url:
        raise SettingsFault(
            "is given twice: by CHW_DATABASE_URL and by CHW_DATABASE_URL_FILE.",
            where="CHW_DATABASE_URL",
            cure="Take one away.",
        )
    try:
        found = Path(place).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFault(
            f"the file cannot be read ({getattr(error, 'strerror', None) or 'no plain text'}).",
            where=f"CHW_DATABASE_URL_FILE={place}",
            cure="Write the URL of the database to it: postgresql+psycopg://user:password@host/name",
        ) from None
    if not found:
        # Not the default: a server would serve an empty store instead of the one that was meant.
        raise SettingsFault("is empty.", where=f"CHW_DATABASE_URL_FILE={place}", cure="Fill it.")
    return found


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _migrations(text: str) -> str:
    if text not in ("auto", "off"):
        raise SettingsFault("is neither auto nor off.", where="CHW_MIGRATIONS", cure="Give one.")
    return text


def _tracking(text: str | None, models: Path) -> str:
    if not text:
        return f"sqlite:///{(models / 'mlflow' / 'mlflow.db').as_posix()}"
    if text == "off":
        return ""
    if "://" not in text or text.startswith("file:"):
        # MLflow gave up its store of plain files.
        raise SettingsFault(
            "is no place for MLflow.",
            where="CHW_TRACKING_URI",
            cure="Give sqlite:///PATH/mlflow.db, the http(s):// address of a server, or off.",
        )
    return text


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise SettingsFault(
            "is not a port.", where="CHW_PORT", cure="Give a number from 0 to 65535."
        )
    return int(text)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    if not separator or not at or ":" not in credentials:
        return url
    return f"{scheme}://{credentials.partition(':')[0]}:***@{place}"
