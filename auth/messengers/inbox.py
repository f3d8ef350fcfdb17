"""The demo's messenger on a page: nothing is sent, the sealed rows stay to be shown."""

from auth.messengers import Outgoing


class InboxMessenger:
    """Sends nothing. `auth.message_delivery.inbox` shows what was kept, in the demo only."""

    keeps = True

    async def send(self, message: Outgoing) -> None:
        """Nothing to do: the deliverer leaves the row where it is."""
