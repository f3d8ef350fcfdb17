"""A home of release 0.1.0, left in the middle of work by a kill: this tree starts it, completes
that work, and reads, proves and refuses as the release that made it did.

`tests/data/home_0_1_0/home.tar.xz` is the home as it lay on the disk: PostgreSQL's data folder, the
blobs, the keyring, the passwords. Everyone in it is invented. It was left with a preview to draw,
events without a leaf, and a rotation killed half-way. `expected.json` is what its release answered
then. Neither is ever made again: what an installation has on its disk does not change when the code
does.

No module of this tree is imported, so that a renamed module cannot hide a change in the data. The
database's clock is set back to the moment at which the home was left.
"""

import io
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pikepdf
import pytest
from PIL import Image

from tests.journeys.old_home import Home, bearer, hashed, ok, until


@pytest.fixture
def before(home: Path) -> Iterator[Home]:
    """Unpacked in a folder with a short path: PostgreSQL's socket is in it."""
    folder = home.parent / f"before-{secrets.token_hex(3)}"
    folder.mkdir(mode=0o700)
    unpacked = Home(folder)
    try:
        unpacked.unpack()
        yield unpacked
    finally:
        unpacked.clear()


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_a_home_of_before_goes_on(before: Home) -> None:
    roots = before.known["roots"]
    # 1. Migrated, its rows bound, and served, without the processes that would complete what was
    # left half-way.
    before.set_the_clock_back()
    assert ", 0 that do not open left" in before.run("migrate")
    assert "bound already" in before.run("bind-rows", status=1)
    before.start("serve", UNEFOIS_JOBS_IN_PROCESS="no", UNEFOIS_SEQUENCER_IN_PROCESS="no")
    assert before.roots() == {
        roots["former"]: roots["under_former"],
        # The secret that authenticates rows, and the one that names rates.
        roots["active"]: roots["under_active"] + 2,
    }
    assert before.known["log"]["without_leaf"] > 0
    assert before.without_leaf() == before.known["log"]["without_leaf"] + 1  # the binding
    undrawn = before.known["undrawn"]
    assert before.document(undrawn, "/preview").json()["code"] == "no_preview"
    # 2. The earlier tokens still open what they opened, and nothing else.
    reads_back(before)
    keeps_consents(before, bearer(before.known["client"]["access_token"]))
    knows_people(before)
    has_phones_as_means(before)
    keeps_the_log(before)
    # 3. The jobs: the queued preview is drawn, a code is sent to a person who signs in again.
    before.start("work")
    until(lambda: before.document(undrawn).json()["file"]["preview"], "no preview is drawn")
    drawn = ok(before.document(undrawn, "/preview"))
    assert Image.open(io.BytesIO(drawn.content)).format == "JPEG"
    signs_in_again(before)
    # 4. The rotation continues from where it was killed, under the root that it had made.
    output = before.run("keys", "rotate")
    done = f"root version {roots['active']}: {roots['under_former']} keys re-wrapped, 0 broken"
    assert done in output
    assert list(before.roots()) == [roots["active"]]
    # 5. The log continues from its last checkpoint, and holds what was proved then.
    proves(before)
    # 6. All of it again, by a process that starts on the current state.
    before.stop()
    before.start("serve")
    reads_back(before)
    keeps_the_log(before)
    before.stop()
    reconciles(before)
    assert "Traceback" not in before.printed()


def reconciles(before: Home) -> None:
    """7. Every leaf, tile and checkpoint, every row, and what the log says of each, with no other
    process in the home."""
    output = before.run("audit", "reconcile")
    found = re.search(r"(\d+) leaves, \d+ checkpoints: (\d+) faults", output)
    assert found, output
    assert int(found[1]) > before.known["log"]["events"]
    assert found[2] == "0"
    opened = re.search(
        r"(\d+) events opened, (\d+) whose key is destroyed; \d+ rows: 0 faults", output
    )
    assert opened, output
    assert int(opened[1]) > 0
    assert int(opened[2]) > 0  # one of the people was erased


