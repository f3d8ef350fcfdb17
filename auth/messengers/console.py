"""The demo's messenger on a terminal."""

import sys

from auth.messengers import Outgoing


class ConsoleMessenger:
    """Prints messages. Settings refuse it in production: codes must not be shown."""

    keeps = False

    async def send(self, message: Outgoing) -> None:
        sys.stdout.write(f"[{message.channel}] {message.to}: {message.text}\n")
        sys.stdout.flush()
