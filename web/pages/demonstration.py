"""What only a demonstration shows: who to enter it as, and the message that would have been
sent."""

from auth import message_delivery
from auth.messengers import Channel
from web.demo.accounts import PHONE, WORKER_EMAIL
from web.i18n.typography import national, no_break
from web.pages.page import Page


def demo_account(page: Page, kind: str) -> str:
    """The phone number or the e-mail of one who has papers; empty outside the demonstration."""
    if not _is_shown(page):
        return ""
    return no_break(national(PHONE)) if kind == "person" else WORKER_EMAIL


async def demo_message(page: Page, channel: Channel) -> str | None:
    """The last one of that channel; None outside the demonstration."""
    if not _is_shown(page):
        return None
    sent = await message_delivery.inbox(page.services)
    return next((message.text for message in sent if message.channel == channel), None)


def _is_shown(page: Page) -> bool:
    settings = page.services.settings
    return settings.mode == "demo" and settings.messenger == "inbox"
