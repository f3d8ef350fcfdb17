"""What is mine and not a paper: my name and number, my language, where it is open, its end."""

from fastapi import Response

from auth import session_list
from auth.message_languages import choose_language
from auth.person_contact import person_contact
from auth.person_names import own_name
from base import time_zones
from vault.maintenance import erasure_requests
from vault.recovery import recovery_views
from web.i18n import time_zone_names
from web.i18n.languages import languages
from web.pages.page import PersonPageDep, go, page_router

router = page_router()


@router.get("/me")
async def me(page: PersonPageDep) -> Response:
    """My name, my number, my language, my devices, my place, and how to close my vault."""
    async with page.services.database.transaction() as tx:
        contact = await person_contact(page.services, tx, page.person.id)
    return await page.show(
        "me.html",
        number=contact.phone,
        told_in=languages()[contact.language].name,
        told_otherwise=contact.language != page.language,
        name=await own_name(page.services, page.person),
        elsewhere_open=await session_list.count_others(page.services, page.person),
        zones={name: time_zone_names.NAMES[name] for name in time_zones.NAMES},
        reopens=await recovery_views.own(page.services, page.person),
        erases_at=await erasure_requests.erases_at(page.services, page.person),
    )


@router.post("/me/language")
async def be_told_in_this_language(page: PersonPageDep) -> Response:
    """Have messages in the language of this page."""
    await page.form()
    await choose_language(page.services, page.person, page.language)
    return go("/me", done="language")
