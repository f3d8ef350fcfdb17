"""The copy of a PDF that recipients receive: what stays, what goes, what the owner is told."""

import io
import zlib
from collections.abc import Callable

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, ImageChops

from tests.vault.decoding import corpus, hostile_pdfs, pdf_inputs
from tests.vault.decoding.inputs import written_objects
from tests.vault.decoding.pdf_inputs import Rectangle
from vault.decoding import pdfs
from vault.decoding.media import Carries, Limits, Note, Undecodable
from vault.decoding.pdfs import PdfPages


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    pdfs.prepare()


def examined(data: bytes) -> PdfPages:
    return pdfs.examine(data, Limits())


def drawn(data: bytes, page: int = 0) -> Image.Image:
    """A page as readers show it, a pixel a point."""
    document = pypdfium2.PdfDocument(data)
    document.init_forms()
    shown: Image.Image = document[page].render(scale=1).to_pil().convert("L")
    document.close()
    return shown


def dark(data: bytes, rect: Rectangle, page: int = 0) -> float:
    """The share of dark pixels in a rectangle given in points from the bottom left."""
    left, bottom, right, top = rect
    part = drawn(data, page).crop((left, 842 - top, right, 842 - bottom))
    return sum(part.histogram()[:128]) / (part.width * part.height)


# --- what carries something ---


@pytest.mark.parametrize(
    ("make", "carries", "note"),
    [
        (pdf_inputs.launching_by_reference_pdf, Carries.ACTIVE, Note.PDF_ACTIVE_CONTENT_REMOVED),
        (pdf_inputs.dynamic_form_pdf, Carries.ACTIVE, Note.PDF_FORM_EMPTY),
        (pdf_inputs.portfolio_pdf, Carries.ATTACHED, Note.PDF_COVER_ONLY),
        (pdf_inputs.revised_pdf, Carries.EARLIER, Note.PDF_EARLIER_REVISION_REMOVED),
        (pdf_inputs.located_photo_pdf, Carries.DETAILS, Note.PHOTO_LOCATION_REMOVED),
        (lambda: _with_action("GoToR"), Carries.EXTERNAL, Note.PDF_EXTERNAL_REFERENCES_REMOVED),
        (lambda: _with_attachment("X"), Carries.ATTACHED, Note.PDF_ATTACHMENTS_REMOVED),
    ],
)
def test_what_a_pdf_carries_is_said_and_does_not_leave(
    make: Callable[[], bytes], carries: Carries, note: Note
) -> None:
    found = examined(make())
    assert carries in found.carries
    assert note in found.notes
    again = examined(found.cleaned)
    assert (again.carries, again.notes) == (frozenset(), ())
    for word in (b"Launch", b"GoToR", b"/EF", b"XFA", b"Collection", b"/AF", b"share", b"MZ"):
        assert word not in written_objects(found.cleaned)


def _with_action(kind: str) -> bytes:
    made = corpus.blank_pdf(1)
    where = String(r"\\example.org\share\a.pdf")
    action = Dictionary(S=Name("/" + kind), F=where, D=Array([0, Name.Fit]))
    made.pages[0].obj.AA = Dictionary(O=action)
    return corpus.pdf_bytes(made)


def _with_attachment(key: str) -> bytes:
    made = corpus.blank_pdf(1)
    held = made.make_stream(b"MZ program", Type=Name.EmbeddedFile)
    spec = Dictionary(
        Type=Name.Filespec, F=String("a.exe"), EF=Dictionary({"/F": held, "/" + key: held})
    )
    made.Root.AF = Array([made.make_indirect(spec)])
    return corpus.pdf_bytes(made)


def test_an_ordinary_pdf_carries_nothing() -> None:
    made = corpus.pdf_bytes(corpus.blank_pdf(2))
    assert (examined(made).carries, examined(made).notes) == (frozenset(), ())


def test_a_file_arranged_for_the_web_has_one_revision() -> None:
    assert examined(corpus.pdf_bytes(corpus.blank_pdf(2), linearize=True)).carries == frozenset()


