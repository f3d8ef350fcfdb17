"""Messages about signing in, and about adding workers and clients."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "one_address": ErrorMessage(
        _("Téléphone ou e-mail"),
        _("Il faut un numéro de téléphone, un e-mail professionnel ou une carte, et un seul."),
        _("Donnez votre numéro de téléphone ; ou, pour une professionnelle, son e-mail."),
    ),
    "phone_invalid": ErrorMessage(
        _("Numéro de téléphone incorrect"),
        _("Ce numéro de téléphone n’est pas complet ou n’existe pas sous cette forme."),
        _("Écrivez-le comme 06 12 34 56 78, ou avec l’indicatif du pays : +33 6 12 34 56 78."),
    ),
    "phone_landline": ErrorMessage(
        _("Ce numéro ne reçoit pas de SMS"),
        _("C’est un téléphone fixe, ou un numéro spécial : aucun SMS n’y arrive."),
        _("Donnez un numéro de portable. Vous n’en avez pas ? Demandez de l’aide à l’accueil."),
    ),
    "email_invalid": ErrorMessage(
        _("E-mail incorrect"),
        _("Cet e-mail n’a pas la bonne forme."),
        _("Écrivez-le comme prenom.nom@structure.fr."),
    ),
    "code_wrong": ErrorMessage(
        _("Code non valable"),
        _(
            "Ce code est faux, trop ancien, déjà utilisé, essayé trop de fois ou demandé sur un"
            " autre appareil."
        ),
        _(
            "Vérifiez les chiffres, ou demandez un nouveau code. Votre dernière visite est"
            " ancienne, ou ce numéro était à quelqu’un d’autre avant ? Un code ne suffit plus :"
            " allez au guichet."
        ),
    ),
    "erasure_code_wrong": ErrorMessage(
        _("Ce code est faux"),
        _("Ce n’est pas le code du dernier SMS. Essais restants : {left}."),
        _("Regardez bien les 6 chiffres du dernier SMS, puis recommencez."),
    ),
    "erasure_code_over": ErrorMessage(
        _("Ce code ne marche plus"),
        _("Aucun code n’attend ici : il est trop ancien, déjà utilisé ou essayé trop de fois."),
        _("Demandez un nouveau code, ici, sur cet appareil."),
    ),
    "too_many_erasure_codes": ErrorMessage(
        _("Trop de codes demandés"),
        _("Trop de codes pour effacer vos papiers ont été demandés depuis hier."),
        _("Attendez demain, puis recommencez ; ou adressez-vous au guichet."),
    ),
    "token_invalid": ErrorMessage(
        _("Jeton non valable"),
        _("Ce jeton d’accès n’est pas valable."),
        _("Demandez un nouveau jeton, puis recommencez."),
    ),
    "client_assertion_invalid": ErrorMessage(
        _("Client non reconnu"),
        _("La signature présentée ne permet pas de reconnaître ce client."),
        _("Vérifiez la clé, le destinataire et la durée, puis signez une nouvelle assertion."),
    ),
    "scope_refused": ErrorMessage(
        _("Portée refusée"),
        _("Ce client n’a pas droit à toute la portée demandée."),
        _("Demandez seulement ce qui a été enregistré pour ce client."),
    ),
    "scope_unknown": ErrorMessage(
        _("Portée inconnue"),
        _("La portée est vide, ou contient un mot inconnu."),
        _("Utilisez un ou plusieurs de : consent_requests, evidence, documents, deposits."),
    ),
    "client_key_not_allowed": ErrorMessage(
        _("Clé non acceptée"),
        _("Ces clés ne sont pas des clés publiques de signature acceptées."),
        _(
            "Donnez un JWKS (RFC 7517) de 1 à 10 clés publiques : EC P-256, Ed25519, ou RSA de 2048"
            " à 4096 bits."
        ),
    ),
    "client_id_invalid": ErrorMessage(
        _("Identifiant incorrect"),
        _("L’identifiant du client n’a pas la bonne forme."),
        _("Utilisez 3 à 64 lettres sans accent, chiffres, points, tirets ou tildes."),
    ),
    "client_id_taken": ErrorMessage(
        _("Identifiant déjà pris"),
        _("Un client porte déjà cet identifiant."),
        _("Choisissez un autre identifiant."),
    ),
    "email_taken": ErrorMessage(
        _("E-mail déjà pris"),
        _("Une professionnelle porte déjà cet e-mail."),
        _("Donnez un autre e-mail professionnel."),
    ),
    "text_invalid": ErrorMessage(
        _("Texte incorrect"),
        _("Le champ {field} doit être une ligne de 1 à {longest} caractères visibles."),
        _("Corrigez ce champ, puis recommencez."),
    ),
}
