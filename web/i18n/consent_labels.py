"""What requests and grants are called, in French and by gettext: actions, durations, states."""

from web.i18n.error_messages import _

ACTIONS = {
    "attest": _("savoir si vous avez ces papiers, et leurs dates, sans les voir"),
    "read": _("voir ces papiers"),
    "deposit": _("ajouter des papiers pour vous"),
}
ACTIONS_ASKED = {
    "attest": _("Savoir si les papiers existent, et leurs dates, sans les voir"),
    "read": _("Voir les papiers"),
    "deposit": _("Ajouter des papiers pour la personne"),
}
DURATIONS = {
    "P1D": _("1 jour"),
    "P7D": _("1 semaine"),
    "P1M": _("1 mois"),
    "P2M": _("2 mois"),
    "P3M": _("3 mois"),
    "P6M": _("6 mois"),
    "P12M": _("1 an"),
}
STATES = {
    "waiting": _("En attente de réponse"),
    "approved": _("Accord donné"),
    "lapsed": _("Sans réponse"),
    "refused": _("Vous avez dit non"),
    "not_me": _("Vous avez répondu : ce n’est pas moi"),
    "withdrawn": _("Demande retirée"),
    "live": _("En cours"),
    "expired": _("Terminé"),
    "revoked": _("Arrêté"),
}
