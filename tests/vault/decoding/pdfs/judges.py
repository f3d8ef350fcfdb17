"""What qpdf, exiftool and mutool, none of them ours, find in files that recipients get."""

import json
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_KEYS = frozenset(
    "/" + key
    for key in [
        "AA",
        "AF",
        "EF",
        "RF",
        "XFA",
        "JS",
        "JavaScript",
        "EmbeddedFiles",
        "Metadata",
        "PieceInfo",
        "LastModified",
        "Thumb",
        "Alternates",
        "OPI",
        "Ref",
        "Collection",
        "Perms",
        "DSS",
        "Legal",
        "Requirements",
        "Extensions",
        "SpiderInfo",
        "Threads",
        "DPart",
        "DPartRoot",
        "FFilter",
        "FDecodeParms",
        "PresSteps",
        "SeparationInfo",
        "URLS",
        "IDS",
        "Renditions",
        "Info",
        "ByteRange",
        "AlternatePresentations",
        "RichMediaContent",
        "RichMediaSettings",
        "CO",
        "NeedsRendering",
        "PA",
        "NM",
        "VP",
        "PS",
        "ExData",
        "Prop_Build",
        "DocChecksum",
        "Encrypt",
        "XRefStm",
    ]
)
_ACTIONS = frozenset(
    "/" + kind
    for kind in [
        "Launch",
        "JavaScript",
        "SubmitForm",
        "ImportData",
        "ResetForm",
        "Hide",
        "SetOCGState",
        "Rendition",
        "Movie",
        "Sound",
        "Trans",
        "GoTo3DView",
        "GoToR",
        "GoToE",
        "GoToDp",
        "RichMediaExecute",
        "Thread",
    ]
)
_SUBTYPES = frozenset(
    "/" + kind
    for kind in [
        "FileAttachment",
        "RichMedia",
        "3D",
        "Screen",
        "Movie",
        "Sound",
        "TrapNet",
        "PrinterMark",
        "Projection",
        "PS",
        "XML",
    ]
)
_TYPES = frozenset({"/Filespec", "/F", "/EmbeddedFile", "/Metadata", "/Sig", "/Template"})
_PAGES = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})


# --- qpdf ---