def test_the_revision_that_a_signature_adds_hides_nothing() -> None:
    signed = examined(pdf_inputs.appended_signature(pdf_inputs.classic_pdf(2)))
    assert Note.PDF_WAS_SIGNED in signed.notes
    assert Carries.EARLIER not in signed.carries
    revised = examined(pdf_inputs.appended_signature(pdf_inputs.revised_pdf()))
    assert Note.PDF_WAS_SIGNED in revised.notes
    assert Carries.EARLIER in revised.carries


def test_objects_that_no_page_uses_do_not_leave() -> None:
    made = corpus.blank_pdf(1)
    made.make_indirect(made.make_stream(b"a secret"))
    found = examined(corpus.pdf_bytes(made, preserve_pdfa=False))
    assert b"a secret" not in found.cleaned


def test_a_page_that_only_a_destination_leads_to_does_not_leave() -> None:
    made = corpus.blank_pdf(2)
    hidden = made.pages[1].obj
    del made.pages[1]
    made.Root.Names = Dictionary(
        Dests=Dictionary(Names=Array([String("there"), Array([hidden, Name.Fit])]))
    )
    with pikepdf.open(io.BytesIO(examined(corpus.pdf_bytes(made)).cleaned)) as pdf:
        assert sum(1 for thing in pdf.objects if _is_page(thing)) == 1


def _is_page(thing: object) -> bool:
    return isinstance(thing, Dictionary) and thing.get("/Type") == Name.Page


@pytest.mark.parametrize(
    "address",
    ["javascript:app.alert(1)", "file:///etc/passwd", "smb://host/a", "ftp://host", "//h"],
)
def test_a_link_leads_only_to_the_web(address: str) -> None:
    made = corpus.blank_pdf(1)
    action = Dictionary(S=Name.URI, URI=String(address))
    made.pages[0].obj.Annots = Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)]
    )
    assert b"/URI" not in written_objects(examined(corpus.pdf_bytes(made)).cleaned)


def test_moves_between_pages_stay() -> None:
    made = corpus.blank_pdf(2)
    there = Array([made.pages[1].obj, Name.Fit])
    actions = (Dictionary(S=Name.GoTo, D=there), Dictionary(S=Name.Named, N=Name.NextPage))
    made.pages[0].obj.Annots = Array(
        Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
        for action in actions
    )
    written = written_objects(examined(corpus.pdf_bytes(made)).cleaned)
    assert b"/GoTo" in written
    assert b"/NextPage" in written


def test_a_hidden_annotation_and_the_value_of_a_password_field_do_not_leave() -> None:
    made = corpus.blank_pdf(1)
    field = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        Rect=Array([0, 0, 9, 9]),
        FT=Name.Tx,
        T=String("password"),
        V=String("a secret"),
        Ff=1 << 13,
    )
    remark = Dictionary(
        Type=Name.Annot, Subtype=Name.Text, Rect=Array([0, 0, 9, 9]), Contents=String("hush"), F=2
    )
    made.pages[0].obj.Annots = Array([made.make_indirect(field), remark])
    made.Root.AcroForm = Dictionary(Fields=Array([made.pages[0].obj.Annots[0]]))
    written = written_objects(examined(corpus.pdf_bytes(made)).cleaned)
    assert b"password" in written
    assert b"a secret" not in written
    assert b"hush" not in written


# --- what stays ---


@pytest.mark.parametrize(
    "make",
    [
        lambda: corpus.pdf(3),
        pdf_inputs.form_pdf,
        pdf_inputs.layered_pdf,
        pdf_inputs.located_photo_pdf,
        lambda: pdf_inputs.tagged_pdf(2),
        hostile_pdfs.restricted_pdf,
    ],
)
def test_the_copy_looks_the_same_and_is_the_same_each_time(make: Callable[[], bytes]) -> None:
    data = make()
    copy = examined(data).cleaned
    assert ImageChops.difference(drawn(data), drawn(copy)).getbbox() is None
    assert examined(data).cleaned == copy
    assert examined(copy).cleaned == copy


def test_tags_and_language_stay() -> None:
    with pikepdf.open(io.BytesIO(examined(pdf_inputs.tagged_pdf(2)).cleaned)) as pdf:
        root = pdf.Root.StructTreeRoot
        assert [str(element.Alt) for element in root.K] == ["paragraph 0", "paragraph 1"]
        assert [element.Pg.objgen for element in root.K] == [page.obj.objgen for page in pdf.pages]
        assert str(pdf.Root.Lang) == "fr-FR"


