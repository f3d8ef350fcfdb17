"""Every page that one may go to, in one list: another way than the menu."""

from fastapi import Response

from web.i18n.error_messages import _
from web.pages.page import PersonPageDep, WorkerPageDep, page_router

router = page_router()
PAGES = {
    "person": (
        ("/documents", _("Mes papiers")),
        ("/documents/add", _("Ajouter un papier")),
        ("/documents/deleted", _("Papiers supprimés")),
        ("/requests", _("Demandes")),
        ("/meetings/code", _("Taper un code de rencontre")),
        ("/grants", _("Qui peut voir mes papiers")),
        ("/grants/new", _("Laisser quelqu’un voir mes papiers")),
        ("/access-log", _("Qui a regardé")),
        ("/me", _("Moi")),
        ("/me/name", _("Mon nom")),
        ("/me/means", _("Comment j’entre")),
        ("/me/anchor", _("Si je perds tout")),
        ("/me/trusted", _("Personne de confiance")),
        ("/me/protection", _("Si un juge me protège")),
        ("/me/representative", _("Tutelle")),
        ("/me/cards/new", _("Faire une carte")),
        ("/me/pin", _("Mon code secret")),
        ("/me/phone", _("Mon téléphone")),
        ("/me/joins", _("Réunir mes papiers")),
        ("/me/export", _("Tout emporter")),
        ("/me/import", _("Reprendre mes papiers d’ailleurs")),
        ("/sessions", _("Mes appareils")),
        ("/language", _("Votre langue")),
        ("/erasure", _("Effacer tous mes papiers")),
        ("/problems", _("Les messages d’erreur expliqués")),
    ),
    "worker": (
        ("/pro/people", _("Mes personnes")),
        ("/pro/requests/new", _("Demander des papiers")),
        ("/pro/requests/new?paper=yes", _("Préparer un mandat")),
        ("/pro/requests", _("Mes demandes")),
        ("/pro/meetings/code", _("Taper un code de rencontre")),
        ("/pro/beside", _("Entrer avec la personne")),
        ("/pro/desk", _("Au guichet")),
        ("/pro/desk/has-card", _("La personne a déjà une carte")),
        ("/pro/desk/free", _("Carte bloquée")),
        ("/pro/desk/stop", _("Carte perdue ou volée")),
        ("/pro/desk/judgement", _("Lire un jugement de tutelle")),
        ("/pro/desk/recovery", _("Rouvrir les papiers d’une personne")),
        ("/pro/doings", _("Ce que j’ai fait")),
        ("/pro/account", _("Mon compte")),
        ("/pro/sessions", _("Mes appareils")),
        ("/language", _("Votre langue")),
        ("/problems", _("Les messages d’erreur expliqués")),
    ),
}
"""By whose they are: address and French title of each page that needs no other before it."""


@router.get("/pages")
async def of_a_person(page: PersonPageDep) -> Response:
    """A person's pages."""
    return await page.show("site_map.html", pages=PAGES["person"])


@router.get("/pro/pages")
async def of_a_worker(page: WorkerPageDep) -> Response:
    """A worker's pages."""
    return await page.show("site_map.html", pages=PAGES["worker"])