def qpdf(file: Path) -> list[str]:
    """What must not be there, by `qpdf --json`, which resolves references and object streams."""
    command = ["qpdf", "--json=2", "--json-stream-data=none", "--json-key=qpdf", str(file)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        return [f"qpdf: {done.stderr.decode(errors='replace')[-200:]}"]
    objects = json.loads(done.stdout)["qpdf"][1]
    found = [*_forbidden(objects), *_unreachable(objects)]
    data = file.read_bytes()
    if data.count(b"startxref") != 1 or not data.startswith(b"%PDF-"):
        found.append("more than one revision, or bytes before the head")
    if data[data.rindex(b"%%EOF") + 5 :].strip(b"\r\n"):
        found.append("bytes after the end")
    return found


def _value(entry: Any) -> Any:
    """An object's value: of a stream, its dictionary."""
    if "stream" in entry:
        return entry["stream"]["dict"]
    return entry["value"]


def _inside(value: Any) -> Iterator[dict[str, Any]]:
    """Every dictionary in a value, itself included; references are not followed."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _inside(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _inside(inner)


def _resolved(objects: dict[str, Any], value: Any) -> Any:
    for _ in range(9):
        if not (isinstance(value, str) and f"obj:{value}" in objects):
            return value
        value = _value(objects[f"obj:{value}"])
    return value


def _forbidden(objects: dict[str, Any]) -> Iterator[str]:
    for name, entry in objects.items():
        for holder in _inside(_value(entry)):
            for key in holder.keys() & _KEYS:
                yield f"{name} has {key}"
            yield from _of_a_kind(objects, name, holder)
            for key, value in holder.items():
                if "canary" in f"{key}{value if isinstance(value, str) else ''}".lower():
                    yield f"{name} tells {key}"


def _of_a_kind(objects: dict[str, Any], name: str, holder: dict[str, Any]) -> Iterator[str]:
    kind = {key: _resolved(objects, holder.get(key)) for key in ("/S", "/Subtype", "/Type", "/N")}
    if kind["/S"] in _ACTIONS or kind["/Subtype"] in _SUBTYPES or kind["/Type"] in _TYPES:
        yield f"{name} is {kind}"
    if kind["/S"] == "/Named" and kind["/N"] not in _PAGES:
        yield f"{name} does {kind['/N']}"
    if kind["/S"] == "/URI":
        address = _resolved(objects, holder.get("/URI"))
        if not re.match(r"u:https?://", str(address), re.IGNORECASE):
            yield f"{name} leads to {address}"
    for key in ("/OpenAction", "/Next"):
        if isinstance(holder.get(key), dict) and "/S" in holder[key]:
            yield f"{name} acts by itself"


def _unreachable(objects: dict[str, Any]) -> Iterator[str]:
    seen = {"trailer"}
    waiting = deque(seen)
    while waiting:
        text = json.dumps(_value(objects[waiting.popleft()]))
        for reference in re.findall(r'"(\d+ \d+ R)"', text):
            name = f"obj:{reference}"
            if name in objects and name not in seen:
                seen.add(name)
                waiting.append(name)
    for name in objects.keys() - seen:
        if _value(objects[name]).__class__ is not dict or _value(objects[name]).get(
            "/Type"
        ) not in (
            "/XRef",
            "/ObjStm",
        ):
            yield f"{name} cannot be reached"


# --- exiftool ---

_GROUPS = ("SourceFile", "ExifTool:", "System:", "File:", "Composite:", "JFIF:", "PNG:")
_GROUPS += (
    "ICC-header:",
    "ICC_Profile:",
    "Jpeg2000:",
    "APP14:",
    "ICC-view:",
    "ICC-meas:",
    "ICC-chrm:",
)
_PLAIN = frozenset(
    f"PDF:{tag}"
    for tag in ("HasXFA", "PDFVersion", "Linearized", "PageCount", "Language", "TaggedPDF")
)
_TELLING = re.compile(r"canary|File:Comment|UUID|XML|Unknown|_0x|PNG:(?:Comment|Author|Text)", re.I)


def exiftool(files: Iterable[Path]) -> dict[str, list[str]]:
    """What tells more than a file's structure, by the file's name: one process for all."""
    files = list(files)
    if not files:
        return {}
    command = ["exiftool", "-json", "-a", "-G1", "-u", "-ee", *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False)
    return {
        Path(one["SourceFile"]).name: [
            f"exiftool: {tag} {value}"
            for tag, value in one.items()
            if tag != "SourceFile" and _tells(tag, str(value))
        ]
        for one in json.loads(done.stdout or b"[]")
    }


def _tells(tag: str, value: str) -> bool:
    if tag.startswith(("System:", "ExifTool:Warning", "ExifTool:Error")):
        return False
    if _TELLING.search(tag) or "canary" in value.lower():
        return True
    if tag.startswith("PDF:"):
        return tag not in _PLAIN
    return not tag.startswith(_GROUPS)


def extracted(file: Path, into: Path) -> None:
    """The images of a file as they stand in it, for exiftool: `into/<name>-000-000.jpg`."""
    command = ["pdfimages", "-all", "-p", str(file), str(into / file.stem)]
    subprocess.run(command, capture_output=True, check=False)


# --- mutool ---

_SCRIPT = r"""
function look(doc) {
  var found = [];
  var bad = new RegExp("/(EF|AF|XFA|JS|JavaScript|EmbeddedFiles|Metadata|Launch|SubmitForm|GoToR"
    + "|RichMedia|AA|PieceInfo|Filespec|FFilter|Alternates)\\b|canary", "i");
  var n = doc.countObjects();
  for (var i = 1; i < n; i++) {
    var told;
    try { told = bad.exec(String(doc.newIndirect(i, 0).resolve())); } catch (e) { continue; }
    if (told) found.push(i + " has " + told[0]);
  }
  var info = doc.getTrailer().get("Info");
  if (info && info.isDictionary()) found.push("Info");
  return found;
}
for (var at = 0; at < scriptArgs.length; at++) {
  var found;
  try {
    var doc = new PDFDocument(scriptArgs[at]);
    found = look(doc);
    for (var p = 0; p < Math.min(doc.countPages(), 3); p++)
      doc.loadPage(p).toPixmap([0.1, 0, 0, 0.1, 0, 0], DeviceRGB, false);
  } catch (e) { found = ["mutool: " + e]; }
  print("JUDGED " + scriptArgs[at] + "\t" + found.join("; "));
}
"""


def mutool(files: Iterable[Path], folder: Path) -> dict[str, list[str]]:
    """What MuPDF, a third reader, finds; it also draws the pages. One process for all."""
    script = folder / "look.js"
    script.write_text(_SCRIPT)
    command = ["mutool", "run", str(script), *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, errors="replace")
    found = {}
    for line in done.stdout.splitlines():
        if line.startswith("JUDGED "):
            name, _, told = line.removeprefix("JUDGED ").partition("\t")
            found[Path(name).name] = [told] if told else []
    return found


def judged(folder: Path, tells: Callable[[Path], bool]) -> dict[str, dict[str, list[str]]]:
    """The findings of each judge on each PDF of the folder, by the file's name; exiftool looks only
    at those that may tell of people, and at their images."""
    files = sorted(folder.glob("*.pdf"))
    images = folder / "images"
    images.mkdir()
    with ThreadPoolExecutor(3) as pool:
        by_mutool = pool.submit(mutool, files, folder)
        list(pool.map(lambda file: extracted(file, images), filter(tells, files)))
        by_exiftool = pool.submit(exiftool, [*filter(tells, files), *images.iterdir()])
        by_qpdf = dict(zip((file.name for file in files), pool.map(qpdf, files), strict=True))
        told = by_exiftool.result()
        for name in list(told):
            if not name.endswith(".pdf"):
                stem = re.sub(r"-\d+-\d+\.\w+$", ".pdf", name)
                told.setdefault(stem, []).extend(told[name])
        seen = by_mutool.result()
    return {
        file.name: {
            "qpdf": by_qpdf[file.name],
            "exiftool": told.get(file.name, ["exiftool says nothing"] if tells(file) else []),
            "mutool": seen.get(file.name, ["mutool says nothing"]),
        }
        for file in files
    }
