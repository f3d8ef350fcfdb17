"""Whose turn it is at the desk: pages that both look at, and pages of the person alone; whom the
person may call."""

from dataclasses import dataclass, replace

from auth import profiles
from web.i18n.languages import languages
from web.pages.page import WorkerPage

ALONE = {"area": "turn", "seconds_left": 0}
"""Values of a page that the person alone looks at: without the worker's menu, and on their time."""


@dataclass(kw_only=True)
class TogetherPage(WorkerPage):
    """A page that both look at: in the person's language, with the worker's below each line."""

    workers_language: str

    @property
    def second(self) -> str:
        spoken = {languages()[one].tag.partition("-")[0] for one in self._both}
        return super().second if len(spoken) == 1 else self.workers_language

    @property
    def _both(self) -> tuple[str, str]:
        return self.language, self.workers_language


def together(page: WorkerPage, language: str) -> TogetherPage:
    """A page that both look at; `language`: the person's."""
    shown = {**vars(page), "language": language, "workers_language": page.language}
    return TogetherPage(**shown)


def alone(page: WorkerPage, language: str) -> WorkerPage:
    """A page that the person alone looks at, in their language."""
    return replace(page, language=language)


async def help_phone(page: WorkerPage) -> str | None:
    """The number that a card says to call: the structure's, or else the worker's."""
    async with page.services.database.transaction() as tx:
        structure = await profiles.organisation(page.services, tx, page.worker.organisation_id)
    contact = "" if structure is None else structure.contact
    phone, _, _ = page.worker.contact.partition(", ")
    numbers = [one for one in (contact, phone) if one[:1] in "+0123456789(" and one]
    return next(iter(numbers), None)
