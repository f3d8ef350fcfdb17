"""Entering: whose device it is, what it keeps, where the code went and when another one comes."""

import re
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.fixtures import MakeWorker, MoveClock, Served, last_code, new_phone
from tests.web.pages.answers import Browser

CHOICES = {"language": "fr", "second": "en", "discreet": "yes"}


def browser(served: Served, **cookies: str) -> httpx.AsyncClient:
    opened = Browser(base_url=served.base_url, trust_env=False)
    for name, value in cookies.items():
        opened.cookies.set(f"unefois-{name}", value, domain="127.0.0.1")
    return opened


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the first form for a code."""
    form = page[page.index("<main") :]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


async def enter(
    served: Served, at: httpx.AsyncClient, phone: str, device: str | None
) -> httpx.Response:
    """Enter as the pages do, with an answer to whose device it is, or none."""
    said = {} if device is None else {"device": device}
    page = (await at.get("/?done=x")).text
    begun = await at.post("/sign-in", data={**hidden(page), "phone": phone, **said})
    shown = (await at.get(begun.headers["location"])).text
    code = await last_code(served.services, phone)
    return await at.post(begun.headers["location"], data={**hidden(shown), "code": code})


def cookie_of(answer: httpx.Response, name: str) -> str:
    (found,) = [
        one for one in answer.headers.get_list("set-cookie") if one.startswith(f"unefois-{name}=")
    ]
    return found


async def test_an_own_device_is_kept_as_before(served: Served) -> None:
    async with browser(served, **CHOICES) as at:
        entered = await enter(served, at, new_phone(), "own")
        hours = served.services.settings.person_session_hours
        assert f"Max-Age={hours * 3600}" in cookie_of(entered, "person")
        assert "Max-Age" in cookie_of(entered, "browser")
        page = (await at.get("/documents")).text
        assert 'data-device="own"' in page
        assert "data-worker=" in page
        assert 'rel="manifest"' in page
        assert "noscript" not in page


@pytest.mark.parametrize("said", ["shared", "", "OWN", None])
async def test_a_shared_device_and_no_answer_keep_nothing(served: Served, said: str | None) -> None:
    async with browser(served, **CHOICES) as at:
        entered = await enter(served, at, new_phone(), said)
        assert "Max-Age" not in cookie_of(entered, "person")
        assert "expires" not in cookie_of(entered, "person").lower()
        assert not [one for one in entered.headers.get_list("set-cookie") if "-browser=" in one]
        for name, value in CHOICES.items():
            assert cookie_of(entered, name).startswith(f"unefois-{name}={value};")
            assert "Max-Age" not in cookie_of(entered, name)
        page = (await at.get("/documents")).text
        assert 'data-device="shared"' in page
        assert "data-worker=" not in page
        assert 'rel="manifest"' not in page
        seconds = re.search(r'<noscript><meta http-equiv="refresh" content="(\d+);', page)
        assert seconds
        assert 895 < int(seconds[1]) <= 902
        chosen = await at.get("/language/es?back=/documents")
        assert "Max-Age" not in cookie_of(chosen, "language")


async def test_a_visitors_page_installs_nothing(served: Served) -> None:
    """Whose device it is, is not known yet."""
    async with browser(served) as at:
        for address in ("/?done=x", "/language", "/pro"):
            page = (await at.get(address)).text
            assert "data-worker=" not in page
            assert 'rel="manifest"' not in page
            assert "data-device=" not in page


@pytest.mark.parametrize("how", ["/sign-out", "/quick-exit"])
async def test_going_out_of_a_shared_device_leaves_nothing(served: Served, how: str) -> None:
    async with browser(served, **CHOICES | {"language": "ar"}) as at:
        await enter(served, at, new_phone(), "shared")
        page = (await at.get("/documents")).text
        token = dict(re.findall(r'name="(form)" value="([^"]+)"', page))
        left = await at.post(how, data=token, headers={"Sec-Fetch-Site": "same-origin"})
        assert left.headers["clear-site-data"] == '"cache", "storage"'
        assert set(at.cookies) == {"unefois-left"}, "it says nothing of whom"
        if how == "/sign-out":
            # The goodbye is in the language that was chosen, and tells nothing of other devices.
            assert left.headers["location"] == "/?done=bye&language=ar"
            goodbye = await at.get(left.headers["location"])
            assert '<html lang="ar" dir="rtl"' in goodbye.text
            assert "unefois-language" not in at.cookies
            for unknown in ("xx", "../fr", ""):
                other = await at.get("/", params={"done": "bye", "language": unknown})
                assert '<html lang="fr"' in other.text


async def test_no_browser_fills_in_a_code_again(served: Served) -> None:
    """By Back: it knows a form again by the names of its first fields."""
    async with browser(served) as at:
        page = await at.get("/?done=x")
        token = dict(re.findall(r'name="(form)" value="([^"]+)"', page.text))
        started = await at.post("/sign-in", data={**token, "phone": new_phone()})
        address = started.headers["location"]
        names = []
        for _ in range(2):
            form = (await at.get(address)).text.split('action="/sign-in/')[1]
            assert 'autocomplete="one-time-code"' in form.split("</form>")[0]
            names.append(re.findall(r'name="([^"]+)"', form)[0])
        # The same of the code that erases a vault.
        await enter(served, at, new_phone(), "own")
        page = (await at.get("/documents")).text
        token = dict(re.findall(r'name="(form)" value="([^"]+)"', page))
        sent = await at.post("/erasure/code", data=token)
        for _ in range(2):
            form = (await at.get(sent.headers["location"])).text.split('action="/erasure">')[1]
            assert 'autocomplete="one-time-code"' in form.split("</form>")[0]
            names.append(re.findall(r'name="([^"]+)"', form)[0])
    assert len({*names}) == 4


@pytest.mark.parametrize("device", ["own", "shared"])
async def test_back_to_the_page_of_a_code_that_was_used_has_no_field(
    served: Served, device: str
) -> None:
    phone = new_phone()
    async with browser(served, language="fr") as at:
        page = (await at.get("/?done=x")).text
        said = {**hidden(page), "phone": phone, "device": device}
        address = (await at.post("/sign-in", data=said)).headers["location"]
        waiting = (await at.get(address)).text
        assert 'id="code"' in waiting
        code = await last_code(served.services, phone)
        await at.post(address, data={**hidden(waiting), "code": code})
        inside = await at.get(address)
        assert (inside.status_code, inside.headers["location"]) == (303, "/documents")
        page = (await at.get("/documents")).text
        token = dict(re.findall(r'name="(form)" value="([^"]+)"', page))
        await at.post("/sign-out", data=token)
        for _ in range(2):  # The second time with the secret of a new visit.
            again = await at.get(address)
            assert again.headers["cache-control"] == "no-store"
            assert "Ce code ne marche plus" in again.text
            assert 'id="code"' not in again.text
            assert 'action="/sign-in' not in again.text
            assert phone[-2:] not in again.text.partition("<main")[2]
            assert re.search(r'class="button main" href="/">Recommencer', again.text)


async def test_a_code_of_yesterday_has_no_field_and_another_is_asked_for(
    served: Served, moved_clock: MoveClock
) -> None:
    async with browser(served, language="fr") as at:
        page = (await at.get("/?done=x")).text
        begun = await at.post("/sign-in", data={**hidden(page), "phone": new_phone()})
        address = begun.headers["location"]
        moved_clock(timedelta(minutes=11))
        late = (await at.get(address)).text
        assert "Ce code est trop ancien." in late
        assert 'id="code"' not in late
        again = await at.post(f"{address.partition('?')[0]}/again", data=hidden(late))
        assert again.headers["location"].endswith("done=code_again")
        assert 'id="code"' in (await at.get(again.headers["location"])).text


async def test_a_worker_who_is_inside_goes_back_to_no_code(
    served: Served, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    async with browser(served, worker=worker.token) as at:
        inside = await at.get(f"/pro/sign-in/{uuid4()}")
        assert (inside.status_code, inside.headers["location"]) == (303, "/pro/people")
    async with browser(served) as at:
        outside = (await at.get(f"/pro/sign-in/{uuid4()}")).text
        assert 'id="code"' not in outside
        assert re.search(r'class="button main" href="/pro">Recommencer', outside)


async def test_of_other_devices_only_an_own_one_tells(served: Served) -> None:
    phone = new_phone()
    for device, done in (("own", "bye"), ("shared", "bye"), ("own", "bye_here")):
        async with browser(served) as at:
            await enter(served, at, phone, device)
            if device == "own" and done == "bye":
                continue  # It stays open.
            page = (await at.get("/documents")).text
            token = dict(re.findall(r'name="(form)" value="([^"]+)"', page))
            left = await at.post("/sign-out", data=token)
            assert left.headers["location"] == f"/?done={done}"
            said = (await at.get(left.headers["location"])).text
            assert "C’est fermé ici. Vous pouvez partir." in said


@pytest.mark.parametrize("how", ["/sign-out", "/quick-exit"])
async def test_going_out_of_an_own_device_keeps_its_choices(served: Served, how: str) -> None:
    async with browser(served, **CHOICES) as at:
        await enter(served, at, new_phone(), "own")
        page = (await at.get("/documents")).text
        token = dict(re.findall(r'name="(form)" value="([^"]+)"', page))
        # What was typed or made just now, for the session alone.
        for name in ("told", "card"):
            at.cookies.set(f"unefois-{name}", "sealed", domain="127.0.0.1")
        left = await at.post(how, data=token, headers={"Sec-Fetch-Site": "same-origin"})
        assert "clear-site-data" not in left.headers
        kept = {f"unefois-{name}" for name in (*CHOICES, "browser")}
        assert {*at.cookies} - {"unefois-visit"} == kept


async def test_of_a_worker_beside_nothing_is_taken(served: Served, make_worker: MakeWorker) -> None:
    worker = await make_worker()
    async with browser(served, **CHOICES) as at:
        await enter(served, at, new_phone(), "shared")
        for name, value in {**CHOICES, "worker": worker.token}.items():
            at.cookies.set(f"unefois-{name}", value, domain="127.0.0.1")
        page = (await at.get("/documents")).text
        token = dict(re.findall(r'name="(form)" value="([^"]+)"', page))
        left = await at.post("/sign-out", data=token)
        assert left.headers["clear-site-data"] == '"cache"'
        assert {"unefois-worker", "unefois-left", *(f"unefois-{name}" for name in CHOICES)} == {
            *at.cookies
        }


@pytest.mark.parametrize("how", ["/sign-out", "/quick-exit", "/session/over"])
async def test_a_worker_whose_session_is_over_is_not_beside(
    served: Served, make_worker: MakeWorker, moved_clock: MoveClock, how: str
) -> None:
    """Their cookie alone keeps nothing of a person on a shared device."""
    worker = await make_worker()
    async with httpx.AsyncClient(base_url=served.base_url) as api:
        headers = {"Authorization": f"Bearer {worker.token}"}
        ended = await api.delete("/v1/sessions/current", headers=headers)
        assert ended.status_code == 204, ended.text
    async with browser(served, worker=worker.token, **CHOICES) as at:
        entered = await enter(served, at, new_phone(), "shared")
        kept = [one for one in entered.headers.get_list("set-cookie") if "-language=" in one]
        assert kept, "it ends with the window"
        if how == "/session/over":
            moved_clock(timedelta(minutes=16))
            left = await at.get(how)
        else:
            page = (await at.get("/documents")).text
            token = dict(re.findall(r'name="(form)" value="([^"]+)"', page))
            left = await at.post(how, data=token, headers={"Sec-Fetch-Site": "same-origin"})
        assert left.headers["clear-site-data"] == '"cache", "storage"'
        assert not {*at.cookies} & {f"unefois-{name}" for name in CHOICES}


async def test_after_fifteen_minutes_without_use_it_is_over(
    served: Served, moved_clock: MoveClock
) -> None:
    async with browser(served, **CHOICES) as at:
        await enter(served, at, new_phone(), "shared")
        moved_clock(timedelta(minutes=14))
        assert (await at.get("/documents")).status_code == 200
        moved_clock(timedelta(minutes=28))
        assert (await at.get("/documents")).status_code == 200, "it was used"
        moved_clock(timedelta(minutes=44))
        over = await at.get("/documents", headers={"Accept": "text/html"})
        assert over.headers["location"] == "/?done=signed_out"
        assert over.headers["clear-site-data"] == '"cache", "storage"'
        assert set(at.cookies) == {"unefois-left"}, "it says nothing of whom"


async def test_a_page_that_nobody_touches_keeps_nothing_open(
    served: Served, moved_clock: MoveClock
) -> None:
    """It goes to another one by itself, which is no use."""
    async with browser(served) as at:
        await enter(served, at, new_phone(), "shared")
        moved_clock(timedelta(minutes=14))
        alive = await at.get("/session/over")
        assert alive.status_code == 200
        assert "clear-site-data" not in alive.headers, "another tab may be in use"
        moved_clock(timedelta(minutes=16))
        over = await at.get("/session/over")
        assert "clear-site-data" in over.headers
        assert "Entrez pour continuer" in over.text
        assert (await at.get("/documents")).status_code == 303


async def test_a_page_that_asks_whether_it_is_over_keeps_nothing_open(
    served: Served, moved_clock: MoveClock
) -> None:
    """Its own question is no use; any other is, and so is anything else that is asked so."""
    headers = {"Accept": "application/json"}
    async with browser(served) as at:
        await enter(served, at, new_phone(), "shared")
        for minutes, address, status in (
            (14, "/session?used=no", 200),
            (14, "/session?used=", 200),
            (28, "/documents?used=no", 200),
            (42, "/session?used=no", 200),
            (44, "/session?used=no", 401),
        ):
            moved_clock(timedelta(minutes=minutes))
            assert (await at.get(address, headers=headers)).status_code == status, minutes


async def test_a_form_that_came_too_late_is_told_and_leads_nowhere(
    served: Served, moved_clock: MoveClock
) -> None:
    async with browser(served) as at:
        await enter(served, at, new_phone(), "shared")
        moved_clock(timedelta(minutes=16))
        headers = {"Accept": "text/html", "Referer": f"{served.base_url}/documents/add"}
        sent = await at.post("/time-zone", data={"time_zone": "x"}, headers=headers)
        assert sent.headers["location"] == "/?done=lost"
        assert "Rien n’est parti" in (await at.get(sent.headers["location"])).text
        assert "unefois-next" not in at.cookies


async def test_my_devices_say_which_is_shared(served: Served) -> None:
    phone = new_phone()
    async with browser(served) as at, browser(served) as own:
        await enter(served, at, phone, "shared")
        await enter(served, own, phone, "own")
        shown = (await own.get("/sessions")).text
    assert shown.count("(appareil partagé)") == 2, "in the sentence and in the name of its button"
    assert "Vous l’utilisez maintenant. (appareil partagé)" not in shown.replace("\xa0", " ")


@pytest.mark.parametrize("kind", ["person", "worker"])
async def test_the_code_page_says_where_it_went_and_what_to_do(
    served: Served, kind: str, make_worker: MakeWorker, moved_clock: MoveClock
) -> None:
    address = new_phone() if kind == "person" else (await make_worker()).email
    name, start = ("phone", "/") if kind == "person" else ("email", "/pro")
    prefix = "" if kind == "person" else "/pro"
    async with browser(served) as at:
        page = (await at.get(f"{start}?done=x")).text
        begun = await at.post(
            f"{prefix}/sign-in", data={**hidden(page), name: address, "device": "own"}
        )
        where = begun.headers["location"]
        assert address not in where
        shown = (await at.get(where)).text
        said = re.search(r'class="sent-to" dir="ltr">([^<]+)<', shown)
        assert said
        written = re.sub(r"\s", "", said[1])
        assert written == (f"0{address[3:]}" if kind == "person" else address)
        assert "Rien n’arrive" in shown.replace("\xa0", " ")
        assert 'data-wait="60"' in shown or 'data-wait="59"' in shown
        again = f"{where.split('?')[0]}/again"
        early = await at.post(again, data=hidden(shown))
        assert early.status_code == 429
        assert 55 < int(early.headers["retry-after"]) <= 60
        assert re.search(r"Attendez encore (5|6)\d secondes", early.text)
        moved_clock(timedelta(seconds=61))
        assert "data-wait" not in (await at.get(where)).text
        sent = await at.post(again, data=hidden(shown))
        after = (await at.get(sent.headers["location"])).text
        assert "Un nouveau code est parti" in after
        assert hidden(after).get("device", "own") == "own"
        code = await last_code(served.services, address)
        page_of_code = sent.headers["location"]
        done = await at.post(page_of_code, data={**hidden(after), "code": code})
        assert done.status_code == 303
        assert f"unefois-{kind}" in at.cookies


async def test_where_somebody_was_on_a_shared_device_is_not_kept(served: Served) -> None:
    """« Back » asks for their page, and whoever enters next is not led there. On an own device,
    afterwards, the page that was asked for is kept as ever."""
    asked = {"Accept": "text/html"}
    async with browser(served) as at:
        assert (await at.get("/session", headers=asked)).status_code == 303
        assert not at.cookies.get("unefois-next"), "no page"
        assert (await at.get("/requests", headers=asked)).status_code == 303
        assert at.cookies.get("unefois-next"), "nobody left here yet"
        entered = await enter(served, at, new_phone(), "shared")
        assert entered.headers["location"] == "/requests"
        page = (await at.get("/documents")).text
        await at.post("/sign-out", data=dict(re.findall(r'name="(form)" value="([^"]+)"', page)))
        assert (await at.get("/requests", headers=asked)).status_code == 303
        assert not at.cookies.get("unefois-next")
        other = await enter(served, at, new_phone(), "own")
        assert other.headers["location"] == "/documents"
        assert not at.cookies.get("unefois-left")
