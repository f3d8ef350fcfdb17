"""Messages about an organisation's statistics."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "month_invalid": ErrorMessage(
        _("Mois incorrect"),
        _("Le mois s’écrit année-mois, par exemple 2026-03."),
        _("Corrigez le mois, puis recommencez."),
    ),
    "month_not_over": ErrorMessage(
        _("Mois pas encore terminé"),
        _("Un mois se regarde quand il est fini, pour ne montrer personne du doigt."),
        _("Choisissez un mois passé, ou revenez le mois prochain."),
    ),
}
