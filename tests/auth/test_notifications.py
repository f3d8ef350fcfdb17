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
from tests.auth.message_texts import ENGLISH, FRENCH
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
    "opened again": lambda language: means_changed(language, Action.RECOVERY_OPENED),
    "represented": lambda language: means_changed(language, Action.REPRESENTATION_BEGAN),
    "not represented": lambda language: means_changed(language, Action.REPRESENTATION_ENDED),
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
    parts = len(("told", "not told", "no known name", "day and hour", "was it"))
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
    text, both = ENGLISH["code"], (code, await code_for(services, phone))
    sent = [(one["text"], one["subject"]) for one in await queued_messages(services, phone)]
    assert sent == [(text.replace("012345", one), "Your code") for one in both]


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
