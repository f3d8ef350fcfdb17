"""Messages about asking for consent, giving it, and what a grant lets one do."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "unknown_document_type": ErrorMessage(
        _("Type de document inconnu"),
        _("Ce type de document n’existe pas dans la liste."),
        _("Choisissez un type de la liste publiée à /v1/document-types."),
    ),
    "document_type_retired": ErrorMessage(
        _("Type de document remplacé"),
        _("Ce type de document n’est plus proposé. Il reste sur les papiers d’avant."),
        _("Choisissez à la place : {replaced_by}."),
    ),
    "scope_empty": ErrorMessage(
        _("Rien n’est demandé"),
        _("Il faut au moins une action, et au moins un type de document ou un document."),
        _(
            "Ajoutez un type ou un document. Ce n’est pas nécessaire si vous demandez seulement à"
            " ajouter des papiers."
        ),
    ),
    "unknown_purpose": ErrorMessage(
        _("Raison inconnue"),
        _("Cette raison n’existe pas dans la liste."),
        _(
            "Choisissez une raison de la liste, puis précisez-la avec vos mots. Pour un programme :"
            " PurposeCode, dans /v1/openapi.json."
        ),
    ),
    "unknown_legal_basis": ErrorMessage(
        _("Base légale inconnue"),
        _("Cette base légale n’existe pas dans la liste."),
        _("Choisissez : consent, legal_obligation ou public_task."),
    ),
    "duration_invalid": ErrorMessage(
        _("Durée illisible"),
        _("La durée n’est pas écrite selon la norme ISO 8601."),
        _("Écrivez par exemple P7D pour sept jours, P1M pour un mois, P1Y pour un an."),
    ),
    "duration_too_long": ErrorMessage(
        _("Durée trop longue"),
        _("Un accord dure douze mois au plus."),
        _("Choisissez une durée plus courte. L’accord pourra être redonné plus tard."),
    ),
    "day_over": ErrorMessage(
        _("Ce jour est passé"),
        _("Ce jour est déjà fini."),
        _("Choisissez aujourd’hui, ou un jour qui vient."),
    ),
    "store_not_asked": ErrorMessage(
        _("Durée de conservation sans conservation"),
        _("Une durée de conservation est donnée, mais garder une copie n’est pas prévu."),
        _("Mettez may_store à true, ou retirez store_for."),
    ),
    "text_empty": ErrorMessage(
        _("Texte vide"),
        _("Un texte obligatoire ne contient aucun caractère visible."),
        _("Écrivez la raison de la demande et le nom de la personne à joindre."),
    ),
    "text_too_long": ErrorMessage(
        _("Texte trop long"),
        _("Un texte dépasse {limit} caractères."),
        _("Écrivez un texte plus court."),
    ),
    "cursor_invalid": ErrorMessage(
        _("Suite de liste illisible"),
        _("La valeur de « cursor » n’est pas celle d’une page précédente."),
        _("Reprenez la liste du début, sans « cursor »."),
    ),
    "too_many_requests": ErrorMessage(
        _("Trop de demandes"),
        _("La même chose a été faite trop souvent en peu de temps."),
        _("Attendez un peu, puis recommencez."),
    ),
    "idempotency_key_invalid": ErrorMessage(
        _("Clé d’idempotence illisible"),
        _("L’en-tête Idempotency-Key doit avoir de 1 à 255 caractères ASCII visibles."),
        _("Tirez une nouvelle clé au hasard, un UUID par exemple."),
    ),
    "idempotency_key_reused": ErrorMessage(
        _("Clé d’idempotence déjà utilisée"),
        _("Cette clé a déjà servi pour une autre demande."),
        _("Tirez une nouvelle clé pour chaque demande différente."),
    ),
    "sensitive_by_type": ErrorMessage(
        _("Papiers délicats : un par un"),
        _("Les papiers délicats se partagent un par un."),
        _("Choisissez chaque papier délicat à partager, ou retirez cette sorte de papier."),
    ),
    "nothing_granted": ErrorMessage(
        _("Rien n’est partagé"),
        _("Vous n’avez choisi aucun papier, ou vous ne permettez rien."),
        _("Choisissez au moins un papier et ce que vous permettez, ou dites non."),
    ),
    "scope_widened": ErrorMessage(
        _("Plus que ce qui est demandé"),
        _("L’accès irait plus loin, ou durerait plus longtemps, que la demande."),
        _("Dites oui à toute la demande ou à une partie. Pour donner plus, donnez un autre accès."),
    ),
    "unknown_document": ErrorMessage(
        _("Papier introuvable"),
        _("Un des papiers choisis n’est pas parmi les papiers de cette personne."),
        _("Choisissez parmi les papiers de la liste."),
    ),
    "request_answered": ErrorMessage(
        _("Demande déjà traitée"),
        _("Une réponse a déjà été donnée à cette demande."),
        _("Regardez les accès que vous avez donnés. Vous pouvez les arrêter quand vous voulez."),
    ),
    "meeting_code_wrong": ErrorMessage(
        _("Ce code ne marche pas"),
        _("Ce code n’existe pas, ou ne sert plus. Un code sert une fois, pendant cinq minutes."),
        _("Relisez le code avec la personne devant vous, ou demandez-lui un nouveau code."),
    ),
    "meeting_not_agreed": ErrorMessage(
        _("Il manque un oui"),
        _("Vous n’avez pas encore dit oui tous les deux à cette rencontre."),
        _("Regardez chacun votre écran, et dites oui si le nom et le mot sont les bons."),
    ),
    "meeting_over": ErrorMessage(
        _("Rencontre terminée"),
        _("Cette rencontre ne sert plus : elle a déjà servi, ou le temps est passé."),
        _("Commencez une nouvelle rencontre."),
    ),
    "request_lapsed": ErrorMessage(
        _("Demande trop ancienne"),
        _("Cette demande est restée sans réponse pendant sept jours : elle ne compte plus."),
        _("Attendez une nouvelle demande, ou donnez un accès vous-même."),
    ),
    "request_approved": ErrorMessage(
        _("La personne a dit oui"),
        _("Cette demande a reçu un accord : elle ne peut plus être retirée."),
        _("Rendez l’accès, si vous n’en avez plus besoin."),
    ),
    "request_withdrawn": ErrorMessage(
        _("Demande retirée"),
        _("La personne ou le service qui vous demandait ces papiers a retiré sa demande."),
        _("Vous n’avez rien à faire."),
    ),
    "too_many_labels": ErrorMessage(
        _("Trop de noms"),
        _("Vous pouvez donner un nom à {limit} personnes au plus."),
        _("Enlevez le nom d’une personne que vous ne suivez plus."),
    ),
    "unknown_recipient": ErrorMessage(
        _("Destinataire inconnu"),
        _("Nous ne connaissons ni professionnel ni service à cette adresse."),
        _("Demandez-lui de vérifier son adresse e-mail ou son identifiant."),
    ),
    "evidence_level": ErrorMessage(
        _("Entrée autrement"),
        _("Vous n’êtes pas entré de cette façon dans vos papiers."),
        _("Sortez, puis entrez de cette façon. Ou dites l’accord d’une autre façon."),
    ),
    "evidence_worker": ErrorMessage(
        _("Professionnelle inconnue"),
        _(
            "La personne à côté de vous n’est pas de la structure qui reçoit, ou nous ne la"
            " connaissons pas."
        ),
        _("Faites d’abord une rencontre avec elle, puis recommencez."),
    ),
    "worker_not_here": ErrorMessage(
        _("Qui est là ?"),
        _("Ce oui se dit à côté de la personne qui demande."),
        _("Si elle est là, cochez-le. Sinon, répondez sans interprète ni témoin."),
    ),
    "heard_by_worker": ErrorMessage(
        _("Un autre témoin"),
        _("Le témoin ou l’interprète ne peut pas être la professionnelle."),
        _("Donnez le nom d’une autre personne, qui a entendu l’accord."),
    ),
    "heard_by_wrong": ErrorMessage(
        _("Témoin ou interprète"),
        _("Un accord dit à voix haute a besoin du nom de qui l’a entendu, et lui seul."),
        _("Donnez son nom si l’accord est dit à voix haute. Sinon, enlevez-le."),
    ),
    "token_scope_missing": ErrorMessage(
        _("Jeton trop étroit"),
        _("Le jeton d’accès ne porte pas la portée nécessaire."),
        _("Demandez un nouveau jeton avec cette portée."),
    ),
    "grant_revoked": ErrorMessage(
        _("Accord arrêté"),
        _("Cet accord a été arrêté avant sa fin."),
        _("Demandez un nouvel accord si vous en avez encore besoin."),
    ),
    "grant_expired": ErrorMessage(
        _("Accord terminé"),
        _("Cet accord est arrivé à sa fin."),
        _("Demandez un nouvel accord si vous en avez encore besoin."),
    ),
    "grant_not_yet": ErrorMessage(
        _("Accord pas encore valable"),
        _("Cet accord n’a pas encore commencé."),
        _("Réessayez dans un instant."),
    ),
    "grant_outdated": ErrorMessage(
        _("Accord en train de changer"),
        _("Certains papiers ne se montrent plus que un par un. Cet accord est mis à jour."),
        _("Réessayez dans quelques minutes."),
    ),
    "action_not_granted": ErrorMessage(
        _("Action non accordée"),
        _("L’accord ne permet pas cette action."),
        _("Demandez un accord qui la comprend."),
    ),
    "outside_scope": ErrorMessage(
        _("Hors de l’accord"),
        _("L’accord ne couvre pas ce type de document."),
        _("Demandez un accord qui le comprend."),
    ),
    "document_infected": ErrorMessage(
        _("Document dangereux"),
        _("L’antivirus a trouvé un logiciel malveillant dans ce document : il reste fermé."),
        _("Demandez à la personne de déposer un autre exemplaire."),
    ),
}
