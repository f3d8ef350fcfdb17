"""The message that would have been sent: shown in the demonstration, nowhere else."""

from auth import message_delivery
from auth.messengers import Channel
from web.pages.page import Page


async def demo_message(page: Page, channel: Channel) -> str | None:
    """The last one of that channel; None outside the demonstration."""
    settings = page.services.settings
    if settings.mode != "demo" or settings.messenger != "inbox":
        return None
    sent = await message_delivery.inbox(page.services)
    return next((message.text for message in sent if message.channel == channel), None)
