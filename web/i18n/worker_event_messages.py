"""What a worker did, said to themselves: without their own name and work."""

from auth.visitor import device_name
from vault.access_log.entries import EntryView
from web.i18n.error_messages import _
from web.i18n.event_messages import describe, filled, sent_again, why
from web.i18n.translations import translations

_DID = {
    "sign_in.success": _("Vous avez ouvert votre page avec un code, sur {device}."),
    "sign_in.end": _("Vous avez fermé votre page, sur {device}."),
    "document.deposit": _("Vous avez ajouté un papier."),
    "document.list": _("Vous avez vu la liste des papiers."),
    "document.read": _("Vous avez ouvert un papier."),
    "document.preview": _("Vous avez vu l’aperçu d’un papier."),
    "document.suggest_type": _("Vous avez proposé une sorte de papier."),
    "document.attest": _("Vous avez demandé si un papier existe, sans le voir."),
    "vault.open": _("Vous avez ouvert un endroit pour les papiers d’une personne, au guichet."),
    "pin.set": _("La personne à côté de vous a choisi son code secret."),
    "anchor.enrol": _("La personne à côté de vous a enregistré sa pièce d’identité."),
    "means.add": _("Vous avez fait une carte avec une personne."),
    "grant.see": _("Vous avez regardé ce qui vous est permis."),
    "grant.give_back": _("Vous avez rendu un accès."),
    "person.see": _("Vous avez regardé ce qui vous est permis."),
    "meeting.open": _("Vous avez demandé un code de rencontre."),
    "meeting.answer": _("Vous avez tapé un code de rencontre."),
    "meeting.agree": _("Vous avez dit oui à une rencontre."),
    "meeting.end": _("Vous avez arrêté une rencontre."),
}
_DID_TO_LET_IN = {
    "meeting.open": _("Vous avez demandé un code, pour entrer avec une personne."),
    "meeting.end": _("Vous avez arrêté d’attendre le oui d’une personne."),
}
_SENT_AGAIN = _("Vous avez envoyé de nouveau un papier déjà ajouté.")
_TRIED = {
    "document.deposit": _("Vous avez essayé d’ajouter un papier : ce n’était pas possible."),
    "document.list": _("Vous avez essayé de voir la liste : ce n’était pas possible."),
    "document.read": _("Vous avez essayé d’ouvrir un papier : ce n’était pas possible."),
    "document.preview": _("Vous avez essayé de voir un papier : ce n’était pas possible."),
    "grant.see": _("Vous avez essayé de voir un accès : ce n’était pas possible."),
    "meeting.answer": _("Vous avez tapé un code de rencontre qui ne marche pas."),
}
_TRIED_OTHER = _("Vous avez essayé une action : elle n’a pas été possible.")


def describe_to_worker(entry: EntryView, language: str) -> str:
    """The sentence of an entry to the worker whose act it is; of what has none here, or is not
    known to be theirs, the sentence that everybody reads."""
    pattern = _pattern(entry)
    if pattern is None:
        return describe(entry, language)
    translate = translations(language).gettext
    values = {"device": translate(device_name(str(entry.details.get("device", ""))))}
    return filled(translate(pattern), values) + why(entry, language)


def _pattern(entry: EntryView) -> str | None:
    if "sessions" in entry.details:
        return None
    if entry.outcome == "allowed" and "enters" in entry.details:
        return _DID_TO_LET_IN.get(entry.action)
    if entry.outcome == "allowed":
        return _SENT_AGAIN if sent_again(entry) else _DID.get(entry.action)
    return None if entry.action.startswith("sign_in.") else _TRIED.get(entry.action, _TRIED_OTHER)
