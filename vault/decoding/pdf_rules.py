"""What a recipient's copy of a PDF may hold (ISO 32000-2), as data: for each role in which an
object is met, the keys that stay and the role of what each points at. What is not named is dropped.
"""

from dataclasses import dataclass

from vault.decoding.media import Carries


@dataclass(frozen=True)
class Rule:
    """`keys`: to a role; "" for names and numbers and arrays of them, "number" for numbers alone,
    "string" for all three."""

    keys: dict[str, str]
    dictionary: bool
    stream: bool


# `key>role`, `key>*role` (a map of any names to that role), `key>:role` (pairs of a key and that
# role). A role that starts with "!" is only ever a stream, with "?" a dictionary or a stream. A key
# alone holds plain values: see `_NUMBERS` and `_STRINGS`.
_TEXT = """
catalog Type Version PageLabels>labels Names>names Dests>*dest Outlines>outline MarkInfo>mark_info
 StructTreeRoot>structure Lang ViewerPreferences>preferences PageLayout PageMode
 OCProperties>layers AcroForm>form
mark_info Marked UserProperties Suspects
preferences HideToolbar HideMenubar HideWindowUI FitWindow CenterWindow DisplayDocTitle
 NonFullScreenPageMode Direction ViewArea ViewClip PrintArea PrintClip PrintScaling Duplex
 PickTrayByPDFSize PrintPageRange NumCopies
border Type W S D I
icon_fit SW S A FB
cid_info Registry Ordering Supplement
panose Panose
page Type Parent>made_new MediaBox CropBox BleedBox TrimBox ArtBox Rotate UserUnit Tabs
 StructParents Resources>resources Contents>content Group>group Annots>annotation
resources ProcSet Font>*font XObject>*xobject ExtGState>*graphics ColorSpace>*colour
 Pattern>*pattern Shading>*shading Properties>*property
!content
!data
!text
!profile N Alternate>colour Range
!xobject Type Subtype FormType BBox Matrix Resources>resources Group>group StructParent
 StructParents OC>layer Width Height ColorSpace>colour BitsPerComponent Intent ImageMask
 Mask>xobject Decode Interpolate SMask>xobject SMaskInData Matte
group Type S CS>colour I K
graphics Type LW LC LJ ML D RI OP op OPM Font>font_size FL SM SA BM SMask>soft_mask CA ca AIS TK
 TR>function TR2>function BG>function BG2>function UCR>function UCR2>function UseBlackPtComp
soft_mask Type S G>xobject BC TR>function
calibrated WhitePoint BlackPoint Gamma Matrix Range
colorants Subtype Colorants>*colour Process>process
process ColorSpace>colour Components
?function FunctionType Domain Range Size BitsPerSample Order Encode Decode C0 C1 N
 Functions>function Bounds
?pattern Type PatternType PaintType TilingType BBox XStep YStep Resources>resources Matrix
 Shading>shading ExtGState>graphics
?shading ShadingType ColorSpace>colour Background BBox AntiAlias Domain Matrix Function>function
 Coords Extend BitsPerCoordinate BitsPerComponent BitsPerFlag Decode VerticesPerRow
font Type Subtype Name BaseFont FirstChar LastChar Widths FontDescriptor>descriptor
 Encoding>encoding ToUnicode>encoding DescendantFonts>font CIDSystemInfo>cid_info DW W DW2 W2
 CIDToGIDMap>data FontBBox FontMatrix CharProcs>*content Resources>resources
?encoding Type BaseEncoding Differences CMapName CIDSystemInfo>cid_info WMode UseCMap>encoding
descriptor Type FontName FontFamily FontStretch FontWeight Flags FontBBox ItalicAngle Ascent
 Descent Leading CapHeight XHeight StemV StemH AvgWidth MaxWidth MissingWidth CharSet CIDSet>data
 FontFile>program FontFile2>program FontFile3>program Style>panose Lang FD>*descriptor
!program Subtype Length1 Length2 Length3
parameters Predictor Colors BitsPerComponent Columns EarlyChange K EndOfLine EncodedByteAlign
 Rows EndOfBlock BlackIs1 DamagedRowsBeforeError ColorTransform JBIG2Globals>data
link Type Subtype Rect P>page_link F Border BS>border C StructParent OC>layer QuadPoints
 Contents Lang H Dest>dest A>action AP>appearance AS
markup Type Subtype Rect P>page_link F Border BS>border BE>border C IC CA ca BM Lang
 StructParent OC>layer QuadPoints Vertices InkList Path L LE LL LLE LLO Cap CO CP Q DA RD Sy Name
 Rotate IT Contents AP>appearance AS
stamp Type Subtype Rect P>page_link F Border BS>border C StructParent OC>layer Contents Lang
 AP>appearance AS MK>look_details
widget Type Subtype Rect P>page_link F Border BS>border C StructParent OC>layer Contents Lang
 AP>appearance AS MK>look_details H FT T TU V>text Ff Opt MaxLen Q DA Parent>field Kids>field TI I
field_only FT T TU V>text Ff Opt MaxLen Q DA Parent>field Kids>field TI I
look_details R BC BG CA AC RC TP I>xobject RI>xobject IX>xobject IF>icon_fit
appearance N>look
form NeedAppearances DR>resources DA Q
outline Type First>outline Last>outline Next>outline Prev>outline Parent>outline Count Title
 Dest>dest A>action C F
names Dests>dest_tree
dest_tree Kids>dest_tree Names>:dest Limits
labels Kids>labels Nums>:label Limits
label Type S P St
layers OCGs>layer D>layer_view
layer Type Name Intent Usage>layer_usage OCGs>layer P VE>layer
layer_usage Language>usage Export>usage Zoom>usage Print>usage View>usage PageElement>usage
usage Lang Preferred ExportState min max Subtype PrintState ViewState
layer_view BaseState ON>layer OFF>layer Intent AS>layer_event Order>layer ListMode
 RBGroups>layer Locked>layer
layer_event Event Category OCGs>layer
artifact Type MCID ActualText Alt Lang E BBox Attached Subtype
structure Type S ID P>structure Pg>page_link K>structure A>attributes C R T Lang Alt E ActualText
 MCID Stm>kept StmOwn>kept Obj>kept NS>namespace Ref>structure Phoneme PhoneticAlphabet
 RoleMap>*name ClassMap>*attributes ParentTree>parents ParentTreeNextKey IDTree>ids
 Namespaces>namespace
parents Kids>parents Nums>:structure Limits
ids Kids>ids Names>:structure Limits
namespace Type NS RoleMapNS>*namespace
attributes O Placement WritingMode SpaceBefore SpaceAfter StartIndent EndIndent TextIndent
 TextAlign BBox Width Height BlockAlign InlineAlign RowSpan ColSpan Headers Scope Summary Short
 ListNumbering ContinuedList ContinuedFrom Role checked Checked Desc LineHeight BaselineShift
 TextPosition TextDecorationType TextDecorationColor TextDecorationThickness Color
 BackgroundColor BorderColor BorderStyle BorderThickness Padding TBorderStyle TPadding RubyAlign
 RubyPosition GlyphOrientationVertical ColumnCount ColumnGap ColumnWidths Type Subtype Attached
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS = _words(
    """MediaBox CropBox BleedBox TrimBox ArtBox Rotate UserUnit BBox Matrix Rect Border C IC BG BC
    CA ca QuadPoints Vertices InkList L LL LLE LLO CO RD Widths W W2 DW DW2 FontBBox FontMatrix
    FirstChar LastChar Coords Decode Domain Range C0 C1 Bounds Encode Size Background XStep YStep
    WhitePoint BlackPoint Gamma Width Height Matte StructParent StructParents MCID Count Length
    Length1 Length2 Length3 F Ff MaxLen Columns Colors Rows Predictor ItalicAngle Ascent Descent
    Leading CapHeight XHeight StemV StemH AvgWidth MaxWidth MissingWidth FontWeight Flags St N
    FunctionType ShadingType PatternType BitsPerComponent BitsPerSample BitsPerFlag LW ML FL SM
    BitsPerCoordinate VerticesPerRow ParentTreeNextKey Supplement"""
)
_STRINGS = _words(
    """Lang Title T TU Contents CA RC AC DA ActualText Alt E ID Registry Ordering Panose CharSet
    FontFamily Name P NS Desc Headers Summary Short Opt Limits Phoneme"""
)


def _plain(key: str) -> str:
    """The role of a key that holds plain values; a few hold numbers here and strings there."""
    if key in _STRINGS:
        return "string"
    return "number" if key in _NUMBERS else ""


def _rules() -> dict[str, Rule]:
    rules = {}
    for line in _TEXT.strip().replace("\n ", " ").splitlines():
        role, *keys = line.split()
        named = (key.partition(">") for key in keys)
        name = role.lstrip("!?")
        kept = {"/" + key: target if arrow else _plain(key) for key, arrow, target in named}
        rules[name] = Rule(kept, role[0] != "!", role[0] in "!?")
    return rules


RULES = _rules()
STREAM_KEYS = {"/Length": "", "/Filter": "", "/DecodeParms": "parameters"}
"""Beside those of the role, when the object is a stream."""

STRINGS = frozenset({"string", "text", "data", "layer", "dest"})
"""Roles in which a string may stand; names, numbers and booleans may everywhere."""
SHORTENED = frozenset({"annotation", "field", "layer", "structure"})
"""Roles whose arrays lose what is dropped; in others its place is kept by a null."""

LISTS = (
    frozenset(
        {"", "number", "string", "content", "annotation", "field", "font", "function", "parameters"}
    )
    | {"layer", "layer_event", "structure", "attributes", "namespace"}
    | {"parents", "ids", "labels", "dest_tree"}
)
"""Roles in which an array may stand for several; in others its items are plain values."""
ITEMS = {"xobject": "number", "text": "string", "font_size": "font"}
"""The role of an array's items where it is another one: a mask of colours, several choices."""

