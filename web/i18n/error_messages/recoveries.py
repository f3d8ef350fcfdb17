"""Messages about a vault that is opened again at the desk."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "agent_too_new": ErrorMessage(
        _("Votre compte est trop récent"),
        _(
            "Pour rouvrir les papiers d’une personne, il faut un compte professionnel depuis plus"
            " de 90 jours."
        ),
        _("Demandez à une ou un collègue qui est là depuis plus longtemps."),
    ),
    "recovery_code_wrong": ErrorMessage(
        _("Ce code ne marche pas"),
        _("Il est faux ou trop ancien, ou la demande est finie ou arrêtée."),
        _("Vérifiez le code sur le bon. S’il est juste, recommencez la demande avec la personne."),
    ),
    "same_agent": ErrorMessage(
        _("Il faut une deuxième personne"),
        _(
            "Ce compte, ce nom ou cet appareil est celui de la première professionnelle ou du"
            " premier professionnel."
        ),
        _("Une ou un autre collègue voit la personne, et tape le code sur son propre appareil."),
    ),
    "document_kind": ErrorMessage(
        _("Sorte de pièce inconnue"),
        _("Cette sorte de pièce d’identité n’est pas dans la liste."),
        _("Choisissez une sorte de la liste, ou « Autre »."),
    ),
    "too_many_recoveries": ErrorMessage(
        _("Trop de demandes"),
        _("Vous avez fait beaucoup de demandes, ou tapé beaucoup de codes, en peu de temps."),
        _("Attendez, puis recommencez. C’est urgent ? Demandez à une ou un collègue."),
    ),
}
