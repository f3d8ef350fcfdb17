"""Signals of a serving process, one of which a test sends."""

from collections.abc import Callable


class StopSignal:
    """In the place of `web.process.signals.Signals`."""

    def __init__(self) -> None:
        self.send: Callable[[int], object]

    def on_signal(self, handler: Callable[[int], None]) -> None:
        self.send = handler
