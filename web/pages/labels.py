"""The texts of the pages for codes: actions, notes, durations, what was done."""

from collections.abc import Sequence
from dataclasses import dataclass

from base.errors import ServiceError, invalid
from vault import catalogue
from vault.catalogue import DocumentType, Names
from vault.decoding.media import Note
from vault.document_view import DocumentMetadata, DocumentView
from web.i18n.catalogue_names import due_label, name_in, official_name, type_names
from web.i18n.consent_labels import ACTIONS, ACTIONS_ASKED, DURATIONS, STATES
from web.i18n.date_labels import DATE_LABELS
from web.i18n.error_choice import ONE_OF_SEVERAL, message_of
from web.i18n.error_messages import ErrorMessage, _, error_messages
from web.pages import desk_labels, means_labels
from web.pages.failure_fields import field_to_correct
from web.pages.file_labels import NOTES, SCANS, SIGNATURES, kind_of_file
from web.pages.means_reasons import MEANS_REASONS

__all__ = [
    "ACTIONS",
    "ACTIONS_ASKED",
    "DURATIONS",
    "NOTES",
    "SCANS",
    "SIGNATURES",
    "STATES",
    "due_label",
    "kind_of_file",
    "name_in",
    "official_name",
    "type_names",
]
"""What this module shows of others."""

