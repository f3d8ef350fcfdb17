"""Pictures before and while they are sent, by the pages’ own module and without it, in Chromium."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import Page, Route, expect

from tests.attacks.test_sessions import signed_in
from tests.attacks.test_shared_devices import SHARED
from tests.fixtures import MakePerson, Served, SomePerson, last_code
from tests.journeys.test_script import Open, open_page, until
from vault.services import Services

__all__ = ["open_page"]

pytestmark = pytest.mark.browser


async def on_a_shared_device(services: Services, person: SomePerson) -> SomePerson:
    """The person, who entered on a device that others use: what could not be sent stays there in
    the page alone (tests/journeys/test_outbox.py tells of the other case)."""
    return replace(person, token=(await signed_in(services, person.phone, SHARED)).token)


def a_paper(path: Path, *, blurred: float = 0, light: float = 1, width: int = 1600) -> Path:
    """A photo of a page of text."""
    page = Image.new("RGB", (width, width * 4 // 3), (235, 232, 225))
    pen = ImageDraw.Draw(page)
    for line in range(40):
        pen.text((width // 12, width // 10 + line * width // 34), "Avis d'impôt 2025 " * 5,
                 fill=(30, 30, 40), font_size=width // 60)  # fmt: skip
    if blurred:
        page = page.filter(ImageFilter.GaussianBlur(blurred * width / 1600))
    page.point(lambda value: int(value * light)).save(path, quality=88)
    return path


@pytest.mark.parametrize(
    ("blurred", "light", "says"),
    [(0, 1, ""), (1.5, 1, ""), (9, 1, "semble floue"), (0, 0.15, "est sombre")],
)
async def test_a_photo_is_seen_before_it_is_sent_and_said_to_be_dark_or_blurred(
    open_page: Open,
    make_person: MakePerson,
    tmp_path: Path,
    blurred: float,
    light: float,
    says: str,
) -> None:
    page = await open_page("/documents/add", await make_person())
    await page.wait_for_load_state("networkidle")
    photo = a_paper(tmp_path / "a.jpg", blurred=blurred, light=light)
    await page.set_input_files("input[type=file] >> nth=0", photo)
    shot = page.locator(".shot img")
    await expect(shot).to_have_js_property("complete", True)
    await until(page, "document.querySelector('.shot img').naturalWidth > 0")
    if says:
        await expect(page.locator(".shot .flag")).to_contain_text(says)
    else:
        await page.wait_for_timeout(700)
        assert await page.locator(".shot .flag").count() == 0


async def test_of_photos_that_are_chosen_again_the_first_ones_are_shown_no_more(
    open_page: Open, make_person: MakePerson, tmp_path: Path
) -> None:
    """Although one of them is still looked at."""
    slow = """const look = createImageBitmap; window.looking = [];
      window.createImageBitmap = async (file) => {
        await new Promise((go) => window.looking.push(go));
        return look(file).finally(() => { window.seen = (window.seen ?? 0) + 1; });
      };"""
    page = await open_page("/documents/add", await make_person(), init=slow)
    await page.wait_for_load_state("networkidle")
    one, two, other = [a_paper(tmp_path / f"{name}.jpg", width=400) for name in "abc"]
    await page.set_input_files("#photo", [one, two])
    await until(page, "looking.length === 1")
    await page.set_input_files("#photo", other)
    await until(page, "looking.length === 2")
    await page.evaluate("looking.forEach((go) => go())")
    await until(page, "window.seen === 2")
    await page.evaluate("new Promise((go) => setTimeout(go, 50))")
    assert await page.locator(".shot").count() == 1


async def keep(page: Page) -> None:
    """From the page of details to the end."""
    await page.click("button.send")
    await page.wait_for_url("**/check")
    await page.click("button.send")
    await page.wait_for_url("**/documents/*?done=added")


async def test_a_photo_is_not_lost_when_the_session_has_ended(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    """One enters again beside; the page still has the photo, and sends it."""
    person = await make_person()
    page = await open_page("/documents/add?type=payslip", person)
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("input[type=file] >> nth=0", a_paper(tmp_path / "a.jpg"))
    await page.context.clear_cookies(name="unefois-person")
    await page.click("button.send")
    await expect(page.locator("#ended")).to_be_visible()
    async with page.context.expect_page() as opened:
        await page.click("#ended a")
    beside = await opened.value
    await beside.fill("#phone", person.phone)
    await beside.click("main button.main")
    await beside.fill("#code", await last_code(served.services, person.phone))
    await beside.click("main button.main")
    await beside.wait_for_url("**/documents")
    await beside.close()
    await page.click("button.send")
    await page.wait_for_url("**/documents/add/*/details")
    await keep(page)
    assert "Votre papier est gardé ici" in await page.inner_text("main")


async def test_a_photo_goes_to_nobody_who_signed_in_meanwhile(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    page = await open_page("/documents/add?type=payslip", await make_person())
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("input[type=file] >> nth=0", a_paper(tmp_path / "a.jpg"))
    other = await make_person()
    cookie = {"name": "unefois-person", "value": other.token, "url": served.base_url}
    await page.context.add_cookies([cookie])
    await page.click("button.send")
    await expect(page.locator("#ended")).to_be_visible()
    beside = await page.context.new_page()
    await beside.goto(f"{served.base_url}/documents/add")
    assert await beside.locator("a.waiting").count() == 0


async def test_what_is_wrong_is_said_and_the_photo_stays(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    person = await on_a_shared_device(served.services, await make_person())
    page = await open_page("/documents/add", person)
    await page.wait_for_load_state("networkidle")
    broken = tmp_path / "b.jpg"
    broken.write_bytes(b"no picture")
    files = [a_paper(tmp_path / "a.jpg"), broken]
    await page.set_input_files("input[type=file] >> nth=0", files)
    await page.click("button.send")
    problem = page.locator("form .problem")
    await expect(problem).to_contain_text("2")
    await page.wait_for_function("document.activeElement.className.includes('problem')")
    assert await page.evaluate("document.querySelector('input[type=file]').files.length") == 2
    await page.context.set_offline(True)
    await page.click("button.send")
    await expect(problem).to_contain_text("pas de réseau")
    await page.context.set_offline(False)
    await page.set_input_files("input[type=file] >> nth=0", files[:1])
    await page.click("button.send")
    # The good one was sent twice, and is there once.
    await page.wait_for_url("**/documents/add/*/type")
    await page.goto(page.url.replace("/type", "/check"))
    assert await page.locator(".shots > li").count() == 1


async def test_on_a_slow_link_a_photo_is_made_smaller_unless_one_says_no(
    open_page: Open, make_person: MakePerson, tmp_path: Path
) -> None:
    slow = "Object.defineProperty(navigator, 'connection', { value: { effectiveType: '3g' } });"
    photo = a_paper(tmp_path / "a.jpg", width=3600)
    sent = []
    for wanted in (True, False):
        page = await open_page("/documents/add?type=payslip", await make_person(), init=slow)
        await page.wait_for_load_state("networkidle")
        await page.set_input_files("input[type=file] >> nth=0", photo)
        tick = page.get_by_label("envoyer des photos plus légères")
        await expect(tick).to_be_checked()
        await tick.set_checked(wanted)
        await page.click("button.send")
        await page.wait_for_url("**/documents/add/*/details", timeout=20_000)
        await keep(page)
        paper = await page.context.request.get(page.url.split("?")[0] + "/content")
        sent.append(await paper.body())
    assert sent[1] == photo.read_bytes()
    assert len(sent[0]) < 0.7 * len(sent[1])
    assert Image.open(BytesIO(sent[0])).size == (1800, 2400)


async def test_without_script_a_large_file_that_came_too_late_is_said_to_be_lost(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    """The answer comes while the browser is still sending; it leads back to the form."""
    person = await make_person()
    page = await open_page("/documents/add?type=payslip", person, script=False)
    large = tmp_path / "a.jpg"
    large.write_bytes(a_paper(large).read_bytes() + bytes(20_000_000))
    await page.set_input_files("input[type=file] >> nth=0", large)
    await page.context.clear_cookies(name="unefois-person")
    await page.click("button.send")
    await page.wait_for_url("**/?done=not_sent")
    assert "Rien n’est parti" in await page.inner_text("main")
    await page.fill("#phone", person.phone)
    await page.click("main button.main")
    await page.fill("#code", await last_code(served.services, person.phone))
    await page.click("main button.main")
    await page.wait_for_url("**/documents/add?type=payslip")


async def test_a_second_tap_sends_nothing(
    open_page: Open, make_person: MakePerson, tmp_path: Path
) -> None:
    """While the first one is still asking, sending, or on its way to the next page."""
    page = await open_page("/documents/add?type=payslip", await make_person())
    await page.wait_for_load_state("networkidle")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    await page.set_input_files("input[type=file] >> nth=0", a_paper(tmp_path / "a.jpg"))
    tap = "document.querySelector('button.send').click()"
    await page.evaluate(f"{tap}; {tap}; setTimeout(() => {{ {tap} }}, 30)")
    await page.wait_for_url("**/documents/add/*/details")
    await page.goto(page.url.partition("/documents")[0] + "/documents/add")
    assert await page.locator("a.waiting").count() == 1
    assert len(sent) == 1


async def test_what_is_transparent_is_white_and_not_black_once_it_is_smaller(
    open_page: Open, make_person: MakePerson, tmp_path: Path
) -> None:
    slow = "Object.defineProperty(navigator, 'connection', { value: { effectiveType: '3g' } });"
    scan = Image.effect_noise((1500, 1500), 90).convert("RGBA")
    scan.putalpha(Image.new("L", scan.size, 0))
    scan.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1e6
    page = await open_page("/documents/add?type=payslip", await make_person(), init=slow)
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("input[type=file] >> nth=0", tmp_path / "a.png")
    await page.click("button.send")
    await page.wait_for_url("**/documents/add/*/details", timeout=20_000)
    await keep(page)
    paper = await page.context.request.get(page.url.split("?")[0] + "/content")
    kept = Image.open(BytesIO(await paper.body()))
    assert kept.format == "JPEG"
    assert kept.convert("L").getextrema()[0] > 250


async def test_all_that_is_wrong_is_said_in_both_languages(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    person = await on_a_shared_device(served.services, await make_person())
    page = await open_page("/documents/add", person)
    await page.goto(page.url.replace("/documents/add", "/second-language/ar?back=/documents/add"))
    await page.wait_for_load_state("networkidle")
    for name in ("b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    files = [a_paper(tmp_path / "a.jpg"), tmp_path / "b.jpg", tmp_path / "c.jpg"]
    await page.set_input_files("input[type=file] >> nth=0", files)
    await page.click("button.send")
    problem = page.locator("form .problem")
    for words in ("2 sur 3", "3 sur 3"):
        await expect(problem).to_contain_text(words)
    first = problem.locator("h2 > bdi.both[dir=ltr] > bdi.second[lang=ar][dir=rtl]")
    await expect(first).to_have_count(1)
    await page.context.set_offline(True)
    await page.click("button.send")
    await expect(problem).to_contain_text("pas de réseau")
    await expect(problem.locator("h2 bdi.second[lang=ar]")).to_have_count(1)
    await page.context.set_offline(False)


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("**/documents/add?*", 502, "Le service ne répond pas"),
        ("**/documents/add?*", 413, "une par une"),
        ("**/documents/add?*", 200, "Ce réseau ne laisse pas passer"),
        ("**/session", 200, "Ce réseau ne laisse pas passer"),
        ("**/session", 302, "Ce réseau ne laisse pas passer"),
    ],
)
async def test_the_answer_of_a_proxy_or_of_a_portal_loses_nothing(
    open_page: Open,
    served: Served,
    make_person: MakePerson,
    tmp_path: Path,
    address: str,
    status: int,
    says: str,
) -> None:
    person = await on_a_shared_device(served.services, await make_person())
    page = await open_page("/documents/add", person)
    await page.wait_for_load_state("networkidle")

    async def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            await route.fallback()
            return
        headers = {"Location": "https://portal.example/"} if status == 302 else {}
        await route.fulfill(
            status=status, content_type="text/html", headers=headers, body="<h1>nginx</h1>"
        )

    await page.route(address, answer)
    await page.set_input_files("input[type=file] >> nth=0", a_paper(tmp_path / "a.jpg"))
    await page.click("button.send")
    await expect(page.locator("form .problem")).to_contain_text(says)
    assert await page.evaluate("document.querySelector('input[type=file]').files.length") == 1
    await page.unroute(address)
    await page.click("button.send")
    await page.wait_for_url("**/documents/add/*/type")


async def test_an_older_browser_sends_a_form_that_began_before_the_end_of_the_session(
    open_page: Open, make_person: MakePerson
) -> None:
    """iOS before 16 has no `requestSubmit`, and before 15.4 names no button."""
    old = """delete HTMLFormElement.prototype.requestSubmit;
      Object.defineProperty(SubmitEvent.prototype, 'submitter', { get: () => undefined });"""
    page = await open_page("/me", await make_person(), init=old)
    await page.clock.install()
    await page.reload()
    await page.wait_for_load_state("networkidle")
    seconds = int(await page.get_attribute("body", "data-seconds") or 0)
    await page.clock.fast_forward((seconds + 60) * 1000)
    await page.click("main button[name=everywhere]")
    await page.wait_for_url("**/?done=bye_everywhere")