def reads_back(before: Home) -> None:
    """Each document with its description, and each of its files, byte for byte."""
    documents = before.known["documents"]
    for who in before.known["people"]:
        listed = ok(before.http.get("/v1/documents", headers=before.of(who))).json()["items"]
        theirs = {one["id"] for one in documents.values() if one["owner"] == who}
        assert {one["id"] for one in listed} == theirs
    for name, known in documents.items():
        answer = ok(before.document(name)).json()
        assert {field: answer[field] for field in known["shown"]} == known["shown"]
        assert answer["version"]["number"] == known["version"]
        parts = range(1, len(known["parts"]) + 1)
        found = [hashed(before.document(name, "/content", part=part)) for part in parts]
        assert found == known["parts"], name
        if name != before.known["undrawn"]:
            assert answer["file"]["preview"]
            assert ok(before.document(name, "/preview")).content.startswith(b"\xff\xd8")
    # The same bytes are recognised, by a hash under their owner's key.
    pay = before.document("pay", "/content").content
    owner = before.of(documents["pay"]["owner"])
    again = before.http.post(
        "/v1/documents", headers=owner, files={"file": ("b.pdf", pay)}, data={"type": "payslip"}
    )
    assert ok(again).json()["id"] == documents["pay"]["id"]


def keeps_consents(before: Home, administration: dict[str, str]) -> None:
    """The active grant, the revoked one, the one to attest, and the pending request."""
    http, grants = before.http, before.known["grants"]
    camille, sacha = before.of("camille"), before.of("sacha")
    living = grants["living"]
    for name in living["covers"]:
        is_clean(before, name, before.under(living["id"], name, camille))
    ok(before.under(living["id"], "tax", sacha), 404)
    ok(before.under(living["id"], "pay", camille), 404)
    revoked = grants["revoked"]
    refused = ok(before.under(revoked["id"], revoked["document"], camille), 403)
    assert refused.json()["code"] == "grant_revoked"

    attested = grants["attested"]
    asked = {"type": attested["evidence"]["type"]}
    path = f"/v1/grants/{attested['id']}/evidence"
    for headers in (administration, before.client_token()):
        answer = ok(http.get(path, params=asked, headers=headers)).json()
        assert {field: answer[field] for field in attested["evidence"]} == attested["evidence"]
    ok(before.under(attested["id"], "pay", administration), 403)

    # Sent again with the same idempotency key it is the same request; approved, it opens.
    waiting = before.known["waiting"]
    key = {"Idempotency-Key": waiting["idempotency_key"]}
    again = http.post("/v1/consent-requests", headers=camille | key, json=waiting["body"])
    assert ok(again, 202).json()["id"] == waiting["id"]
    path = f"/v1/consent-requests/{waiting['id']}"
    assert ok(http.get(path, headers=before.of("amina"))).json()["state"] == "waiting"
    grant = ok(http.post(f"{path}/approve", headers=before.of("amina")), 201).json()["id"]
    document = waiting["document"]
    is_clean(before, document, before.under(grant, document, camille))


def knows_people(before: Home) -> None:
    """A worker of before sees whom the living grant came from, with its papers, and names them."""
    living, camille = before.known["grants"]["living"], before.of("camille")
    people = ok(before.http.get("/v1/people", headers=camille)).json()["items"]
    shown = {
        one["id"]: ok(before.http.get(f"/v1/people/{one['id']}", headers=camille)).json()
        for one in people
    }
    (known,) = (
        one for one, all_ in shown.items() if living["id"] in {each["id"] for each in all_["live"]}
    )
    papers = {
        paper["id"]
        for paper in shown[known]["papers"]["items"]
        if living["id"] in {way["grant_id"] for way in paper["grants"]}
    }
    assert papers == {before.known["documents"][name]["id"] for name in living["covers"]}
    labelled = before.http.patch(f"/v1/people/{known}", headers=camille, json={"label": "Éloïse"})
    assert ok(labelled).json()["label"] == "Éloïse"
    found = ok(before.http.get("/v1/people?q=eloise", headers=camille)).json()["items"]
    assert [one["id"] for one in found] == [known]
    ok(before.http.get(f"/v1/people/{known}", headers=before.of("sacha")), 404)


