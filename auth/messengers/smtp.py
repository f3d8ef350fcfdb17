"""E-mails by SMTP (RFC 5321), over STARTTLS (RFC 3207) with the server's certificate verified."""

import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import aiosmtplib

from auth.messengers import NotSent, Outgoing, Undeliverable
from base import clock
from base.settings import Settings

TIMEOUT_SECONDS = 15.0


class SmtpMessenger:
    """Sends each e-mail on a connection of its own."""

    keeps = False

    def __init__(self, settings: Settings, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls or (ssl.create_default_context() if settings.smtp_start_tls else None)

    async def send(self, message: Outgoing) -> None:
        if message.channel != "email":
            raise Undeliverable("smtp sends e-mails only")
        settings = self._settings
        password = settings.smtp_password
        try:
            await aiosmtplib.send(
                self._mail(message),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=password.get_secret_value() if password else None,
                start_tls=settings.smtp_start_tls,
                tls_context=self._tls,
                timeout=TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            # The server's text may quote the address: only its codes are passed on.
            raise _failure(error) from None

    def _mail(self, message: Outgoing) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._settings.mail_from
        mail["To"] = message.to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(clock.now())
        mail["Message-ID"] = make_msgid(domain=self._settings.mail_from.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail


def _failure(error: Exception) -> NotSent | Undeliverable:
    """A 5xx about this address or this message is final; anything else may be retried."""
    refused = isinstance(error, aiosmtplib.SMTPRecipientsRefused)
    first = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    code = first.code if isinstance(first, aiosmtplib.SMTPResponseException) else 0
    reason = f"smtp: {type(error).__name__} {code}"
    this_message = refused or isinstance(error, aiosmtplib.SMTPDataError)
    return Undeliverable(reason) if this_message and code >= 500 else NotSent(reason)
