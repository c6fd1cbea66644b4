"""E-mail over SMTP, encrypted: one connection a message.

Source
------
RFC 5321 (replies: 4yz may be tried again, 5yz not), RFC 8314 (submission over TLS).
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Literal

import httpcore

from chw_tools.messaging.connecting import (
    CONNECT_SECONDS,
    STEP_SECONDS,
    AddressRefused,
    checked_address,
)
from chw_tools.outreach.wire import Handed

if TYPE_CHECKING:
    from chw_tools.outreach.wire import Outgoing

NAME = "smtp"


@dataclass(frozen=True)
class Smtp:
    """The gateway.

    Parameters
    ----------
    host, port : str, int
        Server for submission.
    sender : str
        Address in ``From``.
    user, password : str
        Empty where the server asks for none.
    security : {"tls", "starttls", "none"}
        ``none`` only with ``allow_private``: a relay in the same network.
    """

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    security: Literal["tls", "starttls", "none"] = "tls"
    allow_private: bool = False
    name: str = NAME
    channel: Literal["email"] = "email"

    def send(self, message: Outgoing) -> Handed:
        """Hand one message over, once."""
        mail = self._mail(message)
        if mail is None:
            return Handed("permanent", reason="invalid_number")
        try:
            server = self._connect()
        except smtplib.SMTPAuthenticationError:
            return Handed("account", reason="credentials")
        except AddressRefused:
            return Handed("account", reason="address_refused")
        except ssl.SSLError:
            return Handed("account", reason="no_encryption")
        except (OSError, smtplib.SMTPException, httpcore.ConnectError):
            return Handed("retry", reason="no_connection")
        try:
            return _submit(server, mail, self.sender, message)
        finally:
            server.close()

    def look_up(self, client_ref: str, provider_id: str) -> Handed | None:
        """A server that took a message says no more of it."""
        return None

    def _mail(self, message: Outgoing) -> EmailMessage | None:
        mail = EmailMessage()
        domain = self.sender.rpartition("@")[2] or "localhost"
        try:
            mail["From"], mail["To"] = self.sender, message.number
            mail["Subject"] = message.subject or message.text.partition(":")[0]
            mail["Message-ID"] = f"<{message.client_ref}@{domain}>"
            mail["Auto-Submitted"] = "auto-generated"
        except ValueError:
            # An address with a line end would begin another header.
            return None
        mail.set_content(message.text)
        return mail

    def _connect(self) -> smtplib.SMTP:
        checked_address(self.host, self.port, allow_private=self.allow_private)
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if self.security == "tls":
            server = smtplib.SMTP_SSL(
                self.host, self.port, timeout=CONNECT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=CONNECT_SECONDS)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def _submit(server: smtplib.SMTP, mail: EmailMessage, sender: str, message: Outgoing) -> Handed:
    """The envelope, which may be refused, and then the content, after which nothing is sure."""
    if server.sock is not None:
        server.sock.settimeout(STEP_SECONDS)
    try:
        server.ehlo_or_helo_if_needed()
        if _refused(server.mail(sender)):
            return Handed("account", reason="sender_refused")
        refusal = _recipient(server.rcpt(message.number))
    except (OSError, smtplib.SMTPException):
        return Handed("retry", reason="no_connection")
    if refusal is not None:
        return refusal
    try:
        code, _ = server.data(mail.as_bytes())
    except smtplib.SMTPDataError as error:
        return _content(error.smtp_code)
    except (OSError, smtplib.SMTPException):
        return Handed("unknown", reason="connection_lost")
    return _content(code) if code != 250 else Handed("accepted", str(mail["Message-ID"]))


def _refused(reply: tuple[int, bytes]) -> bool:
    return not 200 <= reply[0] < 300


def _recipient(reply: tuple[int, bytes]) -> Handed | None:
    if not _refused(reply):
        return None
    if reply[0] >= 500:
        return Handed("permanent", reason="invalid_number")
    return Handed("retry", reason="provider_error")


def _content(code: int) -> Handed:
    # 5yz after the content: of this text, not of the address; another time it is no other.
    return Handed("account" if code >= 500 else "retry", reason=f"smtp_{code}")
