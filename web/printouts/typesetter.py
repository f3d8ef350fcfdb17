"""Typst: a template and its data made into a PDF that is tagged for screen readers (PDF/UA-1).

The templates are files of the program, read-only, and data never enters them as markup. What comes
out are bytes: nothing about a person is on a disk. Typst is given no package, no font of the
machine and no file but the templates, so it reaches neither the network nor anything else.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from base import clock
from base.errors import ErrorKind, ServiceError
from storage.thread_pool import ThreadPool
from web.printouts.fonts import FOLDERS
from web.printouts.sheet import Sheet

if TYPE_CHECKING:
    # 7 MiB of memory: a process that prints nothing does without.
    import typst

FOLDER = Path(__file__).parent / "templates"
P = ParamSpec("P")
T = TypeVar("T")
Template = Literal["sheet", "log", "card", "mandate"]
_NOWHERE = Path("/nonexistent")
_AT_ONCE = 2
QUEUE_SECONDS = 10.0
_BLANK = "blank"
_RESERVED_SECONDS = 15.0
_KEPT_RUNS = 10
"""Typst keeps what it laid out for as many runs, in memory."""


class NotTypeset(Exception):
    """Typst refused a page. Its own message, which repeats the page's words, is left out."""


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """A call that prints, on one of the few threads that do. Raises `NotTypeset`, and
    `ServiceError` `unavailable` when too many are asked for at once."""
    return await pool().run(call, *args, **kwargs)


@asynccontextmanager
async def reserved_thread() -> AsyncIterator[Callable[[Callable[[], bytes]], Awaitable[bytes]]]:
    """One of the threads that print, kept for one page whose words are made meanwhile: what makes
    them is begun only when the page can be laid out. What is yielded lays it out, once.

    Raises like `in_thread`, before anything is made; later `unavailable`, if the words take longer
    than a thread is kept waiting.
    """
    loop, began = asyncio.get_running_loop(), asyncio.Event()
    page: Future[Callable[[], bytes] | None] = Future()

    def kept() -> bytes:
        loop.call_soon_threadsafe(began.set)
        call = page.result(_RESERVED_SECONDS)
        return b"" if call is None else call()

    async def lay_out(call: Callable[[], bytes]) -> bytes:
        page.set_result(call)
        return await running

    running = asyncio.ensure_future(in_thread(kept))
    beginning = asyncio.ensure_future(began.wait())
    try:
        await asyncio.wait({running, beginning}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        yield lay_out
    finally:
        beginning.cancel()
        if not page.done():
            page.set_result(None)
            running.cancel()


async def print_sheet(sheet: Sheet, language: str) -> bytes:
    """The PDF of a sheet. Its letters are looked up on the same thread: for the first page of a
    process, the fonts are read there. Raises like `in_thread`."""
    return await in_thread(_sheet, sheet, language)


def _sheet(sheet: Sheet, language: str) -> bytes:
    return typeset("sheet", sheet.data(language))


def typeset(template: Template, data: dict[str, Any]) -> bytes:
    """The PDF of a template with its data. Blocks: to be called `in_thread`."""
    pdf = lay_out(template, data)
    # What a person's page was made of is dropped, and not only once ten other pages were made.
    for _ in range(_KEPT_RUNS):
        lay_out(_BLANK, {})
    return pdf


def lay_out(template: str, data: dict[str, Any]) -> bytes:
    """One run of Typst, on the thread of the caller. Raises `typst.TypstError`."""
    import typst  # noqa: PLC0415  (memory)

    # One a page: a compiler serves one thread at a time. The fonts are read once.
    compiler = typst.Compiler(
        FOLDER / f"{template}.typ",
        root=FOLDER,
        font_paths=_fonts(),
        package_path=_NOWHERE,
        package_cache_path=_NOWHERE,
    )
    pdf = compiler.compile(
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["ua-1"],
        timestamp=clock.now().replace(microsecond=0),
    )
    assert isinstance(pdf, bytes)  # noqa: S101  (one file, and no path to write it to)
    return pdf


@cache
def _fonts() -> "typst.Fonts":
    import typst  # noqa: PLC0415  (memory)

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=list(FOLDERS)
    )


@cache
def pool() -> ThreadPool:
    """The threads that print, of this process."""
    import typst  # noqa: PLC0415  (memory)

    return ThreadPool(
        _AT_ONCE,
        "typesetting",
        errors=(typst.TypstError, TimeoutError),
        convert_error=_failure,
        queue_seconds=QUEUE_SECONDS,
    )


def busy() -> ServiceError:
    """Too many pages are asked for at once."""
    return ServiceError(ErrorKind.UNAVAILABLE, "unavailable", retry_after=5)


def _failure(error: Exception) -> Exception:
    return busy() if isinstance(error, TimeoutError) else NotTypeset()
