"""Messages of the public log."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "log_unpublished": ErrorMessage(
        _("Journal pas encore publié"),
        _("Le journal n’a pas encore publié de point de contrôle."),
        _("Recommencez dans quelques instants."),
    ),
    "report_answered": ErrorMessage(
        _("Déjà répondu"),
        _("Ce signalement a déjà une réponse."),
        _("Relisez la réponse avec unefois reports see."),
    ),
    "log_broken": ErrorMessage(
        _("Journal à vérifier"),
        _(
            "Les fichiers du journal ne suffisent pas comme preuve."
            " Nous ne pouvons donc pas confirmer cette ligne."
        ),
        _("Signalez-le au service : l’exploitant doit contrôler le journal."),
    ),
}
