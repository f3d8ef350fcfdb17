"""Sentences of the log of a vault that is opened again."""

from web.i18n.error_messages import _

YOU_DID = {
    "recovery.open": _(
        "Vos papiers ont été rouverts, comme demandé avec {agents}. Les anciennes cartes sont"
        " arrêtées."
    ),
}
YOU_TRIED = {
    "recovery.open": _(
        "Vous avez essayé de rouvrir vos papiers d’avant : ce n’était pas possible."
    ),
}
DID = {
    "recovery.begin": _("{who} a demandé, au guichet, à rouvrir des papiers."),
    "recovery.second": _("{who} a confirmé, au guichet, la demande de rouvrir des papiers."),
    "recovery.means": _("{who} a noté, au guichet, une preuve de plus pour rouvrir des papiers."),
}
TRIED = {
    "recovery.begin": _("{who} a voulu rouvrir des papiers, au guichet : refusé."),
    "recovery.second": _("{who} a voulu confirmer une demande de rouvrir des papiers : refusé."),
    "recovery.means": _("{who} a voulu noter une preuve pour rouvrir des papiers : refusé."),
}
