"""All the pages: what `web/app.py` includes."""

from web.pages import (
    assets,
    deposits,
    documents,
    entrance,
    grants,
    looked,
    requests,
    work,
    work_grants,
)
from web.pages.page import page_router

router = page_router()
assets.add_to(router)
for _part in (
    entrance,
    deposits,  # before `documents`: "add" is no id
    documents,
    requests,
    grants,
    looked,
    work,
    work_grants,
):
    router.include_router(_part.router)
