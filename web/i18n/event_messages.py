"""A log entry as a plain sentence: who did what, and how it ended."""

import re
from collections.abc import Mapping

from auth.visitor import device_name
from vault.access_log.entries import EntryView, is_owner
from web.i18n import protection_messages, recovery_messages, two_vaults_messages
from web.i18n.catalogue_names import purpose_text, says_more
from web.i18n.direction import isolated
from web.i18n.error_messages import _
from web.i18n.quotation import quoted
from web.i18n.translations import translations

_YOU_DID = {
    "sign_in.code": _("Vous avez demandé un code pour ouvrir vos papiers."),
    "sign_in.success": _("Vous avez ouvert vos papiers avec un code."),
    "sign_in.end": _("Vous avez fermé vos papiers sur un appareil."),
    "means.add": _("Vous avez ajouté une façon d’entrer."),
    "means.remove": _("Vous avez retiré une façon d’entrer."),
    "means.free": _("Vous avez débloqué une carte."),
    "means.stop": _("Vous avez arrêté une carte perdue : tout s’est fermé."),
    "means.wait": _("Vous avez demandé à changer vos façons d’entrer sans preuve, dans 7 jours."),
    "means.wait_end": _("Vous avez annulé le changement de vos façons d’entrer sans preuve."),
    "pin.set": _("Vous avez choisi un code secret."),
    "anchor.enrol": _("Vous avez enregistré une empreinte de votre pièce d’identité."),
    "anchor.remove": _("Vous avez effacé l’empreinte de votre pièce d’identité."),
    "vault.open": _("Un endroit pour vos papiers a été créé."),
    "vault.erase_code": _("Vous avez demandé un code pour effacer vos papiers."),
    "vault.erase_asked": _("Vous avez demandé d’effacer tous vos papiers, dans 7 jours."),
    "vault.erase_cancelled": _("Vous avez gardé vos papiers : ils ne seront pas effacés."),
    **two_vaults_messages.YOU_DID,
    **recovery_messages.YOU_DID,
    **protection_messages.YOU_DID,
    "vault.export": _("Vous avez pris une copie de tous vos papiers."),
    "vault.export_asked": _("Vous avez demandé une copie de tous vos papiers."),
    "vault.import": _("Vous avez fait venir ici vos papiers d’ailleurs."),
    "document.deposit": _("Vous avez ajouté un papier."),
    "document.version": _("Vous avez remplacé un papier par un plus récent."),
    "document.correct": _("Vous avez corrigé le nom, la sorte ou les dates d’un papier."),
    "document.refuse_type": _("Vous avez dit non à une sorte de papier proposée."),
    "document.delete": _("Vous avez supprimé un papier."),
    "document.restore": _("Vous avez récupéré un papier supprimé."),
    "document.list": _("Vous avez vu la liste des papiers."),
    "document.read": _("Vous avez ouvert un papier."),
    "document.preview": _("Vous avez vu l’aperçu d’un papier."),
    "consent.approve": _("Vous avez dit oui à une demande d’accès."),
    "consent.refuse": _("Vous avez dit non à une demande d’accès."),
    "consent.not_me": _("Vous avez répondu : ce n’est pas moi."),
    "meeting.open": _("Vous avez demandé un code de rencontre."),
    "meeting.answer": _("Vous avez tapé le code de rencontre de {met} ({met_at})."),
    "meeting.agree": _("Vous avez dit oui à une rencontre avec {met} ({met_at})."),
    "meeting.end": _("Vous avez arrêté une rencontre."),
    "grant.give": _("Vous avez donné un accès."),
    "grant.revoke": _("Vous avez arrêté un accès."),
    "grant.go_on": _("Vous êtes là de nouveau : un accès signé sur papier continue."),
    "grant.see": _("Vous avez regardé un accès que vous avez donné."),
    "log.read": _("Vous avez regardé cette liste."),
    "log.report": _("Vous avez dit qu’une ligne de cette liste n’est pas normale."),
}
_NOT_ERASED = _("Vous avez essayé d’effacer vos papiers : ce n’était pas possible.")
_YOU_TRIED = {
    "means.add": _("Vous avez essayé d’ajouter une façon d’entrer : ce n’était pas possible."),
    "means.remove": _("Vous avez essayé de retirer une façon d’entrer : ce n’était pas possible."),
    "means.free": _("Vous avez essayé de débloquer une carte : ce n’était pas possible."),
    "means.stop": _("Vous avez essayé d’arrêter une carte : ce n’était pas possible."),
    "means.wait": _(
        "Vous avez demandé à changer vos façons d’entrer sans preuve : ce n’était pas possible."
    ),
    "pin.set": _("Vous avez essayé de choisir un code secret : ce n’était pas possible."),
    "anchor.enrol": _("Vous avez essayé d’enregistrer votre pièce d’identité : pas possible."),
    "anchor.remove": _("Vous avez essayé d’effacer l’empreinte de votre pièce : pas possible."),
    "sign_in.end": _("Vous avez essayé de fermer un autre appareil : ce n’était pas possible."),
    "vault.erase_code": _("Vous avez demandé un code pour effacer vos papiers : refusé."),
    **two_vaults_messages.YOU_TRIED,
    **recovery_messages.YOU_TRIED,
    **protection_messages.YOU_TRIED,
    "vault.export": _("Vous avez essayé de prendre une copie : ce n’était pas possible."),
    "vault.export_asked": _("Vous avez demandé une copie : ce n’était pas possible."),
    "vault.import": _("Vous avez essayé d’apporter une copie : ce n’était pas possible."),
    "vault.erase_asked": _("Vous avez essayé d’effacer vos papiers : le code était faux."),
    "document.version": _("Vous avez essayé de remplacer un papier : ce n’était pas possible."),
    "document.correct": _("Vous avez essayé de corriger un papier : ce n’était pas possible."),
    "document.refuse_type": _(
        "Vous avez essayé de répondre à une proposition : ce n’était pas possible."
    ),
    "document.delete": _("Vous avez essayé de supprimer un papier : ce n’était pas possible."),
    "document.restore": _("Vous avez essayé de récupérer un papier : ce n’était pas possible."),
    "document.list": _("Vous avez cherché un papier : il n’est pas ici."),
    "document.read": _("Vous avez essayé d’ouvrir un papier : ce n’était pas possible."),
    "document.preview": _("Vous avez essayé de voir un papier : ce n’était pas possible."),
    "consent.request": _("Vous avez essayé de voir une demande : ce n’était pas possible."),
    "consent.approve": _("Vous avez essayé de dire oui à une demande : ce n’était pas possible."),
    "consent.refuse": _("Vous avez essayé de dire non à une demande : ce n’était pas possible."),
    "consent.not_me": _("Vous avez essayé de répondre à une demande : ce n’était pas possible."),
    "meeting.open": _("Vous avez essayé d’avoir un code de rencontre : ce n’était pas possible."),
    "meeting.answer": _("Vous avez tapé un code de rencontre qui ne marche pas."),
    "meeting.agree": _("Vous avez essayé de dire oui à une rencontre : ce n’était pas possible."),
    "meeting.end": _("Vous avez essayé d’arrêter une rencontre : ce n’était pas possible."),
    "grant.give": _("Vous avez essayé de donner un accès : ce n’était pas possible."),
    "grant.revoke": _("Vous avez essayé d’arrêter un accès : ce n’était pas possible."),
    "grant.go_on": _(
        "Vous avez essayé de faire continuer un accès signé sur papier : ce n’était pas possible."
    ),
    "grant.see": _("Vous avez essayé de voir un accès : ce n’était pas possible."),
    "log.report": _(
        "Vous avez essayé de dire qu’une ligne n’est pas normale : ce n’était pas possible."
    ),
}
_DID = {
    "sign_in.code": _("Quelqu’un a demandé un code pour ouvrir vos papiers."),
    "sign_in.success": _("{who} a ouvert sa page avec un code."),
    "sign_in.end": _("{who} a fermé sa page sur un appareil."),
    "token.issue": _("{who} a ouvert une connexion au service."),
    "document.deposit": _("{who} a ajouté un papier."),
    "document.version": _("{who} a remplacé un papier par un plus récent."),
    "keys.destroy": _("Une ancienne année de cette liste a été effacée, comme prévu."),
    "document.purge": _("Un papier supprimé depuis 30 jours a été effacé pour toujours."),
    "document.infected": _("Un papier contient un virus : personne ne peut plus le recevoir."),
    "document.list": _("{who} a vu seulement le nom et les dates des papiers, sans les ouvrir."),
    "document.read": _("{who} a ouvert un papier."),
    "document.preview": _("{who} a vu l’aperçu d’un papier."),
    "document.suggest_type": _(
        "{who} a proposé une sorte de papier : rien ne change si vous ne dites pas oui."
    ),
    "document.attest": _("{who} a demandé si un papier existe, sans le voir."),
    "consent.request": _("{who} a envoyé une demande."),
    "consent.withdraw": _("{who} a retiré sa demande."),
    "grant.see": _("{who} a regardé ce qui lui est permis."),
    "grant.narrow": _(
        "Un accès montre moins qu’avant : certains papiers délicats se montrent maintenant un par"
        " un. Il garde ceux qu’il montrait ce jour, et aucun nouveau."
    ),
    "grant.revoke": _("Un accès a été arrêté : il ne montrait plus aucun papier."),
    "grant.give_back": _("{who} a rendu un accès : cet accès est arrêté."),
    "person.see": _("{who} a regardé tout ce qui lui est permis."),
    "vault.open": _("{who} a ouvert avec vous un endroit pour vos papiers."),
    **two_vaults_messages.DID,
    **protection_messages.DID,
    "pin.set": _("{who} était à côté de vous quand vous avez choisi votre code secret."),
    "anchor.enrol": _(
        "{who} était à côté de vous quand vous avez enregistré votre pièce d’identité."
    ),
    "means.add": _("{who} a fait une carte avec vous."),
    "means.free": _("{who} a débloqué une carte, à côté de vous."),
    "means.stop": _("{who} a arrêté une carte perdue ou volée, au guichet."),
    **recovery_messages.DID,
    "meeting.open": _("{who} a demandé un code de rencontre."),
    "meeting.answer": _("{who} a tapé votre code de rencontre."),
    "meeting.agree": _("{who} a dit oui à une rencontre avec vous."),
    "meeting.end": _("{who} a arrêté une rencontre avec vous."),
    "report.see": _("L’équipe de ce site a lu votre message."),
    "report.answer": _("L’équipe de ce site a répondu à votre message."),
}
_TRIED = {
    "sign_in.end": _("{who} a voulu fermer un autre appareil : refusé."),
    "sign_in.code": _("Quelqu’un a demandé un code pour ouvrir vos papiers : refusé."),
    "sign_in.failure": _("Quelqu’un a essayé d’ouvrir vos papiers avec un mauvais code."),
    "document.deposit": _("{who} a voulu ajouter un papier : refusé."),
    "document.version": _("{who} a voulu remplacer un papier : refusé."),
    "document.list": _("{who} a voulu voir la liste des papiers : refusé."),
    "document.read": _("{who} a voulu ouvrir un papier : refusé."),
    "document.preview": _("{who} a voulu voir l’aperçu d’un papier : refusé."),
    "document.suggest_type": _("{who} a voulu proposer une sorte de papier : refusé."),
    "document.attest": _("{who} a voulu savoir si un papier existe : refusé."),
    "consent.request": _("{who} a voulu envoyer une demande : refusé."),
    "consent.approve": _("{who} a voulu dire oui à une demande : refusé."),
    "consent.refuse": _("{who} a voulu dire non à une demande : refusé."),
    "consent.not_me": _("{who} a voulu répondre à une demande : refusé."),
    "grant.revoke": _("{who} a voulu arrêter un accès : refusé."),
    "grant.go_on": _("{who} a voulu faire continuer un accès signé sur papier : refusé."),
    "consent.withdraw": _("{who} a voulu retirer une demande : refusé."),
    "grant.see": _("{who} a voulu regarder un accès : refusé."),
    "grant.give_back": _("{who} a voulu rendre un accès : refusé."),
    "person.see": _("{who} a cherché une personne : refusé."),
    "means.free": _("{who} a voulu débloquer une carte : refusé."),
    "means.stop": _("{who} a voulu arrêter une carte : refusé."),
    **recovery_messages.TRIED,
    "meeting.open": _("{who} a voulu un code de rencontre : refusé."),
    "meeting.answer": _("{who} a tapé un code de rencontre qui ne marche pas."),
    "meeting.agree": _("{who} a voulu dire oui à une rencontre : refusé."),
    "meeting.end": _("{who} a voulu arrêter une rencontre : refusé."),
    "report.see": _("L’équipe de ce site a voulu lire un message : refusé."),
    "report.answer": _("L’équipe de ce site a voulu répondre à un message : refusé."),
}
# Refusals for which the sentence of the action alone would be wrong.
_YOU_TRIED_BECAUSE = {
    **dict.fromkeys(
        [("vault.erase_asked", why) for why in ("assisted", "card_too_new")], _NOT_ERASED
    ),
    **two_vaults_messages.YOU_TRIED_BECAUSE,
    **protection_messages.YOU_TRIED_BECAUSE,
}
_TRIED_BECAUSE = {
    ("meeting.open", "not_found"): _("{who} a voulu voir une rencontre : refusé."),
    ("meeting.open", "not_recipient"): _("{who} a voulu voir une rencontre : refusé."),
    ("sign_in.failure", "vault_asleep"): _("Quelqu’un a essayé d’ouvrir vos papiers : refusé."),
    ("consent.request", "not_found"): _("{who} a voulu voir une demande : refusé."),
    ("consent.request", "not_recipient"): _("{who} a voulu voir une demande : refusé."),
    ("consent.request", "not_addressee"): _("{who} a voulu voir une demande : refusé."),
}
# The sentence of an entry that says on which device; the others were written before, or have none.
_YOU_DID_ON = {
    "sign_in.success": _("Vous avez ouvert vos papiers avec un code, sur {device}."),
    "sign_in.end": _("Vous avez fermé vos papiers sur {device}."),
}
_DID_ON = {
    "sign_in.code": _("Quelqu’un a demandé un code pour ouvrir vos papiers, sur {device}."),
    "sign_in.success": _("{who} a ouvert sa page avec un code, sur {device}."),
    "sign_in.end": _("{who} a fermé sa page sur {device}."),
}
_TRIED_ON = {
    "sign_in.code": _(
        "Quelqu’un a demandé un code pour ouvrir vos papiers, sur {device} : refusé."
    ),
    "sign_in.failure": _(
        "Quelqu’un a essayé d’ouvrir vos papiers avec un mauvais code, sur {device}."
    ),
}
_YOU_SENT_AGAIN = _("Vous avez envoyé de nouveau un papier déjà là.")
_SENT_AGAIN = _("{who} a envoyé de nouveau un papier déjà ajouté.")
# The sentence of an entry about a card; the others are about a code, or were written before cards.
_YOU_DID_BY_CARD = {
    "sign_in.success": _("Vous avez ouvert vos papiers avec une carte, sur {device}."),
}
_TRIED_BY_CARD = {
    "sign_in.failure": _(
        "Quelqu’un a essayé d’ouvrir vos papiers avec votre carte et un mauvais code secret, sur"
        " {device}."
    ),
}
# Of an invitation, which opens the vault on a worker's screen: a row of meetings, but none of them.
_YOU_DID_TO_ENTER = {
    "meeting.answer": _(
        "Vous avez tapé le code de {met} ({met_at}), pour ouvrir vos papiers sur son écran."
    ),
    "meeting.agree": _(
        "Vous avez dit oui : vos papiers s’ouvrent 15 minutes sur l’écran de {met} ({met_at})."
    ),
    "meeting.end": _("Vous avez dit non : vos papiers ne s’ouvrent pas sur un autre écran."),
}
_YOU_TRIED_TO_ENTER = dict.fromkeys(
    ("meeting.answer", "meeting.agree"),
    _("Vous avez essayé d’ouvrir vos papiers sur un autre écran : ce n’était pas possible."),
)
_DID_TO_ENTER = {
    "meeting.end": _("{who} a arrêté : vos papiers ne s’ouvrent pas sur son écran."),
}
_TRIED_TO_ENTER = {
    "meeting.agree": _("{who} a voulu ouvrir vos papiers sur son écran : refusé."),
}
_YOU_DID_BY_PHONE = {
    "sign_in.success": _(
        "Vous avez ouvert vos papiers avec un oui sur votre téléphone, sur {device}."
    ),
}
_YOU_ENDED = _("Vous avez fermé vos papiers sur d’autres appareils ({count}).")
_ENDED = _("{who} a fermé sa page sur d’autres appareils ({count}).")
_YOU_OTHER = _("Vous avez fait une action sur vos papiers.")
_YOU_TRIED_OTHER = _("Vous avez essayé une action : elle n’a pas été possible.")
_OTHER_DID = _("{who} a fait une action sur des papiers.")
_OTHER_TRIED = _("{who} a essayé une action sur des papiers : refusé.")
_PLACE = re.compile(r"\{(\w+)\}")
_SOMEONE = _("Quelqu’un")
_WHO = _("{name} ({job}, {organisation})")
_WHO_SHORT = _("{name} ({organisation})")
_WHY = _(" Pourquoi : {purpose}.")
_CUT = _(" Le papier n’a pas été reçu en entier.")
_BESIDE = _(" {who} était à côté.")