def has_phones_as_means(before: Home) -> None:
    """The phone of each vault of before is a means, kept since the vault was opened."""
    for who in before.known["people"]:
        answer = before.http.get("/v1/me/means", headers=before.of(who))
        (phone,) = ok(answer).json()["items"]
        assert (phone["kind"], phone["last_used_at"]) == ("phone", None)
        assert not phone["barred"]
        assert answer.json()["proof"] == "code"
        path = f"/v1/me/means/{phone['id']}"
        unproved = before.http.delete(path, headers=before.of(who))
        assert ok(unproved, 403).json()["code"] == "proof_needed"


def is_clean(before: Home, name: str, answer: httpx.Response) -> None:
    """What a recipient gets of a paper held from before is never its bytes: a PDF is rewritten, and
    says nothing of who made it; the second read gives the same as the first."""
    assert hashed(answer) not in before.known["documents"][name]["parts"], name
    if answer.headers["content-type"] == "application/pdf":
        with pikepdf.open(io.BytesIO(answer.content)) as pdf:
            assert "/Info" not in pdf.trailer
            assert "/Metadata" not in pdf.Root
    known = before.copies.setdefault(name, answer.content)
    assert answer.content == known, name


def keeps_the_log(before: Home) -> None:
    """Each earlier entry reads as it did; its proof is of the same event, at the same place."""
    for who, lines in before.known["log"]["lines"].items():
        for line in lines:
            path = f"/v1/access-log/{line['id']}"
            answer = ok(before.http.get(path, headers=before.of(who))).json()
            assert answer.pop("sentence")
            assert answer.pop("report") is None  # members of later releases
            assert answer.pop("beside") is None
            assert answer == line
    for known in before.known["log"]["receipts"]:
        path = f"/v1/access-log/{known['line']}/proof"
        answer = ok(before.http.get(path, headers=before.of(known["owner"]))).json()
        for field in ("event", "k_event", "commitment", "sealed_sha256", "index"):
            assert answer[field] == known["receipt"][field]


def signs_in_again(before: Home) -> None:
    """The earlier addresses sign in to the earlier accounts."""
    amina = before.sign_in({"phone": before.known["people"]["amina"]["phone"]})
    held = ok(before.http.get("/v1/documents", headers=amina)).json()["items"]
    assert before.known["documents"]["tax"]["id"] in {one["id"] for one in held}
    (phone,) = ok(before.http.get("/v1/me/means", headers=amina)).json()["items"]
    assert phone["last_used_at"] is not None
    camille = before.sign_in({"email": before.known["workers"]["camille"]["email"]})
    living = before.known["grants"]["living"]
    is_clean(before, "tax", before.under(living["id"], "tax", camille))


def proves(before: Home) -> None:
    """`unefois verify`, from outside, with the key, checkpoint and receipts kept from before."""
    log = before.known["log"]
    assert ok(before.http.get("/log/vkey")).text.strip() == log["vkey"]
    until(lambda: not before.without_leaf(), "events stay without a leaf")

    def published() -> bool:
        note = before.http.get("/log/checkpoint").text
        return int(note.splitlines()[1]) > log["events"]

    until(published, "no newer checkpoint is published")
    remembered, receipt = before.folder / "checkpoint", before.folder / "receipt.json"
    size = log["checkpoint"].splitlines()[1]
    for known in log["receipts"]:
        remembered.write_text(log["checkpoint"])
        receipt.write_text(json.dumps(known["receipt"]))
        entry = f"the receipt's event is entry {known['receipt']['index']}"
        kept = ["verify", "--vkey", log["vkey"], "--receipt", str(receipt)]
        assert entry in before.run(*kept)
        url = f"http://127.0.0.1:{before.port}/log"
        output = before.run(*kept, "--url", url, "--remember", str(remembered), "--whole")
        assert f"continues the remembered tree of {size} entries" in output
        assert f"{entry} of the published tree" in output
        assert "verified: all" in output
