"""What people are told by message of what waits for them: who asks, never for what."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.messages import queue
from auth.services import CoreServices
from auth.subjects import Recipient

_LIFE = timedelta(days=7)
_TEXTS = {
    "fr": (
        "{who} demande à voir des papiers. Dites oui ou non : {url} "
        "Si cela ne vous concerne pas, répondez-y « Ce n’est pas moi »."
    ),
    "en": (
        "{who} asks to see papers. Say yes or no: {url} "
        "If this does not concern you, answer “This is not me” there."
    ),
}


async def request_waits(
    services: CoreServices, tx: AsyncConnection, phone: str, sender: Recipient, *, language: str
) -> None:
    """Tell the holder of a phone, vault or not, that someone asks; sent once `tx` commits."""
    who = ", ".join(word for word in (sender.name, sender.job, sender.organisation) if word)
    text = _TEXTS.get(language, _TEXTS["fr"]).format(who=who, url=services.settings.public_url)
    await queue(services, tx, channel="sms", to=phone, text=text, life=_LIFE)