TYPES = frozenset(
    "/" + name
    for names in (
        "Catalog Page Pages PageLabel XObject Font FontDescriptor Encoding CMap ExtGState Pattern",
        "Mask Group Annot Border OCG OCMD Outlines StructTreeRoot StructElem MCR OBJR Namespace",
        "Pagination Layout Background",
    )
    for name in names.split()
)
"""The values of /Type that stay."""

COLOURS: dict[str, tuple[str, ...]] = {
    "/ICCBased": ("profile",),
    "/Indexed": ("colour", "", "data"),
    "/I": ("colour", "", "data"),
    "/Separation": ("", "colour", "function"),
    "/DeviceN": ("", "colour", "function", "colorants"),
    "/Pattern": ("colour",),
    "/CalGray": ("calibrated",),
    "/CalRGB": ("calibrated",),
    "/Lab": ("calibrated",),
    "/DeviceGray": (),
    "/DeviceRGB": (),
    "/DeviceCMYK": (),
}
"""The roles of what follows the family's name in a colour space (§8.6)."""

FILTERS: dict[str, int] = {
    "/FlateDecode": 1032,
    "/Fl": 1032,
    "/LZWDecode": 2731,
    "/LZW": 2731,
    "/RunLengthDecode": 64,
    "/RL": 64,
    "/ASCII85Decode": 4,
    "/A85": 4,
    "/ASCIIHexDecode": 1,
    "/AHx": 1,
}
"""To the most bytes that one byte can expand to."""
IMAGE_FILTERS = frozenset(
    {"/DCTDecode", "/DCT", "/JPXDecode", "/JBIG2Decode", "/CCITTFaxDecode", "/CCF"}
)

