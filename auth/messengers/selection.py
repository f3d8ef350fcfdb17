"""The messenger that the settings name."""

from auth.messengers import Messenger, NotSent, Outgoing
from auth.messengers.console import ConsoleMessenger
from auth.messengers.inbox import InboxMessenger
from auth.messengers.sms import SmsGateway
from auth.messengers.smtp import SmtpMessenger
from base.settings import Settings


class ConfiguredMessenger:
    """Sends e-mails by one messenger, SMS by another."""

    keeps = False

    def __init__(self, email: Messenger, sms: Messenger | None) -> None:
        self._email = email
        self._sms = sms

    async def send(self, message: Outgoing) -> None:
        messenger = self._email if message.channel == "email" else self._sms
        if messenger is None:
            raise NotSent("no SMS gateway is configured")
        await messenger.send(message)


def messenger_of(settings: Settings) -> Messenger:
    """The messenger of these settings, which allow console and inbox in the demo only."""
    if settings.messenger == "console":
        return ConsoleMessenger()
    if settings.messenger == "inbox":
        return InboxMessenger()
    url = settings.sms_gateway_url
    sms = SmsGateway(url, settings.sms_gateway_token) if url else None
    return ConfiguredMessenger(SmtpMessenger(settings), sms)
