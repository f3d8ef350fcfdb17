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
    "paper_not_compared": ErrorMessage(
        _("Est-ce bien la personne devant vous ?"),
        _("Vous n’avez pas coché que c’est elle."),
        _("Comparez la photo de la pièce et la personne. Si ce n’est pas elle, arrêtez ici."),
    ),
    "document_kind": ErrorMessage(
        _("Sorte de pièce inconnue"),
        _("Cette sorte de pièce d’identité n’est pas dans la liste."),
        _("Choisissez une sorte de la liste, ou « Autre »."),
    ),
    "phone_not_reached": ErrorMessage(
        _("Ce téléphone n’est pas confirmé"),
        _("Le code du SMS a été tapé il y a plus d’une demi-heure, ou par quelqu’un d’autre."),
        _("Envoyez un nouveau code à ce téléphone."),
    ),
    "shown_nothing": ErrorMessage(
        _("Il manque une preuve"),
        _("Il faut une carte, un téléphone qui marche, ou le code d’une personne de confiance."),
        _("Montrez-en une. Il n’y en a pas ? Une ou un autre collègue doit voir la personne."),
    ),
    "recovery_not_yet": ErrorMessage(
        _("Pas encore"),
        _("Vos papiers d’avant ne peuvent pas encore être ouverts."),
        _("Revenez à partir de la date qui est écrite sur la page."),
    ),
    "recovery_stopped": ErrorMessage(
        _("La demande est arrêtée"),
        _("Quelqu’un a arrêté la demande de rouvrir ces papiers. Rien n’a été ouvert."),
        _("Ce que vous avez mis ici reste. Retournez au guichet pour en parler."),
    ),
    "recovery_over": ErrorMessage(
        _("La demande est finie"),
        _("Elle est trop ancienne, elle n’a rien retrouvé, ou elle ne compte plus."),
        _("Ce que vous avez mis ici reste. Recommencez au guichet."),
    ),
    "recovery_rival": ErrorMessage(
        _("Deux demandes à la fois"),
        _("Deux demandes veulent rouvrir les mêmes papiers. Aucune ne les ouvre."),
        _("Allez au guichet : l’autre demande doit être arrêtée d’abord."),
    ),
    "recovery_warning_unsent": ErrorMessage(
        _("Un message n’est pas encore parti"),
        _("Avant d’ouvrir, nous prévenons le téléphone d’avant. Ce message attend encore."),
        _("Recommencez plus tard. Cela dure 7 jours au plus."),
    ),
    "too_many_recoveries": ErrorMessage(
        _("Trop de demandes"),
        _("Vous avez fait beaucoup de demandes, ou tapé beaucoup de codes, en peu de temps."),
        _("Attendez, puis recommencez. C’est urgent ? Demandez à une ou un collègue."),
    ),
}
