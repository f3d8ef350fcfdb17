"""A line of the log as a plain sentence: who did what, and how it ended."""

from vault.journal import Entry, is_owner
from web.sentences import _
from web.translations import translations

_YOU_DID = {
    "sign_in.code": _("Vous avez demandé un code pour ouvrir le coffre."),
    "sign_in.success": _("Vous avez ouvert le coffre avec un code."),
    "sign_in.end": _("Vous avez fermé le coffre sur un appareil."),
    "vault.open": _("Le coffre a été créé."),
    "vault.export": _("Vous avez emporté une copie de tout le coffre."),
    "document.deposit": _("Vous avez ajouté un document."),
    "document.version": _("Vous avez ajouté une nouvelle version d’un document."),
    "document.correct": _("Vous avez corrigé ce qui est dit d’un document."),
    "document.delete": _("Vous avez supprimé un document."),
    "document.restore": _("Vous avez repris un document supprimé."),
    "document.list": _("Vous avez vu la liste des documents."),
    "document.read": _("Vous avez ouvert un document."),
    "document.preview": _("Vous avez vu l’aperçu d’un document."),
    "consent.approve": _("Vous avez dit oui à une demande d’accès."),
    "consent.refuse": _("Vous avez dit non à une demande d’accès."),
    "consent.not_me": _("Vous avez répondu : ce n’est pas moi."),
    "grant.give": _("Vous avez donné un accès."),
    "grant.revoke": _("Vous avez repris un accès."),
    "grant.see": _("Vous avez relu un accès."),
}
_DID = {
    "sign_in.failure": _("Quelqu’un a essayé d’ouvrir le coffre avec un mauvais code."),
    "sign_in.success": _("{who} a ouvert sa page avec un code."),
    "sign_in.end": _("{who} a fermé sa page sur un appareil."),
    "document.deposit": _("{who} a ajouté un document."),
    "document.purge": _("Un document supprimé depuis 30 jours a été effacé pour toujours."),
    "document.list": _("{who} a vu la liste des documents."),
    "document.read": _("{who} a ouvert un document."),
    "document.preview": _("{who} a vu l’aperçu d’un document."),
    "document.attest": _("{who} a demandé si un document existe, sans le voir."),
    "consent.request": _("{who} a demandé un accès."),
    "grant.see": _("{who} a relu un accès."),
}
_TRIED = {
    "document.deposit": _("{who} a voulu ajouter un document : refusé."),
    "document.list": _("{who} a voulu voir la liste des documents : refusé."),
    "document.read": _("{who} a voulu ouvrir un document : refusé."),
    "document.preview": _("{who} a voulu voir l’aperçu d’un document : refusé."),
    "document.attest": _("{who} a voulu savoir si un document existe : refusé."),
    "consent.request": _("{who} a voulu demander un accès : refusé."),
    "sign_in.failure": _("Quelqu’un a essayé d’ouvrir le coffre avec un mauvais code."),
}
_YOU_OTHER = _("Vous avez fait une action sur le coffre.")
_YOU_TRIED = _("Vous avez essayé une action : elle n’a pas été possible.")
_OTHER_DID = _("{who} a fait une action sur le coffre.")
_OTHER_TRIED = _("{who} a essayé une action sur le coffre : refusé.")
_SOMEONE = _("Quelqu’un")
_WHO = _("{name} ({job}, {organisation})")
_WHO_SHORT = _("{name} ({organisation})")
_WHY = _(" Pourquoi : {purpose}.")
_CUT = _(" L’envoi a été interrompu.")


def tell(entry: Entry, language: str) -> str:
    """The sentence of a line, in `fr` or `en`."""
    translate = translations(language).gettext
    sentence = translate(_pattern(entry)).replace("{who}", _who(entry, language))
    if entry.purpose and entry.reason != "not_recipient":
        sentence += translate(_WHY).replace("{purpose}", entry.purpose.rstrip(". "))
    if entry.confirmed == "interrupted":
        sentence += translate(_CUT)
    return sentence


def _pattern(entry: Entry) -> str:
    allowed = entry.outcome == "allowed"
    if is_owner(entry):
        return _YOU_DID.get(entry.action, _YOU_OTHER) if allowed else _YOU_TRIED
    if allowed:
        return _DID.get(entry.action, _OTHER_DID)
    return _TRIED.get(entry.action, _OTHER_TRIED)


def _who(entry: Entry, language: str) -> str:
    translate = translations(language).gettext
    actor = entry.actor
    if not actor.get("name"):
        return translate(_SOMEONE)
    pattern = translate(_WHO if actor.get("job") else _WHO_SHORT)
    for name in ("name", "job", "organisation"):
        pattern = pattern.replace("{" + name + "}", actor.get(name, ""))
    return pattern