def describe(entry: EntryView, language: str) -> str:
    """The sentence of an entry: who, with their work, did what, and why."""
    return _did_what(entry, _who(entry, language), language) + why(entry, language)


def why(entry: EntryView, language: str) -> str:
    """What follows the sentence: for which purpose, whether it was cut short, and who was beside
    the person, on whose device; or nothing."""
    translate = translations(language).gettext
    said = beside(entry, language)
    if entry.purpose and entry.reason != "not_recipient":
        said += filled(translate(_WHY), {"purpose": _reason(entry, entry.purpose, language)})
    if entry.confirmed == "interrupted":
        said += translate(_CUT)
    return said


def beside(entry: EntryView, language: str) -> str:
    """The worker beside whom it was done, in an assisted session; or nothing."""
    worker = entry.beside
    if worker is None:
        return ""
    return filled(translations(language).gettext(_BESIDE), {"who": _named(worker, language)})


def describe_briefly(entry: EntryView, language: str) -> str:
    """The same, below a heading that says who it is: their name, and what they did."""
    name = entry.actor.get("name") or translations(language).gettext(_SOMEONE)
    return _did_what(entry, isolated(name, language), language)


def _did_what(entry: EntryView, who: str, language: str) -> str:
    translate = translations(language).gettext
    values = {
        "who": who,
        "device": translate(device_name(str(entry.details.get("device", "")))),
        "count": str(entry.details.get("sessions", "")),
        "met": isolated(str(entry.details.get("met", "")), language),
        "met_at": isolated(str(entry.details.get("met_at", "")), language),
        "agents": isolated(str(entry.details.get("with", "")), language),
    }
    return filled(translate(_pattern(entry)), values)


