"""The name by which a person wants to be called: chosen, changed, taken away."""

from fastapi import Response

from auth.person_names import LONGEST, choose_name, own_name
from base.errors import ServiceError
from web.pages.page import PersonPageDep, go, page_router

router = page_router()


@router.get("/me/name")
async def ask(page: PersonPageDep) -> Response:
    """The field, with the name that there is."""
    name = await own_name(page.services, page.person)
    return await page.show("means/name.html", typed=name or "", longest=LONGEST)


@router.post("/me/name")
async def choose(page: PersonPageDep) -> Response:
    """Keep it, or none."""
    typed = (await page.form()).get("name")
    try:
        name = await choose_name(page.services, page.person, typed)
    except ServiceError as failure:
        return await page.show_failure(failure, "means/name.html", typed=typed, longest=LONGEST)
    return go("/me", done="name_chosen" if name else "name_removed")