VIEWS = {"/XYZ": 3, "/Fit": 0, "/FitH": 1, "/FitV": 1, "/FitR": 4, "/FitB": 0} | {
    "/FitBH": 1,
    "/FitBV": 1,
}
"""To the numbers of a destination (table 149)."""
MOVES = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})
MARKUP = frozenset(
    {"/Text", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight"}
    | {"/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Stamp", "/Ink", "/Watermark", "/Redact"}
)
HIDDEN_ANNOTATION = 1 << 1
"""Flag of an annotation that nothing but an action can show (table 167)."""
INERT_BUTTON = 1 | (1 << 16)
"""Flags of a button that one cannot press (tables 227 and 229)."""
SECRET_FIELD = (1 << 13) | (1 << 20)
"""Flags of a field whose value is a password or the path of a file (table 231)."""

CARRIED_BY_KEY: dict[str, Carries] = {
    "/" + key: carries
    for carries, keys in {
        Carries.ACTIVE: "AA JS JavaScript XFA PA NA OpenAction RichMediaContent RichMediaSettings",
        Carries.ATTACHED: "EF AF EmbeddedFiles Collection 3DD",
        Carries.EXTERNAL: "FFilter FDecodeParms Ref OPI Alternates DestOutputProfileRef"
        " AlternatePresentations DPartRoot Threads SpiderInfo URLS Base",
        Carries.DETAILS: "Metadata PieceInfo Thumb LastModified SourceModified RC Popup Legal"
        " CreationDate NM DSS Perms",
    }.items()
    for key in keys.split()
}
CARRIED_BY_NAME: dict[str, Carries] = {
    "/" + name: carries
    for carries, names in {
        Carries.ACTIVE: "JavaScript Launch SubmitForm ImportData ResetForm Hide Rendition Trans"
        " GoTo3DView RichMediaExecute SetOCGState Movie Sound Screen RichMedia 3D Projection PS"
        " GoToDp",
        Carries.ATTACHED: "FileAttachment EmbeddedFile",
        Carries.EXTERNAL: "GoToR GoToE Thread",
        Carries.DETAILS: "Metadata",
    }.items()
    for name in names.split()
}
"""By the value of /S, /Subtype or /Type of what is dropped."""