def _pattern(entry: EntryView) -> str:
    of_its_own = _pattern_to_enter(entry) or recovery_messages.of_stop(entry)
    return of_its_own or _pattern_of_sessions(entry) or _pattern_of_action(entry)


def _pattern_to_enter(entry: EntryView) -> str | None:
    """The sentence of an invitation's line, or of the session that it led to."""
    allowed = entry.outcome == "allowed"
    if allowed and entry.details.get("level") == "phone_confirmed":
        return _YOU_DID_BY_PHONE.get(entry.action)
    if "enters" not in entry.details:
        return None
    if is_owner(entry):
        return (_YOU_DID_TO_ENTER if allowed else _YOU_TRIED_TO_ENTER).get(entry.action)
    return (_DID_TO_ENTER if allowed else _TRIED_TO_ENTER).get(entry.action)


def _pattern_of_sessions(entry: EntryView) -> str | None:
    """The sentence that names the device, or says how many sessions ended, if the entry says it."""
    allowed = entry.outcome == "allowed"
    if (entry.action, entry.reason) in _TRIED_BECAUSE:
        return None
    if allowed and "sessions" in entry.details:
        return _YOU_ENDED if is_owner(entry) else _ENDED
    if "device" not in entry.details:
        return None
    if "card" in entry.details:
        return (_YOU_DID_BY_CARD if allowed else _TRIED_BY_CARD).get(entry.action)
    if is_owner(entry):
        return _YOU_DID_ON.get(entry.action) if allowed else None
    return (_DID_ON if allowed else _TRIED_ON).get(entry.action)


