"""Sentences of the log of a vault that is opened again."""

from vault.access_log.entries import EntryView, is_owner
from web.i18n.error_messages import _

YOU_DID = {
    "recovery.open": _(
        "Vos papiers ont été rouverts, comme demandé avec {agents}. Les anciennes cartes sont"
        " arrêtées."
    ),
    "recovery.stop": _("Vous avez arrêté une demande de rouvrir vos papiers."),
    "recovery.confirm": _(
        "Vous avez dit : c’est bien moi. Vos papiers pouvaient être rouverts tout de suite."
    ),
}
YOU_TRIED = {
    "recovery.stop": _(
        "Vous avez essayé d’arrêter une demande de rouvrir vos papiers : ce n’était pas possible."
    ),
    "recovery.confirm": _(
        "Vous avez essayé de dire que c’est bien vous : ce n’était pas possible."
    ),
    "recovery.open": _(
        "Vous avez essayé de rouvrir vos papiers d’avant : ce n’était pas possible."
    ),
}
DID = {
    "recovery.begin": _("{who} a demandé, au guichet, à rouvrir des papiers."),
    "recovery.second": _("{who} a confirmé, au guichet, la demande de rouvrir des papiers."),
    "recovery.means": _("{who} a noté, au guichet, une preuve de plus pour rouvrir des papiers."),
    "recovery.stop": _("Une demande de rouvrir des papiers est arrêtée."),
    "recovery.confirm": _("Quelqu’un a dit, avec une façon d’entrer d’avant, que c’est bien vous."),
}
TRIED = {
    "recovery.stop": _("{who} a voulu arrêter une demande de rouvrir des papiers : refusé."),
    "recovery.begin": _("{who} a voulu rouvrir des papiers, au guichet : refusé."),
    "recovery.second": _("{who} a voulu confirmer une demande de rouvrir des papiers : refusé."),
    "recovery.means": _("{who} a voulu noter une preuve pour rouvrir des papiers : refusé."),
}
_YOU_HELPED = _(
    "Vous avez arrêté les demandes de rouvrir les papiers d’une personne qui vous fait confiance."
)
_STOPPED_BY = {
    "phone": _("Quelqu’un a arrêté une demande de rouvrir vos papiers, avec le code d’un SMS."),
    "trusted": _("Votre personne de confiance a arrêté une demande de rouvrir vos papiers."),
    "worker": _("{who} a annulé une demande de rouvrir des papiers."),
}


def of_stop(entry: EntryView) -> str | None:
    """The sentence of a recovery that was stopped, by whom; None of another line."""
    if entry.action != "recovery.stop" or entry.outcome != "allowed":
        return None
    if is_owner(entry):
        return _YOU_HELPED if "trusted" in entry.details else None
    return _STOPPED_BY.get(str(entry.details.get("by", "")))
