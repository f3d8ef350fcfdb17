"""Where the command `unefois` begins.

While modules are imported Python looks for garbage hundreds of times, and finds none: a fifth of
the time that a command takes to start.
"""

import gc

gc.disable()

from web.cli.main import main as run  # noqa: E402  (after the line that makes it cheaper)

gc.enable()


def main() -> int:
    """Run one command: see `web.cli.main`."""
    return run()
