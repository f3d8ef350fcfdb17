"""Every message word for word, in both languages: what people receive changes only on purpose."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import pytest

from audit.events import Action
from auth import notifications, one_time_codes
from auth.services import CoreServices
from auth.subjects import Worker
from auth.visitor import Visitor
from base.settings import Settings
from tests.auth.steps import (
    code_for,
    new_email,
    new_phone,
    new_worker,
    queued_messages,
)
from web.i18n.translations import LANGUAGES, translator
from web.tools.catalog import extracted

URL = "https://coffre.example"
WORKER = Worker(uuid4(), uuid4(), "Inès Moreau", "Assistante sociale", "CCAS de Lys", "01 23")


@dataclass(frozen=True)
class Words:
    """The values that the texts contain."""

    settings: Settings
    translate = staticmethod(translator())


WORDS = cast(
    "CoreServices",
    Words(Settings(mode="demo", public_url=URL, operator_email="equipe@coffre.example")),
)
REPORTED = notifications.ReportedAccess(
    "REF",
    {"name": WORKER.name, "job": WORKER.job, "organisation": WORKER.organisation},
    datetime(2026, 3, 1, 9, 5, tzinfo=UTC),
)
NAMELESS = replace(REPORTED, actor={"kind": "owner"})

AT = datetime(2026, 5, 3, 7, 5, tzinfo=UTC)


def means_changed(language: str, action: Action) -> str:
    return notifications.means_changed(WORDS, language, action)


TEXTS = {
    "code": lambda language: notifications.sign_in_code(WORDS, language, "012345"),
    "long code": lambda language: notifications.sign_in_code(WORDS, language, "0123456789"),
    "shared": lambda language: notifications.shared_code(WORDS, language, "012345678901"),
    "shared by phone": lambda language: notifications.shared_phone_code(
        WORDS, language, "012345678901"
    ),
    "subject": lambda language: notifications.sign_in_subject(WORDS, language),
    "request": lambda language: notifications.request_pending(WORDS, language),
    "expiry": lambda language: notifications.document_expires(WORDS, language),
    "log": lambda language: notifications.log_year_expires(WORDS, language, 2023),
    "narrowed": lambda language: notifications.grant_narrowed(WORDS, language),
    "narrowed_mail": lambda language: notifications.grants_narrowed(WORDS, language),
    "narrowed_subject": lambda language: notifications.grants_narrowed_subject(WORDS, language),
    "report subject": lambda language: notifications.report_subject(WORDS, language),
    "reported": lambda language: notifications.access_reported(WORDS, language, REPORTED),
    "waiting": lambda language: notifications.report_waiting(
        WORDS, language, REPORTED, organisation_told=True
    ),
    "nameless": lambda language: notifications.report_waiting(
        WORDS, language, NAMELESS, organisation_told=False
    ),
    "answered": lambda language: notifications.report_answered(WORDS, language),
    "device": lambda language: notifications.new_device(WORDS, language, "android_phone", AT),
    "pro": lambda language: notifications.new_device_of_worker(WORDS, language, "unknown", AT),
    "new": lambda language: notifications.new_device_subject(WORDS, language),
    "means added": lambda language: means_changed(language, Action.MEANS_ADDED),
    "means removed": lambda language: means_changed(language, Action.MEANS_REMOVED),
    "card freed": lambda language: means_changed(language, Action.MEANS_FREED),
    "card stopped": lambda language: means_changed(language, Action.MEANS_STOPPED),
    "pin": lambda language: means_changed(language, Action.PIN_SET),
    "join asked": lambda language: means_changed(language, Action.JOIN_ASKED),
    "joined": lambda language: means_changed(language, Action.VAULT_JOINED),
    "trusted": lambda language: means_changed(language, Action.TRUSTED_ACCEPTED),
    "not trusted": lambda language: means_changed(language, Action.TRUSTED_ENDED),
    "anchor": lambda language: means_changed(language, Action.ANCHOR_ENROLLED),
    "export asked": lambda language: means_changed(language, Action.EXPORT_ASKED),
    "export ready": lambda language: notifications.export_ready(WORDS, language, AT),
    "no anchor": lambda language: means_changed(language, Action.ANCHOR_REMOVED),
    "wait": lambda language: means_changed(language, Action.MEANS_WAIT),
    "no wait": lambda language: means_changed(language, Action.MEANS_WAIT_ENDED),
    "change": lambda language: notifications.means_code(WORDS, language, "012345"),
    "desk": lambda language: notifications.recovery_code(WORDS, language, "012345"),
    "erase": lambda language: notifications.erasure_code(WORDS, language, "012345"),
    "asked": lambda language: notifications.erasure_asked(WORDS, language, AT),
    "soon": lambda language: notifications.erasure_soon(WORDS, language, AT),
    "kept": lambda language: notifications.erasure_cancelled(WORDS, language),
}
WAS_IT_YOU = {
    "fr": "C’est vous ? Ne faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers », choisissez «"
    " Mes appareils », puis « Fermer partout, sauf ici ». Ou allez au guichet.",
    "en": "Was it you? Do nothing. Was it not you? Open “My papers”, choose “My devices”, then"
    " “Sign out everywhere, except here”. Or go to the desk.",
}
FRENCH = {
    "code": "Votre code : 012345. Valable 10 minutes. Ne le donnez à personne.",
    "long code": "Votre code : 0123\u00a04567\u00a089. Valable 10 minutes. Ne le donnez à"
    " personne.",
    "shared": "Votre code : 0123\u00a04567\u00a08901. Valable 20 minutes. Ne le donnez à"
    " personne. Vous n’avez rien demandé ? Ne faites rien.",
    "shared by phone": "Votre code : 0123\u00a04567\u00a08901. Valable 20 minutes. Ne le donnez à"
    " personne : il sert à entrer, et aussi à CHANGER vos façons d’entrer.",
    "subject": "Votre code",
    "request": "Une demande attend votre réponse. Ouvrez « Mes papiers » pour voir de qui elle"
    " vient, et dites oui ou non. Si elle ne vous concerne pas, répondez « Ce n’est pas moi ».",
    "expiry": "Un de vos papiers arrive bientôt à sa date de fin. Ouvrez « Mes papiers » pour"
    " voir lequel, ou parlez-en à la personne qui vous accompagne.",
    "log": "Dans 30 jours, la liste « Qui a regardé mes papiers » pour 2023 et avant ne pourra"
    " plus être lue. Pour la garder, ouvrez « Mes papiers » et emportez-la.",
    "narrowed": "Un accès à vos papiers a changé : il montre moins qu’avant. Ouvrez « Mes papiers"
    " » pour voir, ou parlez-en à la personne qui vous accompagne.",
    "narrowed_mail": "Un ou plusieurs accès que des personnes vous ont donnés montrent moins"
    " qu’avant. Certains papiers se montrent maintenant un par un : vous gardez ceux que vous"
    " pouviez voir ce jour, et aucun nouveau. Ouvrez votre page pour voir lesquels.",
    "narrowed_subject": "Des accès ont changé",
    "report subject": "Accès signalé",
    "reported": "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas"
    " normale. Cette ligne nomme votre structure. Ne cherchez pas qui est la personne : elle lira"
    " la réponse avec ses papiers. Voici la ligne : un accès par Inès Moreau, Assistante sociale,"
    " CCAS de Lys, le 01/03/2026 09:05 (UTC). Demandez pourquoi à qui l’a fait. Écrivez ce que"
    " vous savez à equipe@coffre.example, avec la référence REF.",
    "waiting": "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas normale."
    " Lisez : unefois reports see REF Répondez : unefois reports answer REF La ligne est faite"
    " par Inès Moreau, Assistante sociale, CCAS de Lys, le 01/03/2026 09:05 (UTC). Sa structure est"
    " prévenue par e-mail.",
    "nameless": "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas"
    " normale. Lisez : unefois reports see REF Répondez : unefois reports answer REF La ligne est"
    " faite par quelqu’un sans nom connu, le 01/03/2026 09:05 (UTC). Aucune structure n’est"
    " prévenue : voyez"
    " s’il faut le faire.",
    "answered": "Il y a une réponse pour vous. Ouvrez « Mes papiers » pour la lire, ou parlez-en"
    " à la personne qui vous accompagne.",
    "device": "« Mes papiers » vient d’être ouvert sur un nouvel appareil : un téléphone Android,"
    " le 3 mai à 9 h 05. C’est vous ? Ne faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers »,"
    " choisissez « Mes appareils », puis « Fermer partout, sauf ici ». Ou allez au guichet.",
    "pro": "Votre espace professionnel vient d’être ouvert sur un nouvel appareil : un appareil"
    " inconnu, le 3 mai à 9 h 05. C’est vous ? Ne faites rien. Ce n’est pas vous ? Connectez-vous,"
    " choisissez « Mes appareils », puis « Fermer partout, sauf ici », et prévenez votre"
    " responsable.",
    "new": "Nouvel appareil",
    "means added": "« Mes papiers » : une façon d’entrer vient d’être ajoutée. " + WAS_IT_YOU["fr"],
    "means removed": "« Mes papiers » : une façon d’entrer vient d’être retirée. "
    + WAS_IT_YOU["fr"],
    "card freed": "« Mes papiers » : une carte bloquée vient d’être débloquée. " + WAS_IT_YOU["fr"],
    "card stopped": "« Mes papiers » : une carte perdue vient d’être arrêtée. " + WAS_IT_YOU["fr"],
    "pin": "« Mes papiers » : votre code secret vient d’être changé. " + WAS_IT_YOU["fr"],
    "join asked": "« Mes papiers » : quelqu’un demande à réunir vos papiers avec ceux d’un autre"
    " endroit. " + WAS_IT_YOU["fr"],
    "joined": "« Mes papiers » : vos papiers de deux endroits viennent d’être réunis. "
    + WAS_IT_YOU["fr"],
    "trusted": "« Mes papiers » : une personne de confiance vient d’être ajoutée. "
    + WAS_IT_YOU["fr"],
    "not trusted": "« Mes papiers » : une personne de confiance vient d’être retirée. "
    + WAS_IT_YOU["fr"],
    "export asked": "« Mes papiers » : quelqu’un demande une copie de tous vos papiers. "
    + WAS_IT_YOU["fr"],
    "export ready": "La copie de vos papiers est prête. Ouvrez « Mes papiers » avant le 3 mai à"
    " 9 h 05 pour la prendre.",
    "anchor": "« Mes papiers » : une preuve d’identité vient d’être enregistrée. "
    + WAS_IT_YOU["fr"],
    "no anchor": "« Mes papiers » : une preuve d’identité vient d’être effacée. "
    + WAS_IT_YOU["fr"],
    "wait": "« Mes papiers » : quelqu’un demande à changer vos façons d’entrer sans prouver que"
    " c’est vous. Ce sera possible dans 7 jours. " + WAS_IT_YOU["fr"],
    "no wait": "« Mes papiers » : la demande de changer vos façons d’entrer est annulée. "
    + WAS_IT_YOU["fr"],
    "change": "Votre code pour CHANGER vos façons d’entrer : 012345. Valable 10 minutes. Vous"
    " n’avez rien demandé ? Ne donnez ce code à personne, ouvrez « Mes papiers », choisissez"
    " « Mes appareils », puis « Fermer partout, sauf ici ».",
    "desk": "Votre code pour le guichet, pour ROUVRIR vos papiers : 012345. Valable 10 minutes."
    " Vous n’êtes pas au guichet ? Ne le donnez à personne.",
    "erase": "Votre code pour EFFACER tous vos papiers : 012345. Valable 10 minutes. Vous n’avez"
    " rien demandé ? Ne donnez ce code à personne, et allez au guichet.",
    "asked": "Tous vos papiers seront effacés le 3 mai à 9 h 05. Vous ne le voulez pas ? Ouvrez «"
    " Mes papiers » avant cette date et choisissez « Ne pas effacer ». Ou allez au guichet.",
    "soon": "Rappel : tous vos papiers seront effacés le 3 mai à 9 h 05. Vous ne le voulez pas ?"
    " Ouvrez « Mes papiers » et choisissez « Ne pas effacer ». Ou allez au guichet.",
    "kept": "C’est annulé : rien ne sera effacé. Vos papiers restent.",
}
ENGLISH = {
    "code": "Your code: 012345. Valid for 10 minutes. Do not give it to anyone.",
    "long code": "Your code: 0123\u00a04567\u00a089. Valid for 10 minutes. Do not give it to"
    " anyone.",
    "shared": "Your code: 0123\u00a04567\u00a08901. Valid for 20 minutes. Do not give it to"
    " anyone. You asked for nothing? Do nothing.",
    "shared by phone": "Your code: 0123\u00a04567\u00a08901. Valid for 20 minutes. Do not give it"
    " to anyone: it lets you in, and also lets you CHANGE your ways in.",
    "subject": "Your code",
    "request": "A request waits for your answer. Open “My papers” to see who sent it, and say yes"
    " or no. If it does not concern you, answer “This is not me”.",
    "expiry": "One of your papers will soon reach its end date. Open “My papers” to see which, or"
    " talk to the person who helps you.",
    "log": "In 30 days, the list “Who looked at my papers” for 2023 and before can no longer be"
    " read. To keep it, open “My papers” and take it away.",
    "narrowed": "An access to your papers has changed: it shows less than before. Open “My"
    " papers” to see, or talk about it with the person who supports you.",
    "narrowed_mail": "One or more accesses that people gave you show less than before. Some papers"
    " are now shown one by one: you keep those that you could see that day, and no new one. Open"
    " your page to see which.",
    "narrowed_subject": "Accesses have changed",
    "report subject": "Reported access",
    "reported": "A person says that a line of “Who looked at my papers” is not normal. The line"
    " names your organisation. Do not look for who the person is: they will read the answer with"
    " their papers. This is the line: an access by Inès Moreau, Assistante sociale, CCAS de Lys,"
    " on 01/03/2026 09:05 (UTC). Ask whoever did it why. Write what you know to"
    " equipe@coffre.example, with the reference REF.",
    "waiting": "A person says that a line of “Who looked at my papers” is not normal. Read:"
    " unefois reports see REF Answer: unefois reports answer REF The line was made by Inès"
    " Moreau, Assistante sociale, CCAS de Lys, on 01/03/2026 09:05 (UTC). Their organisation is"
    " told by e-mail.",
    "nameless": "A person says that a line of “Who looked at my papers” is not normal. Read:"
    " unefois reports see REF Answer: unefois reports answer REF The line was made by someone"
    " with no known name, on 01/03/2026 09:05 (UTC). No organisation is told: see whether it"
    " should be.",
    "answered": "There is an answer for you. Open “My papers” to read it, or talk to the person"
    " who helps you.",
    "device": "“My papers” was just opened on a new device: an Android phone, on 3 May at 9:05."
    " Was it you? Do nothing. Was it not you? Open “My papers”, choose “My devices”, then “Sign"
    " out everywhere, except here”. Or go to the desk.",
    "pro": "Your professional account was just opened on a new device: an unknown device, on 3 May"
    " at 9:05. Was it you? Do nothing. Was it not you? Sign in, choose “My devices”, then “Sign"
    " out everywhere, except here”, and tell your manager.",
    "new": "New device",
    "means added": "“My papers”: a way in was just added. " + WAS_IT_YOU["en"],
    "means removed": "“My papers”: a way in was just removed. " + WAS_IT_YOU["en"],
    "card freed": "“My papers”: a card that was blocked was just unblocked. " + WAS_IT_YOU["en"],
    "card stopped": "“My papers”: a lost card was just stopped. " + WAS_IT_YOU["en"],
    "pin": "“My papers”: your secret code was just changed. " + WAS_IT_YOU["en"],
    "join asked": "“My papers”: someone asks to join your papers with those of another place. "
    + WAS_IT_YOU["en"],
    "joined": "“My papers”: your papers from two places were just joined. " + WAS_IT_YOU["en"],
    "trusted": "“My papers”: a trusted person was just added. " + WAS_IT_YOU["en"],
    "not trusted": "“My papers”: a trusted person was just removed. " + WAS_IT_YOU["en"],
    "export asked": "“My papers”: someone is asking for a copy of all your papers. "
    + WAS_IT_YOU["en"],
    "export ready": "The copy of your papers is ready. Open “My papers” before 3 May at 9:05 to"
    " take it.",
    "anchor": "“My papers”: a proof of identity was just recorded. " + WAS_IT_YOU["en"],
    "no anchor": "“My papers”: a proof of identity was just erased. " + WAS_IT_YOU["en"],
    "wait": "“My papers”: someone asks to change your ways in without proving that it is you. It"
    " will be possible in 7 days. " + WAS_IT_YOU["en"],
    "no wait": "“My papers”: the request to change your ways in is cancelled. " + WAS_IT_YOU["en"],
    "change": "Your code to CHANGE your ways in: 012345. Valid for 10 minutes. You asked for"
    " nothing? Do not give this code to anyone, open “My papers”, choose “My devices”, then “Sign"
    " out everywhere, except here”.",
    "desk": "Your code for the desk, to REOPEN your papers: 012345. Valid for 10 minutes. You are"
    " not at the desk? Do not give it to anyone.",
    "erase": "Your code to ERASE all your papers: 012345. Valid for 10 minutes. You asked for"
    " nothing? Give this code to nobody, and go to the desk.",
    "asked": "All your papers will be erased on 3 May at 9:05. You do not want this? Open “My"
    " papers” before that date and choose “Do not erase”. Or go to the desk.",
    "soon": "Reminder: all your papers will be erased on 3 May at 9:05. You do not want this?"
    " Open “My papers” and choose “Do not erase”. Or go to the desk.",
    "kept": "Cancelled: nothing will be erased. Your papers stay.",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_message_word_for_word(name: str) -> None:
    assert TEXTS[name]("fr") == FRENCH[name]
    assert TEXTS[name]("en") == ENGLISH[name]
    assert TEXTS[name]("de") == FRENCH[name], "a language without a translation"


E_MAILS = {"subject", "narrowed_mail", "narrowed_subject", "report subject", "reported", "waiting",
           "nameless", "pro", "new"}  # fmt: skip
"""Sent by e-mail alone; every other text may be an SMS."""
_SHOWN = 120
"""Characters of an e-mail that a notification shows, at most: two or three lines."""
_TELLING = ("report", "signal", "oui à", "réponse à votre", "attest", "sensible", "sensitive")


@pytest.mark.parametrize("name", TEXTS)
def test_a_locked_screen_names_nobody(name: str) -> None:
    for language in ("fr", "en"):
        text = TEXTS[name](language)
        shown = text[:_SHOWN] if name in E_MAILS else text
        for word in (WORKER.name, WORKER.job, WORKER.organisation, "01 23"):
            assert word not in shown
        if name not in E_MAILS:
            assert not [word for word in _TELLING if word in shown.lower()]


_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DATE = re.compile(r"\b\d\d/\d\d/\d{4}\b")
_SCHEME = re.compile(r"\w:[^\s]|http|www", re.IGNORECASE)
_HOST = re.compile(r"\w\.\w")


def linked(text: str, *, sms: bool) -> bool:
    """Whether a telephone or a mailbox could make a link of a part of the text. In an e-mail, an
    address to write to and a date with strokes are none; an SMS holds neither."""
    if not sms:
        text = _DATE.sub("", _ADDRESS.sub("", text))
    text = re.sub(r"\b\d?\d:\d\d\b", "", text)  # the time of day
    return bool(_SCHEME.search(text) or _HOST.search(text) or "/" in text or "@" in text)


@pytest.mark.parametrize("name", TEXTS)
def test_no_message_holds_a_link(name: str) -> None:
    for language in ("fr", "en"):
        assert not linked(TEXTS[name](language), sms=name not in E_MAILS)


@pytest.mark.parametrize(
    "link",
    ["https://coffre.example", "coffre.example", "www.coffre", "coffre.example:8443/r/1", "/pro/1",
     "tel:0123", "equipe@coffre.example/r", "HTTP", "192.0.2.1"],
)  # fmt: skip
def test_a_link_is_seen(link: str) -> None:
    for sms in (True, False):
        assert linked(f"Ouvrez {link} le 3 mai à 9:05.", sms=sms)
    assert linked("Le 01/03/2026.", sms=True)
    assert not linked("Le 01/03/2026.", sms=False)
    assert linked("Écrivez à equipe@coffre.example.", sms=True)
    assert not linked("Écrivez à equipe@coffre.example.", sms=False)


def test_every_message_is_in_the_catalogue() -> None:
    places = [place for message in extracted() for place, _ in message.locations]
    shared = len(("long code", "nameless"))  # a second use of the same text
    parts = len(("told", "not told", "no known name", "day and hour", "was it", "opened again"))
    assert places.count("auth/notifications.py") == len(TEXTS) - shared + parts


async def test_codes_come_in_the_language_of_the_vault_whatever_the_caller_s(
    services: CoreServices,
) -> None:
    phone = new_phone()
    started = await one_time_codes.send_code(services, phone=phone, language="en")
    code = await code_for(services, phone)
    await one_time_codes.redeem_code(
        services, started.id, secret=started.secret, code=code, language="en"
    )
    await one_time_codes.send_code(services, phone=phone, language="fr")
    second = ENGLISH["code"].replace("012345", await code_for(services, phone))
    for message, text in zip(
        await queued_messages(services, phone),
        [ENGLISH["code"].replace("012345", code), second],
        strict=True,
    ):
        assert (message["text"], message["subject"]) == (text, "Your code")


async def test_a_code_comes_in_the_language_that_was_chosen_where_it_was_asked_for(
    services: CoreServices,
) -> None:
    phone = new_phone()
    started = await one_time_codes.send_code(services, phone=phone, language="fr")
    code = await code_for(services, phone)
    await one_time_codes.redeem_code(
        services, started.id, secret=started.secret, code=code, language="fr"
    )
    english = Visitor(language="en")
    await one_time_codes.send_code(services, phone=phone, language="fr", visitor=english)
    last = (await queued_messages(services, phone))[-1]
    assert last["text"] == ENGLISH["code"].replace("012345", await code_for(services, phone))


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_name_the_button_that_closes_elsewhere_as_its_page_does(language: str) -> None:
    button = WORDS.translate(language, "Fermer partout, sauf ici")
    for name in ("device", "pro", "change", "pin"):
        assert button in TEXTS[name](language), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_is_one_sms_in_every_alphabet(language: str) -> None:
    text = TEXTS["code"](language)
    # One that has a letter beyond the alphabet of GSM (3GPP TS 23.038) takes two bytes for each.
    assert len(text) <= (70 if re.search("[^ -~àéèùìòÇØøÅåÆæßÉ¿¡ñÑ]", text) else 160), text


async def test_an_e_mail_has_a_subject_in_the_caller_s_language(services: CoreServices) -> None:
    email = new_email()
    await new_worker(services, email)
    for language, subject in (("fr", "Votre code"), ("en", "Your code")):
        await one_time_codes.send_code(services, email=email, language=language)
        last = (await queued_messages(services, email))[-1]
        assert last["subject"] == subject
        assert last["text"].startswith(subject)