def test_trees_of_several_levels_and_several_choices_of_a_list_stay() -> None:
    made = corpus.blank_pdf(1)
    for _ in range(3):
        made.Root.PageLabels = made.make_indirect(
            Dictionary(Kids=Array([made.Root.PageLabels]))
            if "/PageLabels" in made.Root
            else Dictionary(Nums=Array([0, Dictionary(S=Name.r, P=String("annex "))]))
        )
    choice = made.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Ch,
            T=String("towns"),
            Rect=Array([0, 0, 9, 9]),
            Opt=Array([Array([String("1"), String("Lyon")]), String("Lille")]),
            V=Array([String("1"), String("Lille")]),
        )
    )
    made.pages[0].obj.Annots = Array([choice])
    made.Root.AcroForm = Dictionary(Fields=Array([choice]))
    written = written_objects(examined(corpus.pdf_bytes(made)).cleaned)
    assert b"(annex )" in written
    assert b"/V [ (1) (Lille) ]" in written
    assert b"(Lyon)" in written


@pytest.mark.parametrize("rect", [pdf_inputs.FIELD, pdf_inputs.BOX, pdf_inputs.STAMP])
def test_a_preview_shows_values_ticks_and_stamps(rect: Rectangle) -> None:
    page = examined(pdf_inputs.form_pdf()).page
    assert (page.mode, page.width) == ("RGBX", 1000)
    left, bottom, right, top = (side * page.width / 595 for side in rect)
    part = page.convert("L").crop((left, page.height - top, right, page.height - bottom))
    assert sum(part.histogram()[:60]) > 0


def test_a_stamp_of_a_signature_stays_without_the_signature() -> None:
    found = examined(pdf_inputs.form_pdf())
    assert {Note.PDF_WAS_SIGNED, Note.PDF_SIGNATURE_LOST} <= set(found.notes)
    written = written_objects(found.cleaned)
    assert b"/FT /Btn" in written
    assert b"/Sig" not in written


def test_a_form_that_asks_for_looks_gets_them() -> None:
    data = pdf_inputs.form_pdf(looks=False, asks_for_looks=True)
    with pikepdf.open(io.BytesIO(examined(data).cleaned)) as pdf:
        fields = {str(field.T): field for field in pdf.Root.AcroForm.Fields}
        look = fields["name"].AP.N
        assert isinstance(look, pikepdf.Stream)
        assert pdf_inputs.FIELD_TEXT.encode() in look.read_bytes()


# --- joined papers ---


@pytest.fixture(scope="module")
def photo() -> bytes:
    return pdf_inputs.photo_pdf()


@pytest.mark.parametrize("rect", [pdf_inputs.FIELD, pdf_inputs.BOX, pdf_inputs.STAMP])
def test_a_form_is_seen_after_a_photo(photo: bytes, rect: Rectangle) -> None:
    form = examined(pdf_inputs.form_pdf()).cleaned
    joined = pdfs.join([photo, form])
    assert dark(joined, rect, page=1) == dark(form, rect) > 0


def test_fields_of_one_name_in_two_forms_keep_their_own_values(photo: bytes) -> None:
    form = examined(pdf_inputs.form_pdf()).cleaned
    other = examined(pdf_inputs.form_pdf()).cleaned
    with pikepdf.open(io.BytesIO(pdfs.join([form, photo, other]))) as pdf:
        names = [str(field.T) for field in pdf.Root.AcroForm.Fields]
    assert len(names) == len(set(names)) == 6


def test_a_layer_stays_off_after_a_photo(photo: bytes) -> None:
    layered = examined(pdf_inputs.layered_pdf()).cleaned
    joined = pdfs.join([layered, photo, layered])
    assert [dark(joined, pdf_inputs.FIELD, page) for page in (0, 2)] == [0, 0]


