"""From the operator's file to gateways: which provider serves which channel, with which secrets.

Without a file every channel goes to a file, and nobody is reached. A secret never stands in the
file: it names an environment variable (``env:NAME``) or another file (``file:/path``).

>>> from pathlib import Path
>>> ways = read_gateways(None, environ={}, home=Path("x")).by_channel
>>> [gateway.name for gateway in ways.values()]
['file', 'file', 'file']
"""

from __future__ import annotations

import ipaddress
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chw_tools.errors import SettingsFault
from chw_tools.messaging import africas_talking, twilio, webhook, whatsapp_cloud
from chw_tools.messaging.connecting import Caller
from chw_tools.messaging.keeping import ToConsole, ToFile
from chw_tools.messaging.simulated import SimulatedNetwork
from chw_tools.messaging.smtp import Smtp
from chw_tools.records.contacting import MESSAGE_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chw_tools.outreach.wire import Callbacks, Gateway

    #: A gateway, and how its callbacks are read where there are any.
    Built = tuple[Gateway, Callbacks | None]

#: Gateways that reach nobody: messages to simulated people go to them alone.
REACHING_NOBODY = frozenset({"file", "console", "simulated"})
_WHERE = "CHW_GATEWAYS"
_SHORTEST_SECRET = 16


@dataclass(frozen=True)
class Gateways:
    """The ways out by channel, and the providers that call back, by name."""

    by_channel: Mapping[str, Gateway]
    callbacks: Mapping[str, Callbacks] = field(default_factory=dict)


@dataclass(frozen=True)
class _World:
    """What a section is read with."""

    channel: str
    environ: Mapping[str, str]
    home: Path
    public_url: str
    free_texts: frozenset[str]
    say: Callable[[str], object]


