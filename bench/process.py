"""The process of one server, which imports what a serving process of an installation imports.

`python -m bench.process ours|floor` serves on a free port, writes the port to its standard output,
and stops when its standard input ends.
"""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack

import uvloop

from base import memory
from base.settings import Settings
from storage.backends import blob_store
from web.app import create_app
from web.process import log_output
from web.process.sequencer import run_sequencer
from web.process.server import listen, run_server, server_for
from web.process.services import open_services


async def _ours(settings: Settings) -> None:
    log_output.configure(settings)
    memory.limit_heap()
    async with open_services(settings) as services, AsyncExitStack() as opened:
        if settings.sequencer_in_process:
            await opened.enter_async_context(run_sequencer(services))
        await _serve(create_app(services))


async def _floor(settings: Settings) -> None:
    from bench import floor

    contents = json.loads(sys.stdin.buffer.readline())
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value().replace("+psycopg", "")
    store = blob_store(settings)
    async with floor.app(url, settings.database_pool, contents, store) as app:
        await _serve(app)


async def _serve(app: object) -> None:
    listener = listen("127.0.0.1", 0)
    async with run_server(server_for(app), listener):  # type: ignore[arg-type]  # FastAPI, both
        os.write(1, f"{listener.getsockname()[1]}\n".encode())
        await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run({"ours": _ours, "floor": _floor}[sys.argv[1]](Settings.model_validate({})))
