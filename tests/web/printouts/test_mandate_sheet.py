"""A printed mandate, as it is signed and scanned: both languages, the digest of its form, its codes
read back by ZXing from a grey scan with noise and a stain, and by the decoder from the same."""

import io
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pypdfium2
import pytest
from PIL import Image

from auth.subjects import Worker
from base.ids import new_id
from base.time_zones import PARIS
from tests.web.printouts.reading import faults_of, opened, text_of
from tests.web.printouts.test_card_sheet import DPI, read, worn
from vault.consent.mandate_papers import TAG_BYTES, MandatePaper, PageCode, check_scan, read_code
from vault.consent.mandates import SentMandate
from vault.consent.request_views import SentRequest
from vault.consent.scopes import scope_of
from vault.consent.terms import Terms
from vault.decoding.media import Limits, MediaType
from vault.decoding.page_codes import codes_on
from web.i18n.translations import LANGUAGES
from web.printouts.mandate_sheet import TEMPLATE, data_of, form_hash, mandate_pdf
from web.printouts.phrases import Phrases

IDS = tuple(UUID(f"0197c1de-0000-7000-8000-00000000000{n}") for n in range(1, 4))
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def worker() -> Worker:
    place = "Maison des solidarités"
    return Worker(new_id(), new_id(), "Camille Moreau", "Assistante sociale", place, "0320000000")


def terms(*types: str, duration: str) -> Terms:
    return Terms(
        scope=scope_of(types, (), ("read",)),
        purpose_code="housing",
        purpose="Demande de logement social",
        legal_basis="consent",
        duration=duration,
        may_store=False,
        store_for=None,
        contact={"name": "Camille Moreau", "job": "", "phone": "+33320000001", "hours": ""},
    )


ASKED = (
    terms("payslip", "income_tax_notice", duration="P12M"),
    terms("lease", duration="P6M"),
    terms("rent_receipt", duration="P1M"),
)


def mandate(language: str = "ar") -> SentMandate:
    paper = MandatePaper(IDS, language, TEMPLATE, form_hash(language))
    sent = tuple(
        SentRequest(
            id=id_, state="waiting", grant_id=None, asked_at=AT, lapses_at=AT, withdrawn_at=None,
            phone=None, asked=asked, mandate=paper,
        )
        for id_, asked in zip(IDS, ASKED, strict=True)
    )  # fmt: skip
    return SentMandate(paper, sent)


def codes_of(pages: int) -> list[str]:
    """As long as ours."""
    return [PageCode(IDS[0], at, pages).text(bytes(TAG_BYTES)) for at in range(1, pages + 1)]


def printed(sent: SentMandate) -> bytes:
    """The pages, each with its code, as `print_mandate` lays them out."""
    _once, pages = mandate_pdf(sent, worker(), codes_of(1))
    return mandate_pdf(sent, worker(), codes_of(pages))[0]


def pages_of(pdf: bytes) -> list[Image.Image]:
    """Each page in grey, as a scanner gives it."""
    return [
        page.render(scale=DPI / 72).to_pil().convert("L") for page in pypdfium2.PdfDocument(pdf)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_in_both_languages_what_is_signed(language: str) -> None:
    pdf = printed(mandate(language))
    text = text_of(pdf).replace("\u00a0", " ").replace("\u202f", " ")
    assert "Je ne comprends pas : je ne signe pas, et je demande." in text
    assert "sauf si je dis moi-même" in " ".join(text.split())
    assert text.count("Demande de logement social") == (3 if language == "fr" else 6)
    assert form_hash(language).hex() in "".join(text.split())
    assert str(IDS[0]) in text
    assert TEMPLATE in text
    own = Phrases(language, PARIS).say("Ma signature")
    if language not in {"ar"}:  # whose letters poppler copies as they are drawn
        assert own in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("duration", ["P1M", "P2M", "P6M", "P12M", "P2Y", "P1W", "P3D", "PT5H"])
def test_how_long_is_said_in_words(language: str, duration: str) -> None:
    assert "duration" not in Phrases(language, PARIS).length(duration)


def test_no_two_languages_have_one_digest() -> None:
    assert len({form_hash(language) for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize("seed", range(3))
def test_the_code_of_each_page_is_read_from_a_scan_with_noise_and_a_stain(seed: int) -> None:
    clean = pages_of(printed(mandate()))
    expected = codes_of(len(clean))
    assert [read(page) for page in clean] == [[code] for code in expected]
    dirty = [worn(page, seed) for page in clean]
    assert [read(page) for page in dirty] == [[code] for code in expected]


@pytest.mark.parametrize("kind", ["PDF", "JPEG", "turned"])
def test_the_decoder_reads_them_from_what_is_sent(kind: str) -> None:
    """A scanner's PDF, photographs made one PDF, pages that came in sideways."""
    pages = [worn(page, 7) for page in pages_of(printed(mandate()))]
    if kind == "turned":
        pages = [page.rotate(90, expand=True, fillcolor=255) for page in pages]
    out = io.BytesIO()
    if kind == "JPEG":
        pages[0].save(out, "JPEG", quality=70)
        found = codes_on(out.getvalue(), MediaType.JPEG, Limits())
        assert found == codes_of(len(pages))[:1]
        return
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=DPI)
    read_back = map(read_code, codes_on(out.getvalue(), MediaType.PDF, Limits()))
    check_scan(IDS[0], [one[0] for one in read_back if one is not None])


def test_codes_of_others_are_not_told() -> None:
    import segno

    out = io.BytesIO()
    segno.make_qr("https://unefois.example/#SECRET").save(out, kind="png", scale=8, border=4)
    assert codes_on(out.getvalue(), MediaType.PNG, Limits()) == []


def test_the_page_is_sound_and_is_named_without_the_worker(tmp_path: Path) -> None:
    pdf = printed(mandate())
    assert faults_of(pdf, tmp_path) == ""
    with opened(pdf) as file:
        assert "/StructTreeRoot" in file.Root
        told = str(file.docinfo) + str(file.Root.Metadata.read_bytes())
    assert "Moreau" not in told


def test_longest_words_stay_on_the_page_and_each_page_has_its_code() -> None:
    long = mandate("uk")
    wide = tuple(
        SentRequest(
            id=one.id, state="waiting", grant_id=None, asked_at=AT, lapses_at=AT,
            withdrawn_at=None, phone=None, mandate=long.paper,
            asked=Terms(
                scope=scope_of(
                    ["payslip", "lease", "rent_receipt", "income_tax_notice", "bank_details"],
                    (), ("read", "deposit"),
                ),
                purpose_code="housing", purpose="W" * 500, legal_basis="consent",
                duration="P12M", may_store=True, store_for="P2Y", contact={"name": "W" * 120},
            ),
        )
        for one in long.authorisations
    )  # fmt: skip
    pdf = printed(SentMandate(long.paper, wide))
    pages = pages_of(pdf)
    assert len(pages) > 2
    found = [read(page) for page in pages]
    assert found == [[code] for code in codes_of(len(pages))]
    codes = data_of(SentMandate(long.paper, wide), worker(), codes_of(len(pages)))["codes"]
    assert len(set(codes)) == len(pages)