def read_gateways(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    home: Path,
    free_texts: frozenset[str] = frozenset(),
    say: Callable[[str], object] = print,
) -> Gateways:
    """The gateways of the operator's file.

    Parameters
    ----------
    path : Path or None
        TOML with ``public_url`` and a section ``[sms]``, ``[whatsapp]``, ``[email]`` each with
        its ``provider``; a channel without one goes to a file.
    environ : mapping
        Where ``env:`` secrets are.
    home : Path
        Folder of the store: messages to a file lie there.
    free_texts : frozenset of str
        Templates that answer a message received.
    say : callable
        The console's line.

    Raises
    ------
    SettingsFault
        For the first thing that is wrong, without any secret in it.
    """
    raw = _read(path)
    public_url = raw.pop("public_url", "")
    unknown = set(raw) - set(MESSAGE_CHANNELS)
    if unknown:
        raise _fault(f"has a section that is no channel: {', '.join(sorted(unknown))}")
    ways: dict[str, Gateway] = {}
    callbacks: dict[str, Callbacks] = {}
    for channel in MESSAGE_CHANNELS:
        world = _World(channel, environ, home, str(public_url), free_texts, say)
        gateway, back = _build(_Section(channel, raw.get(channel, {}), environ), world)
        ways[channel] = gateway
        if back is not None:
            if back.name in callbacks:
                raise _fault(f"{channel}: {back.name} serves another channel already")
            callbacks[back.name] = back
    return Gateways(ways, callbacks)


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise _fault("names a file that cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The error would quote the line, which may hold what must not be shown.
        raise _fault("names a file that is no TOML") from None


def _fault(what: str, cure: str = "See docs/outreach_channels.md.") -> SettingsFault:
    return SettingsFault(what, where=_WHERE, cure=cure)


@dataclass(frozen=True)
class _Section:
    """One channel's section, read key by key."""

    channel: str
    given: Any
    environ: Mapping[str, str]

    def check(self, *known: str) -> None:
        """Refuse what is not known: a misspelt key must not be passed over."""
        wrong = set(self.given) - {"provider", *known}
        if wrong:
            raise _fault(f"{self.channel}: {', '.join(sorted(wrong))} is not known")

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is no secret."""
        value = self.given.get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise _fault(f"{self.channel}.{name} must be given")
        return value

    def flag(self, name: str) -> bool:
        """Yes or no; no where it is absent."""
        value = self.given.get(name, False)
        if not isinstance(value, bool):
            raise _fault(f"{self.channel}.{name} must be true or false")
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise _fault(f"{self.channel}.{name} must be a whole number")
        return value

    def secret(self, name: str, *, least: int = 1) -> str:
        """A secret, from where the file says that it is."""
        given = self.text(name)
        kind, _, place = given.partition(":")
        where = f"{self.channel}.{name}"
        if kind == "env":
            value = self.environ.get(place, "")
        elif kind == "file":
            value = _secret_file(where, Path(place))
        else:
            raise _fault(f"{where} must be env:NAME or file:/path, never the secret itself")
        value = value.strip()
        if len(value) < least:
            raise _fault(f"{where} is empty or shorter than {least} characters")
        return value

    def caller(self, default: str | None = None) -> Caller:
        """The way to the provider's address."""
        return Caller(self.text("url", default), allow_private=self.flag("allow_private"))

    def networks(self) -> tuple[str, ...]:
        """Networks that callbacks may come from."""
        given = self.given.get("callbacks_from", [])
        try:
            return tuple(str(ipaddress.ip_network(one)) for one in given)
        except (ValueError, TypeError):
            raise _fault(f"{self.channel}.callbacks_from must list networks") from None


def _secret_file(where: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise _fault(f"{where} names a file that cannot be read") from None


def _build(section: _Section, world: _World) -> Built:
    if not isinstance(section.given, dict):
        raise _fault(f"{section.channel} must be a section")
    provider = section.given.get("provider", "file")
    serves = _PROVIDERS.get(provider) if isinstance(provider, str) else None
    if serves is None:
        raise _fault(f"{section.channel}.provider must be one of {', '.join(_PROVIDERS)}")
    channels, build = serves
    if section.channel not in channels:
        raise _fault(f"{section.channel}: {provider} does not serve it")
    return build(section, world)


def _file(section: _Section, world: _World) -> Built:
    section.check()
    channel: Any = world.channel
    return ToFile(world.home / "messages" / f"{world.channel}.jsonl", channel), None


def _console(section: _Section, world: _World) -> Built:
    section.check()
    channel: Any = world.channel
    return ToConsole(world.say, channel), None


def _simulated(section: _Section, world: _World) -> Built:
    section.check("seed")
    channel: Any = world.channel
    return SimulatedNetwork(section.number("seed", 1), channel=channel), None


def _africas_talking(section: _Section, world: _World) -> Built:
    section.check(
        "username", "api_key", "sender", "callback_secret", "callbacks_from", "url", "allow_private"
    )
    gateway = africas_talking.AfricasTalking(
        section.caller(africas_talking.URL),
        section.text("username"),
        section.secret("api_key"),
        section.text("sender", ""),
    )
    secret = section.secret("callback_secret", least=_SHORTEST_SECRET)
    return gateway, africas_talking.AfricasTalkingCallbacks(secret, section.networks())


def _twilio(section: _Section, world: _World) -> Built:
    section.check("account", "token", "sender", "url", "allow_private")
    token = section.secret("token")
    if not world.public_url.startswith("https://"):
        raise _fault("public_url must be the https address by which Twilio calls back")
    back = f"{world.public_url.rstrip('/')}/callbacks/{twilio.NAME}"
    gateway = twilio.Twilio(
        section.caller(twilio.URL), section.text("account"), token, section.text("sender"), back
    )
    return gateway, twilio.TwilioCallbacks(token, back)


def _whatsapp(section: _Section, world: _World) -> Built:
    section.check(
        "phone_number_id", "token", "app_secret", "verify_token", "version", "url", "allow_private"
    )
    sender = section.text("phone_number_id")
    gateway = whatsapp_cloud.WhatsAppCloud(
        section.caller(whatsapp_cloud.URL),
        sender,
        section.secret("token"),
        world.free_texts,
        section.text("version", "v21.0"),
    )
    verify = section.secret("verify_token", least=_SHORTEST_SECRET)
    app_secret = section.secret("app_secret", least=_SHORTEST_SECRET)
    return gateway, whatsapp_cloud.WhatsAppCallbacks(app_secret, verify, sender)


def _webhook(section: _Section, world: _World) -> Built:
    section.check("url", "secret", "allow_private")
    secret = section.secret("secret", least=_SHORTEST_SECRET)
    channel: Any = world.channel
    gateway = webhook.Webhook(section.caller(), secret, time.time, channel)
    return gateway, webhook.WebhookCallbacks(secret, channel)


def _rapidpro(section: _Section, world: _World) -> Built:
    section.check("url", "token", "callback_token", "allow_private")
    channel: Any = world.channel
    gateway = webhook.RapidPro(section.caller(), section.secret("token"), channel)
    secret = section.secret("callback_token", least=_SHORTEST_SECRET)
    return gateway, webhook.WebhookCallbacks(secret, channel, "rapidpro")


def _smtp(section: _Section, world: _World) -> Built:
    section.check("host", "port", "sender", "user", "password", "security", "allow_private")
    security: Any = section.text("security", "tls")
    is_private = section.flag("allow_private")
    if security not in ("tls", "starttls") and not (security == "none" and is_private):
        raise _fault("email.security must be tls or starttls (none with allow_private only)")
    user = section.text("user", "")
    return Smtp(
        section.text("host"),
        section.number("port", 465 if security == "tls" else 587),
        section.text("sender"),
        user,
        section.secret("password") if user else "",
        security,
        is_private,
    ), None


_TEXTS = ("sms", "whatsapp")
_PROVIDERS: Mapping[str, tuple[tuple[str, ...], Callable[[_Section, _World], Built]]] = {
    "file": (MESSAGE_CHANNELS, _file),
    "console": (MESSAGE_CHANNELS, _console),
    "simulated": (MESSAGE_CHANNELS, _simulated),
    africas_talking.NAME: (("sms",), _africas_talking),
    twilio.NAME: (("sms",), _twilio),
    whatsapp_cloud.NAME: (("whatsapp",), _whatsapp),
    webhook.NAME: (_TEXTS, _webhook),
    "rapidpro": (_TEXTS, _rapidpro),
    "smtp": (("email",), _smtp),
}