def sent_again(entry: EntryView) -> bool:
    """Whether the answer of a deposit was told once more: the paper was there already."""
    return entry.action == "document.deposit" and "held" in entry.details


def _pattern_of_action(entry: EntryView) -> str:
    action = entry.action
    if entry.outcome == "allowed" and sent_again(entry):
        return _YOU_SENT_AGAIN if is_owner(entry) else _SENT_AGAIN
    if is_owner(entry):
        if entry.outcome == "allowed":
            return _YOU_DID.get(action, _YOU_OTHER)
        because = _YOU_TRIED_BECAUSE.get((action, entry.reason))
        return because or _YOU_TRIED.get(action, _YOU_TRIED_OTHER)
    if entry.outcome == "allowed":
        return protection_messages.did(entry) or _DID.get(action, _OTHER_DID)
    for_reason = _TRIED_BECAUSE.get((action, entry.reason))
    return for_reason or _TRIED.get(action, _OTHER_TRIED)


def _who(entry: EntryView, language: str) -> str:
    if not entry.actor.get("name"):
        return translations(language).gettext(_SOMEONE)
    return _named(entry.actor, language)


def _named(actor: Mapping[str, str], language: str) -> str:
    translate = translations(language).gettext
    if protection_messages.is_representative(actor):
        name = {"name": isolated(actor["name"], language)}
        return filled(translate(protection_messages.REPRESENTATIVE), name)
    return isolated(filled(translate(_WHO if actor.get("job") else _WHO_SHORT), actor), language)


def _reason(entry: EntryView, purpose: str, language: str) -> str:
    """As pages say it. Lines of before have no code."""
    code = entry.purpose_code
    if not code:
        return _words(purpose, language)
    words = _words(purpose, language) if says_more(code, purpose) else ""
    return purpose_text(code, words, language)


def _words(purpose: str, language: str) -> str:
    # The sentence has a full stop of its own.
    return isolated(quoted(purpose.rstrip(" ."), language), language)


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """A pattern with its values, put in at once: braces in a value stay as they are."""
    return _PLACE.sub(lambda place: values.get(place[1], ""), pattern)