DISCREET_NAME = _("Carnet")
"""What the site calls itself where its own name would tell too much."""
WITH_FRENCH = _("avec le français dessous")
"""Of a language, in that language: each line stands in French under it."""
NOT_DONE = {
    "signed_out": _("Ce n’est pas ouvert ici. Entrez pour continuer."),
    "not_sent": _(
        "Rien n’est parti : votre espace s’était fermé. Entrez : vous revenez à la même page, et"
        " vous recommencez l’envoi."
    ),
    "lost": _("Rien n’est parti : c’était fermé. Entrez, puis recommencez."),
    **means_labels.NOT_DONE,
}
DONE = {
    "added": _("C’est fait. Votre papier est gardé ici."),
    "language": _("C’est fait. Vos SMS arrivent maintenant dans cette langue."),
    "time_zone": _("C’est fait. Les heures sont celles du lieu choisi."),
    "discarded": _("C’est fait. Ce papier n’est pas gardé."),
    "held": _(
        "Vous aviez déjà ce papier. Le voici, comme avant. Pour changer son nom ou ses dates :"
        " « Corriger le nom ou les dates »."
    ),
    "held_for_request": _("Vous aviez déjà ce papier. Le voici, comme avant."),
    "version": _("C’est fait. Le nouveau papier est gardé."),
    "version_older": _(
        "C’est fait. Le papier est gardé. Comme vous l’avez voulu, il est plus ancien que celui"
        " d’avant."
    ),
    "corrected": _("C’est fait. Vos changements sont gardés."),
    "deleted": _("Le papier est supprimé. Vous pouvez le récupérer pendant 30 jours."),
    "restored": _("C’est fait. Le papier est de nouveau là."),
    "approved": _("Vous avez dit oui. Vous pouvez arrêter quand vous voulez."),
    "refused": _("Vous avez dit non. La personne qui demande ne le saura pas."),
    "proof": _("C’est fait. La preuve est dans les téléchargements de cet appareil."),
    "later": _("La demande attend. Vous pouvez répondre plus tard."),
    "noted": _("C’est noté."),
    "not_me": _("Merci. Nous avons noté que cette demande n’est pas pour vous."),
    "stopped_all": _("Tout est arrêté. Personne d’autre que vous ne peut voir vos papiers."),
    "asked_met": _(
        "La demande est partie. La personne la trouve sur son téléphone, dans « Demandes »."
        " Elle a 7 jours pour répondre."
    ),
    "asked": _(
        "La demande est partie. Si ce numéro est le bon, la personne reçoit un SMS. Elle a 7 jours"
        " pour répondre."
    ),
    "type_suggested": _("C’est proposé. La personne dit oui ou non. Rien ne change avant."),
    "type_accepted": _("C’est fait. Personne de plus ne voit ce papier."),
    "type_refused": _("Vous avez dit non. Rien ne change."),
    "labelled": _("C’est fait. Ce nom n’est visible que pour vous."),
    "withdrawn": _("La demande est retirée. La personne ne peut plus répondre."),
    "given_back": _("L’accès est rendu."),
    "reported": _("C’est envoyé. La réponse viendra sur cette page."),
    "code_again": _("Un nouveau code est parti. Celui d’avant ne marche plus ici."),
    "bye_here": _(
        "C’est fermé ici. Vous pouvez partir. Vous avez aussi un autre appareil ouvert. Pour tout"
        " fermer : entrez, puis « Moi », puis « Sortir partout »."
    ),
    "bye_here_worker": _(
        "C’est fermé ici. Vous pouvez partir. Vous avez aussi un autre appareil ouvert. Pour tout"
        " fermer : entrez, puis « Mon compte », puis « Sortir partout »."
    ),
    "bye_everywhere": _("C’est fermé sur tous vos appareils."),
    "session_ended": _("C’est fermé sur l’autre appareil."),
    "sessions_ended": _("C’est fermé partout, sauf ici."),
    "erasure_code": _("Nous avons envoyé un SMS avec un code de 6 chiffres."),
    "erasure_asked": _("C’est noté. Vous avez 7 jours pour changer d’avis."),
    "erasure_cancelled": _("Rien ne sera effacé. Vos papiers restent."),
    "bye": _("C’est fermé ici. Vous pouvez partir."),
    "enter_beside": _(
        "Votre espace de travail est ouvert ici. Une personne entre donc par cette page, avec son"
        " téléphone ou sa carte, et vous à côté. Pour ouvrir des papiers autrement, ou changer une"
        " carte, sortez d’abord de votre espace."
    ),
    "beside_ended": _("C’est terminé. Votre espace est rouvert."),
    "bye_beside": _(
        "C’est fermé. Rien ne reste sur cet appareil, sauf la feuille de la carte ou un papier, si"
        " vous les avez enregistrés : effacez-les des téléchargements. Puis rendez l’appareil."
    ),
    "import_gone": _("C’est oublié. Ce qui est déjà arrivé ici reste."),
    **means_labels.DONE,
    **desk_labels.DONE,
}
REASONS = {
    "not_found": _("cela n’existe pas, ou plus"),
    "not_recipient": _("l’accès n’est pas à son nom"),
    "not_owner": _("ce ne sont pas ses papiers"),
    "not_addressee": _("la demande n’est pas pour cette personne"),
    "revoked": _("l’accès est arrêté"),
    "expired": _("l’accès est terminé"),
    "not_yet": _("l’accès n’a pas commencé"),
    "outdated": _("l’accès est en train de changer"),
    "action_not_granted": _("l’accès ne le permet pas"),
    "type_not_covered": _("l’accès n’est pas pour cette sorte de papier"),
    "document_not_covered": _("l’accès n’est pas pour ce papier"),
    "added_later": _("le papier a été ajouté après le début de l’accès"),
    "document_deleted": _("le papier est supprimé"),
    "infected": _("le fichier contient un virus"),
    "sensitive_by_type": _("les papiers délicats se partagent un par un"),
    "nothing_granted": _("rien n’a été choisi"),
    "widened": _("c’est plus que ce qui est demandé"),
    "unknown_document": _("un des papiers choisis n’est pas parmi ces papiers"),
    "unknown_recipient": _("nous ne connaissons ni professionnel ni service à cette adresse"),
    "token_scope": _("ce service n’a pas le droit de faire cela"),
    "outside_token": _("ce service n’a pas le droit de voir cet accès"),
    "paced": _("trop de demandes en une heure"),
    "code_wrong": _("le code est faux"),
    "too_many_codes": _("trop de codes demandés"),
    "too_many_wrong_codes": _("trop de codes faux"),
    **MEANS_REASONS,
    "vault_asleep": _("personne n’est entré ici depuis 6 mois"),
    "answered": _("la demande a déjà une réponse"),
    "lapsed": _("la demande a plus de 7 jours"),
    "approved": _("la personne avait déjà dit oui"),
    "withdrawn": _("la demande a été retirée"),
    "type_known": _("la sorte de ce papier est déjà connue"),
    "meeting_code": _("ce code de rencontre ne sert pas"),
    "join_code": _("ce code ne sert pas"),
    "closed": _("le service est fermé"),
    "recovery_code": _("ce code ne sert pas"),
    "same_agent": _("il faut une autre personne"),
    "trusted_code": _("ce code ne sert pas"),
    "representation_code": _("ce code ne sert pas"),
    "represented": _("seule la personne peut le faire"),
    "recovered_lately": _("ces papiers venaient d’être rouverts au guichet"),
    "meeting_waits": _("il manquait un oui à la rencontre"),
    "meeting_over": _("la rencontre était terminée"),
    "grant_full": _("trop de papiers ont été ajoutés avec cet accès"),
    "no_room": _("ce papier ne pouvait pas être ajouté"),
    "report_answered": _("ce message a déjà une réponse"),
}
_WHOLE_DATE = _("Écrivez le jour, le mois et l’année. Ou n’écrivez rien.")
# Of a date in three fields of which one is empty; of a sort of paper, where a grant says which.
MISSING_PARTS = {
    "granted_type": ErrorMessage(
        _("Quel papier est-ce ?"),
        _("Vous n’avez pas choisi la sorte de papier."),
        _("Choisissez dans la liste. Elle a seulement ce que la personne permet."),
    ),
    "day": ErrorMessage(
        _("Il manque le jour"),
        _("Il manque le jour de la date."),
        _WHOLE_DATE,
    ),
    "month": ErrorMessage(
        _("Il manque le mois"),
        _("Il manque le mois de la date."),
        _WHOLE_DATE,
    ),
    "year": ErrorMessage(
        _("Il manque l’année"),
        _("Il manque l’année de la date."),
        _WHOLE_DATE,
    ),
}
# Messages that differ from those of the JSON API, which programmers read too.
PAGE_MESSAGES = {
    "type_missing": ErrorMessage(
        _("Quel papier est-ce ?"),
        _("Vous n’avez pas choisi la sorte de papier."),
        _("Choisissez dans la liste. Si vous ne savez pas, choisissez « Un autre papier »."),
    ),
    "document_type_retired": ErrorMessage(
        _("Quel papier est-ce ?"),
        _("Cette sorte de papier a été remplacée."),
        _("Choisissez de nouveau dans la liste."),
    ),
    "idempotency_key_reused": ErrorMessage(
        _("Cette page a déjà servi"),
        _("Autre chose est déjà parti avec cette page. Ce qui est écrit ici n’est pas parti."),
        _("Relisez tout, puis envoyez de nouveau."),
    ),
    "nothing_granted": ErrorMessage(
        _("Rien n’est coché"),
        _("Vous n’avez choisi aucun papier."),
        _("Cochez au moins un papier."),
    ),
    "unknown_purpose": ErrorMessage(
        _("Quelle est la raison ?"),
        _("Vous n’avez pas choisi de raison dans la liste."),
        _("Choisissez dans la liste. La personne lira cette raison."),
    ),
    "not_found": ErrorMessage(
        _("Page introuvable"),
        _("Cette page n’existe pas, ou vous n’y avez pas accès."),
        _("Revenez au début."),
    ),
    "no_preview": ErrorMessage(
        _("L’image n’est pas encore prête"),
        _("L’image de ce papier se prépare."),
        _("Attendez quelques secondes, puis recommencez. Ou ouvrez le papier."),
    ),
    "code_wrong": ErrorMessage(
        _("Ce code ne marche pas"),
        _("Le code est faux, trop ancien, déjà utilisé ou demandé sur un autre appareil."),
        _(
            "Regardez bien les chiffres du dernier message, puis du message d’avant. Ou demandez un"
            " nouveau code."
        ),
    ),
    "unknown_recipient": ErrorMessage(
        _("Nous ne trouvons pas cette personne"),
        _("Personne n’a cet e-mail ici."),
        _("Demandez-lui son e-mail professionnel, puis écrivez-le de nouveau."),
    ),
    "request_refused": ErrorMessage(
        _("Ce n’est pas possible"),
        _("Nous n’avons pas pu faire cela. Rien n’a changé."),
        _("Revenez en arrière, puis recommencez. Ou demandez de l’aide au guichet."),
    ),
}


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """The message of a failure, in French; the values for its `{name}`s; the field to correct.

    `before`: a sentence that says which of several files it is about, or nothing.
    """

    message: ErrorMessage
    values: dict[str, str]
    field: str
    before: str = ""


