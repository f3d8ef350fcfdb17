"""The whole of a person's own log, for the files that they take away."""

from collections.abc import AsyncIterator

from auth.subjects import Person
from vault import journal
from vault.house import House
from vault.journal import Entry

_PAGE = 100


async def whole_log(house: House, person: Person) -> AsyncIterator[Entry]:
    """Every line on the person's vault, newest first, read page by page.

    Like the log on the screen it is not itself a line: nobody but its owner reads it. No connection
    is held while a line is being sent.
    """
    cursor: str | None = None
    while True:
        page = await journal.read_own(house, person, cursor=cursor, limit=_PAGE)
        for entry in page.items:
            yield entry
        cursor = page.next
        if cursor is None:
            return
