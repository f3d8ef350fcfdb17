"""Messages about cards, PINs and the means of entering."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "join_code_wrong": ErrorMessage(
        _("Ce code ne marche pas"),
        _("Il est faux, trop ancien, déjà tapé, ou c’est celui d’ici."),
        _("Ouvrez vos papiers de l’autre endroit, demandez un nouveau code, puis tapez-le ici."),
    ),
    "join_over": ErrorMessage(
        _("Ce n’est plus possible"),
        _("Le temps est passé, ou quelque chose a changé. Rien n’a été réuni."),
        _("Recommencez : demandez un nouveau code à l’autre endroit."),
    ),
    "join_not_now": ErrorMessage(
        _("Pas maintenant"),
        _(
            "À l’un des deux endroits, quelqu’un a demandé de tout effacer, ou de changer les"
            " façons d’entrer sans preuve."
        ),
        _("Annulez cette demande, ou attendez qu’elle soit finie. Puis recommencez."),
    ),
    "means_too_new": ErrorMessage(
        _("Pas encore"),
        _(
            "Votre téléphone, votre carte ou votre code secret d’ici a moins de 7 jours : il ne"
            " peut pas encore servir à réunir vos papiers. Rien n’a été réuni."
        ),
        _("Ce sera possible bientôt, si vous ne les changez pas. Jours à attendre : {days}."),
    ),
    "trusted_code_wrong": ErrorMessage(
        _("Ce code ne marche pas"),
        _(
            "Il est faux, trop ancien, déjà tapé, ou c’est le vôtre. Ou vous êtes déjà la personne"
            " de confiance de cette personne."
        ),
        _("Demandez-lui un nouveau code, puis tapez-le ici."),
    ),
    "too_many_trusted": ErrorMessage(
        _("Il y en a déjà assez"),
        _(
            "On peut choisir 2 personnes de confiance, et être la personne de confiance de 10"
            " autres. Rien n’a changé."
        ),
        _("Retirez d’abord une personne de la liste, puis recommencez."),
    ),
    "trusted_over": ErrorMessage(
        _("Ce n’est plus possible"),
        _("Le temps est passé, ou quelque chose a changé. Rien n’a changé ici."),
        _("Demandez à l’autre personne de recommencer, avec un nouveau code."),
    ),
    "trusted_too_new": ErrorMessage(
        _("Pas encore"),
        _(
            "Vous êtes sa personne de confiance depuis moins de 7 jours : vous ne pouvez pas encore"
            " dire au guichet que c’est elle."
        ),
        _("Ce sera possible bientôt. Jours à attendre : {days}."),
    ),
    "card_typo": ErrorMessage(
        _("Code de la carte incorrect"),
        _("Il y a une faute de frappe : une lettre est fausse, ou il en manque."),
        _(
            "Comparez avec votre carte, groupe par groupe. La carte est abîmée ? Prenez la"
            " deuxième carte, ou entrez avec votre téléphone."
        ),
    ),
    "card_of_another": ErrorMessage(
        _("Cette carte n’est pas d’ici"),
        _("Cette carte ouvre un autre site que celui-ci."),
        _("Utilisez l’adresse écrite sur la carte, ou demandez de l’aide au guichet."),
    ),
    "code_or_pin": ErrorMessage(
        _("Code reçu ou code secret"),
        _("Il faut le code reçu ou le code secret, et un seul."),
        _("Donnez d’abord le code reçu ; puis le code secret s’il est demandé."),
    ),
    "pin_wrong": ErrorMessage(
        _("Code secret non valable"),
        _("Ce code secret n’ouvre rien. Vérifiez les chiffres, et essayez encore."),
        _(
            "Cela ne marche toujours pas ? La carte est peut-être bloquée ou remplacée, ou il y a"
            " eu trop d’essais : entrez d’une autre façon, attendez demain, ou demandez de l’aide"
            " au guichet."
        ),
    ),
    "pin_digits": ErrorMessage(
        _("Code secret incorrect"),
        _("Un code secret a 6 chiffres. Si c’est trop difficile, il peut en avoir 4."),
        _("Choisissez 6 chiffres, ou 4."),
    ),
    "pin_again": ErrorMessage(
        _("Les deux codes secrets sont différents"),
        _("Vous avez écrit deux codes secrets différents."),
        _("Écrivez deux fois le même."),
    ),
    "pin_weak": ErrorMessage(
        _("Ce code secret ne peut pas être choisi"),
        _("Ce code secret est trop facile à deviner, ou il n’est pas permis."),
        _("Choisissez un autre code, sans date, sans suite et sans répétition."),
    ),
    "too_many_pins": ErrorMessage(
        _("Trop de codes secrets choisis"),
        _("Trop de codes secrets ont été choisis ou essayés ici depuis hier."),
        _("Attendez quelques heures, puis recommencez."),
    ),
    "too_many_cards": ErrorMessage(
        _("Trop de cartes"),
        _("Vous avez déjà {most} cartes."),
        _("Retirez une carte, ou remplacez-en une."),
    ),
    "desk_not_allowed": ErrorMessage(
        _("Votre structure n’ouvre pas de compte au guichet"),
        _("Votre structure n’a pas le droit d’ouvrir un endroit pour les papiers d’une personne."),
        _("Demandez ce droit à l’équipe du service."),
    ),
    "too_many_vaults": ErrorMessage(
        _("Trop d’ouvertures"),
        _("Vous avez ouvert beaucoup de comptes en peu de temps."),
        _("Attendez quelques minutes, puis recommencez."),
    ),
    "anchor_name": ErrorMessage(
        _("Nom incorrect"),
        _("Il manque le nom de famille, ou un nom a plus de 100 lettres."),
        _("Écrivez le nom comme sur la pièce d’identité."),
    ),
    "under_fifteen": ErrorMessage(
        _("Pas avant 15 ans"),
        _("Avant 15 ans, ce n’est pas possible pour l’instant."),
        _("Vérifiez la date de naissance. Un parent peut garder ces papiers avec les siens."),
    ),
    "protection_over": ErrorMessage(
        _("Ce jour est passé"),
        _("Le dernier jour de cette mesure est déjà passé."),
        _("Écrivez le dernier jour qui est sur le jugement, ou rien."),
    ),
    "protection_too_long": ErrorMessage(
        _("Jour trop lointain"),
        _("Une mesure dure 20 ans au plus."),
        _("Écrivez le dernier jour qui est sur le jugement, ou rien."),
    ),
    "anchor_date": ErrorMessage(
        _("Date de naissance incorrecte"),
        _("Cette date de naissance n’existe pas, ou n’est pas complète."),
        _("Écrivez le jour, le mois et l’année : 05/11/1980. Écrivez 00 pour ce qui manque."),
    ),
    "anchor_document": ErrorMessage(
        _("Numéro de pièce incorrect"),
        _("Il faut exactement 4 signes : des chiffres, ou des lettres de A à Z."),
        _("Écrivez les 4 derniers signes du numéro de la pièce, et pas tout le numéro."),
    ),
    "too_many_anchors": ErrorMessage(
        _("Trop de changements"),
        _("Votre pièce d’identité a été changée plusieurs fois en peu de temps."),
        _("Attendez quelques heures, puis recommencez."),
    ),
    "desk_form_sent": ErrorMessage(
        _("Cette page a déjà servi"),
        _("Elle a ouvert un endroit, et sa carte a été arrêtée depuis. Rien d’autre n’est ouvert."),
        _("Recommencez avec la personne, depuis « Au guichet » : une nouvelle carte sera faite."),
    ),
    "not_when_assisted": ErrorMessage(
        _("Pas avec quelqu’un à côté"),
        _(
            "Vous êtes sur l’appareil de quelqu’un qui est à côté de vous. Ici, on n’efface pas"
            " tous ses papiers, on ne copie pas toute la liste, et on ne change ni le code secret,"
            " ni la carte, ni le téléphone."
        ),
        _("Rien n’a changé. Faites-le sur un autre appareil, sans personne à côté."),
    ),
    "not_on_shared_device": ErrorMessage(
        _("Pas sur un appareil partagé"),
        _(
            "Ce oui ouvre vos papiers sur un autre écran. Il se donne sur votre propre téléphone,"
            " pas sur un appareil que d’autres utilisent."
        ),
        _("Entrez sur votre propre téléphone. Ou entrez avec votre carte."),
    ),
    "assisted_too_long": ErrorMessage(
        _("Trop long avec cette personne à côté"),
        _("À la personne qui est à côté de vous, vous pouvez donner un accès de 3 mois au plus."),
        _(
            "Choisissez 3 mois ou moins, ou sans copie gardée. Sans personne à côté, vous pourrez"
            " donner plus longtemps."
        ),
    ),
    "assisted_sensitive": ErrorMessage(
        _("Pas de papier délicat avec cette personne à côté"),
        _(
            "Un papier délicat (santé, justice, convictions) ne se donne pas à la personne qui est"
            " à côté de vous, et reste délicat tant qu’elle est là."
        ),
        _("Enlevez ce papier. Sans personne à côté, vous pourrez le donner."),
    ),
    "session_locked": ErrorMessage(
        _("Votre espace est fermé pour l’instant"),
        _("Une personne a ouvert ses papiers sur votre appareil, avec vous."),
        _("Terminez d’abord avec elle. Sinon, cela se termine tout seul, en 15 minutes au plus."),
    ),
    "too_many_desk_cards": ErrorMessage(
        _("Trop de cartes en peu de temps"),
        _("Vous avez débloqué ou arrêté beaucoup de cartes en peu de temps."),
        _("Attendez quelques minutes, puis recommencez."),
    ),
    "phone_too_new": ErrorMessage(
        _("Numéro ajouté depuis peu"),
        _("Ce numéro a moins de 7 jours : il ne peut pas encore servir à effacer vos papiers."),
        _("Attendez que le numéro ait 7 jours, puis recommencez."),
    ),
    "card_too_new": ErrorMessage(
        _("Carte ou code secret trop récent"),
        _(
            "Votre carte ou votre code secret a moins de 7 jours : il ne peut pas encore servir à"
            " effacer vos papiers."
        ),
        _("Attendez 7 jours sans changer de carte ni de code secret, puis recommencez."),
    ),
    "card_is_stopped": ErrorMessage(
        _("Cette carte est déjà arrêtée"),
        _("Elle n’ouvre plus rien."),
        _("Vous n’avez rien à faire. Vous pouvez faire une nouvelle carte."),
    ),
    "last_means": ErrorMessage(
        _("C’est votre dernière façon d’entrer"),
        _("Sans elle, vous ne pourriez plus ouvrir vos papiers."),
        _("Ajoutez d’abord une carte ou un téléphone, puis retirez celle-ci."),
    ),
    "phone_not_added": ErrorMessage(
        _("Ce téléphone ne peut pas être ajouté"),
        _("Ce numéro ne peut pas être ajouté à ces papiers."),
        _("Donnez un autre numéro, ou demandez de l’aide au guichet."),
    ),
    "proof_needed": ErrorMessage(
        _("Prouvez que c’est vous"),
        _("Pour changer vos façons d’entrer, il faut votre code secret, ou un code reçu par SMS."),
        _(
            "Donnez votre code secret ; sans téléphone, avec votre carte. Vous n’avez pas de code"
            " secret ? Demandez un code par SMS. Rien n’est possible ? Demandez le changement, et"
            " attendez 7 jours."
        ),
    ),
    "proof_wrong": ErrorMessage(
        _("Ce n’est pas le bon code"),
        _("Ce code ou cette carte ne prouve pas que c’est vous. Rien n’a changé."),
        _("Vérifiez les chiffres, puis recommencez. Après trop d’essais, attendez demain."),
    ),
    "too_many_proofs": ErrorMessage(
        _("Trop d’essais"),
        _("Trop de codes faux ont été donnés pour changer vos façons d’entrer."),
        _(
            "Attendez demain, puis recommencez. Pour changer une façon d’entrer, vous pouvez aussi"
            " demander le changement en 7 jours."
        ),
    ),
    "no_proof_code": ErrorMessage(
        _("Aucun code n’est envoyé"),
        _("Vos papiers ont un code secret : c’est lui qui est demandé."),
        _("Donnez votre code secret ; sans téléphone, avec votre carte."),
    ),
    "session_too_short": ErrorMessage(
        _("Vos papiers se ferment trop tôt ici"),
        _("Il faut attendre 7 jours, et vos papiers se fermeront ici avant."),
        _("Entrez de nouveau sur votre propre appareil, puis demandez le changement en 7 jours."),
    ),
}