def failure_message(failure: ServiceError) -> FailureMessage:
    """The message of a failure; a code without one of its own has a general one."""
    if (part := str(failure.values.get("missing", ""))) in MISSING_PARTS:
        message = MISSING_PARTS[part]
    elif failure.code in PAGE_MESSAGES or failure.code not in error_messages():
        message = PAGE_MESSAGES.get(failure.code, PAGE_MESSAGES["request_refused"])
    else:
        message = message_of(failure.code, failure.values)
    values = {name: str(value) for name, value in failure.values.items()}
    before = ONE_OF_SEVERAL if "parts" in values else ""
    return FailureMessage(message, values, field_to_correct(failure), before)


def date_to_write(metadata: DocumentMetadata) -> tuple[str, str] | None:
    """The field and the name, in French, of the date that a paper should not be without, where it
    has none: a day to answer, pay or come, or the year of the incomes."""
    document_type = catalogue.by_code(metadata.type)
    kind = document_type.date_that_matters if document_type else None
    if kind is None or kind.field not in ("due_on", "income_year"):
        return None
    return None if getattr(metadata, kind.field) else (kind.field, DATE_LABELS[kind])


def date_name(code: str) -> str:
    """The name of the one date that matters of a type, in French; nothing where none does."""
    document_type = catalogue.by_code(code)
    return DATE_LABELS.get(document_type.date_that_matters, "") if document_type else ""


