"""Messages about the forms of the pages."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "one_paper_unsaid": ErrorMessage(
        _("Est-ce le même papier ?"),
        _("Il y a une photo et un fichier PDF."),
        _("Si ce sont deux papiers, enlevez-en un."),
    ),
    "form_expired": ErrorMessage(
        _("Cette page est trop ancienne"),
        _("Le formulaire n’est plus valable. Rien n’a été fait."),
        _("Revenez à la page, rechargez-la, puis recommencez."),
    ),
    "date_unreadable": ErrorMessage(
        _("Date incorrecte"),
        _("Nous n’avons pas compris cette date."),
        _("Écrivez le jour, le mois et l’année, comme 31/12/2026."),
    ),
    "year_unreadable": ErrorMessage(
        _("Année incorrecte"),
        _("Nous n’avons pas compris l’année des revenus."),
        _("Écrivez seulement l’année, avec quatre chiffres, comme 2025."),
    ),
    "purpose_missing": ErrorMessage(
        _("Raison manquante"),
        _("La personne doit savoir pourquoi vous demandez ses papiers."),
        _("Écrivez une phrase simple : à quoi vont servir ces papiers."),
    ),
    "action_unsaid": ErrorMessage(
        _("Que permettez-vous ?"),
        _("Vous n’avez rien coché."),
        _("Cochez ce que vous permettez. Pour ne rien permettre, revenez et dites non."),
    ),
    "duration_unsaid": ErrorMessage(
        _("Jusqu’à quand ?"),
        _("Vous n’avez pas choisi de date."),
        _("Choisissez jusqu’à quand."),
    ),
    "longer_unsaid": ErrorMessage(
        _("Cette personne voit déjà plus longtemps ce que vous montrez"),
        _("Vous n’avez pas choisi : arrêter cela, ou laisser."),
        _("Choisissez l’un des deux. Rien n’est encore donné."),
    ),
    "replace_unsaid": ErrorMessage(
        _("Remplacer l’ancien ?"),
        _("Vous n’avez pas choisi ce que devient l’ancien papier."),
        _("Choisissez : remplacer l’ancien, ou garder les deux."),
    ),
    "protection_kind": ErrorMessage(
        _("Quelle curatelle ?"),
        _("Il manque la sorte de curatelle."),
        _("Choisissez ce qui est écrit sur le jugement."),
    ),
    "day_unsaid": ErrorMessage(
        _("Quel jour ?"),
        _("Vous avez choisi « Un autre jour », sans dire lequel."),
        _("Écrivez le jour, par exemple 31/12/2026. Ou choisissez un des jours proposés."),
    ),
    "day_late": ErrorMessage(
        _("Ce jour est trop loin"),
        _("Ce jour est trop loin."),
        _("Choisissez un jour plus proche : pas après le dernier qui est proposé."),
    ),
    "code_just_sent": ErrorMessage(
        _("Un code vient de partir"),
        _("Le message peut mettre une minute à arriver."),
        _("Attendez encore {seconds} secondes, puis demandez un nouveau code."),
    ),
    "copy_unsaid": ErrorMessage(
        _("Une copie ou pas ?"),
        _("Vous n’avez pas choisi."),
        _("Choisissez oui ou non. Vous pouvez dire oui sans permettre de copie."),
    ),
    "answer_changed": ErrorMessage(
        _("Quelque chose a changé"),
        _("Un papier ou une date a changé depuis que vous avez ouvert cette page."),
        _("Relisez cette page. Rien n’est encore donné."),
    ),
    "reason_unsaid": ErrorMessage(
        _("Pourquoi ?"),
        _("Vous n’avez pas choisi de raison."),
        _("Choisissez une raison dans la liste."),
    ),
    "too_many_pictures": ErrorMessage(
        _("Trop de photos commencées"),
        _("Vous avez déjà {limit} photos de papiers commencés."),
        _("Finissez un papier commencé, ou enlevez des photos. Puis recommencez."),
    ),
    "pictures_gone": ErrorMessage(
        _("Il manque des photos"),
        _("Photos ou fichiers qui ne sont plus là : {count}. Il en reste : {left}."),
        _("Reprenez ce qui manque, ou gardez le papier avec ce qui reste."),
    ),
    "recipient_twice": ErrorMessage(
        _("À qui ?"),
        _("Vous avez coché une personne, et aussi écrit un e-mail."),
        _("Gardez une seule réponse : effacez l’e-mail, ou cochez « Une autre personne »."),
    ),
    "recipient_unsaid": ErrorMessage(
        _("À qui ?"),
        _("Vous n’avez pas dit à qui."),
        _("Choisissez une personne, ou écrivez son e-mail."),
    ),
    "too_many_papers": ErrorMessage(
        _("Trop de papiers"),
        _("Vous pouvez montrer {limit} papiers au plus à la fois."),
        _("Enlevez des papiers, ou faites-le en deux fois."),
    ),
}
