"""Sentences of the log of what a judge decided for a person: who assists them, who represents
them."""

from collections.abc import Mapping

from audit.events import ActorKind
from vault.access_log.entries import EntryView
from web.i18n.error_messages import _

YOU_DID = {
    "protection.note": _("Vous avez écrit qui vous assiste (curatelle)."),
    "protection.end": _("Vous avez retiré le nom de qui vous assiste (curatelle)."),
    "representation.name": _("Vous avez demandé un code pour dire qui vous représente (tutelle)."),
    "representation.see": _("Vous avez tapé le code d’une personne que vous représentez."),
    "representation.show": _(
        "Vous avez demandé un code pour montrer au guichet le jugement d’une personne que vous"
        " représentez."
    ),
    "representation.enter": _("Vous avez ouvert les papiers d’une personne que vous représentez."),
    "representation.end": _("Vous avez arrêté une représentation légale."),
}
_NOT_REPRESENTED = _("Vous avez essayé de représenter une personne : ce n’était pas possible.")
YOU_TRIED = {
    "protection.note": _("Vous avez essayé d’écrire qui vous assiste : ce n’était pas possible."),
    "protection.end": _("Vous avez essayé de retirer qui vous assiste : ce n’était pas possible."),
    "representation.name": _(
        "Vous avez essayé de dire qui vous représente : ce n’était pas possible."
    ),
    "representation.see": _("Vous avez tapé un code de représentation qui ne marche pas."),
    "representation.show": _NOT_REPRESENTED,
    "representation.enter": _(
        "Vous avez essayé d’ouvrir les papiers d’une personne que vous représentez : ce n’était pas"
        " possible."
    ),
    "representation.end": _(
        "Vous avez essayé d’arrêter une représentation légale : ce n’était pas possible."
    ),
}
YOU_TRIED_BECAUSE = {
    ("representation.see", "paced"): _NOT_REPRESENTED,
    ("representation.see", "assisted"): _NOT_REPRESENTED,
}
DID = {
    "representation.see": _("Votre code pour dire qui vous représente a été tapé."),
    "representation.begin": _("{who} a lu le jugement : une représentation légale commence ici."),
    "representation.enter": _("{who} a ouvert vos papiers."),
    "representation.end": _("Une représentation légale est terminée."),
}
_REPRESENTED_DID = {
    "document.correct": _("{who} a corrigé le nom, la sorte ou les dates d’un papier."),
    "document.refuse_type": _("{who} a dit non à une sorte de papier proposée."),
    "document.restore": _("{who} a récupéré un papier supprimé."),
    "consent.approve": _("{who} a dit oui à une demande d’accès."),
    "consent.refuse": _("{who} a dit non à une demande d’accès."),
    "consent.not_me": _("{who} a répondu à une demande : ce n’est pas vous."),
    "meeting.answer": _("{who} a tapé un code de rencontre."),
    "meeting.agree": _("{who} a dit oui à une rencontre."),
    "meeting.end": _("{who} a arrêté une rencontre."),
    "grant.give": _("{who} a donné un accès."),
    "grant.revoke": _("{who} a arrêté un accès."),
    "grant.go_on": _("{who} a dit : un accès signé sur papier continue."),
    "log.read": _("{who} a regardé cette liste."),
    "log.report": _("{who} a dit qu’une ligne de cette liste n’est pas normale."),
    "vault.erase_cancelled": _("{who} a gardé vos papiers : ils ne seront pas effacés."),
    "recovery.stop": _("{who} a arrêté une demande de rouvrir vos papiers."),
}
"""By whoever represents the person, where the sentence of somebody else would not do."""
REPRESENTATIVE = _("Votre représentant(e) légal(e), {name},")
"""Who did it, at the head of a sentence."""


def is_representative(actor: Mapping[str, str]) -> bool:
    """Whether somebody acted in the person's place."""
    return actor.get("kind") == ActorKind.REPRESENTATIVE.value


def did(entry: EntryView) -> str | None:
    """The sentence of what a representative did, where that of anybody else would not do."""
    return _REPRESENTED_DID.get(entry.action) if is_representative(entry.actor) else None