def two_sides(code: str) -> bool:
    """Whether a paper of that type has a back that matters; False for none."""
    document_type = catalogue.by_code(code)
    return document_type is not None and document_type.sides == 2


def notes_of(document: DocumentView) -> list[str]:
    """What the owner is told of a file, but of its signatures: these have a place of their own."""
    told_there = (Note.PDF_WAS_SIGNED, Note.PDF_SIGNATURE_LOST)
    signed = bool(document.file.get("signatures"))
    return [
        NOTES[note]
        for note in document.notes
        if note in NOTES and not (signed and note in told_there)
    ]


def families_of_types() -> list[tuple[Names, list[DocumentType]]]:
    """What the catalogue offers, under its headings."""
    return [
        (
            family.names,
            [type_ for type_ in catalogue.offered_types() if type_.family == family.code],
        )
        for family in catalogue.families()
    ]


def known_duration(text: str) -> str:
    """One of the durations that the pages offer. Raises `duration_invalid`."""
    if text not in DURATIONS:
        raise invalid("duration_invalid")
    return text


def original_carries(carries: Sequence[str]) -> str:
    """What a signed PDF that may be handed on as it is has beside what it shows: one sentence."""
    if carries:
        return _(
            "Il garde aussi des détails cachés : par exemple son auteur, ses dates, le programme"
            " qui l’a fait."
        )
    return _("Il ne contient rien d’autre que ce que l’on voit.")