def test_tags_of_joined_papers_lead_to_their_pages(photo: bytes) -> None:
    first, second = (examined(pdf_inputs.tagged_pdf(pages)).cleaned for pages in (2, 1))
    joined = pdfs.join([first, photo, second])
    with pikepdf.open(io.BytesIO(joined)) as pdf:
        root, pages = pdf.Root.StructTreeRoot, [page.obj for page in pdf.pages]
        tagged = [pages[0], pages[1], pages[3]]
        assert [element.Pg.objgen for element in root.K] == [page.objgen for page in tagged]
        numbers = dict(zip(root.ParentTree.Nums[::2], root.ParentTree.Nums[1::2], strict=True))
        for page, element in zip(tagged, root.K, strict=True):
            assert numbers[page.StructParents][0].objgen == element.objgen
    assert joined == pdfs.join([first, photo, second])


# --- photos and other streams inside ---


def test_a_photo_inside_is_cleaned_and_not_encoded_again() -> None:
    found = examined(pdf_inputs.located_photo_pdf())
    assert corpus.MAKER not in found.cleaned
    assert b"GPSLatitude" not in found.cleaned
    with pikepdf.open(io.BytesIO(found.cleaned)) as pdf:
        (image,) = pdf.pages[0].obj.Resources.XObject.values()
        shown = Image.open(io.BytesIO(image.read_raw_bytes()))
        assert shown.size == (320, 200)
        assert not shown.getexif().get_ifd(0x8825)


@pytest.mark.parametrize("box", [b"xml ", b"uuid", b"vend"])
def test_a_jpeg_2000_inside_keeps_only_its_picture(box: bytes) -> None:
    out = io.BytesIO()
    corpus.picture().save(out, "JPEG2000")
    whole = out.getvalue()
    at = whole.index(b"jp2c") - 4
    told = len(corpus.MAKER) + 8
    with_box = whole[:at] + told.to_bytes(4, "big") + box + corpus.MAKER + whole[at:]
    data = pdf_inputs.photo_pdf(with_box)
    assert corpus.MAKER in data
    found = examined(data)
    assert corpus.MAKER not in found.cleaned
    assert ImageChops.difference(drawn(data), drawn(found.cleaned)).getbbox() is None


def test_bytes_behind_the_end_of_compressed_data_do_not_leave() -> None:
    made = corpus.blank_pdf(1)
    content = made.pages[0].obj.Contents
    content.write(zlib.compress(content.read_bytes()) + b"a secret", filter=Name.FlateDecode)
    data = corpus.pdf_bytes(made, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert b"a secret" in data
    copy = examined(data).cleaned
    assert b"a secret" not in copy
    assert ImageChops.difference(drawn(data), drawn(copy)).getbbox() is None


def test_a_photo_inside_the_content_is_cleaned() -> None:
    made = corpus.blank_pdf(1)
    head = b"q 320 0 0 200 9 9 cm BI /W 320 /H 200 /BPC 8 /CS /RGB /F /DCT ID "
    made.pages[0].contents_add(head + corpus.plain_jpeg(exif=corpus.exif()) + b"\nEI Q")
    data = corpus.pdf_bytes(made)
    found = examined(data)
    assert Note.PHOTO_LOCATION_REMOVED in found.notes
    with pikepdf.open(io.BytesIO(found.cleaned)) as pdf:
        contents = b"".join(stream.read_bytes() for stream in pdf.pages[0].obj.Contents)
    assert b"/F /DCT ID" in contents
    assert corpus.MAKER not in contents
    assert ImageChops.difference(drawn(data), drawn(found.cleaned)).getbbox() is None


def test_a_large_scan_of_one_bit_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    page = Image.new("1", (9921, 14031), 1)
    page.paste(0, (100, 100, 5000, 300))
    out = io.BytesIO()
    page.save(out, "TIFF", compression="group4", dpi=(1200, 1200))
    found = examined(pdf_inputs.photo_pdf(out.getvalue()))
    assert found.part.pages == 1
    assert found.page.convert("L").getextrema() == (0, 255)


def test_an_image_larger_than_memory_is_refused() -> None:
    with pytest.raises(Undecodable) as refused:
        examined(hostile_pdfs.huge_picture_pdf())
    assert refused.value.code == "pdf_too_detailed"
