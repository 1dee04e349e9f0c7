"""The page in a real browser, with a real box behind it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.acceptance.conftest import MakePhone, Office
from webui import translate

AXE = Path(__file__).parent.parent / "data" / "axe.min.js"
PAGES = (
    "/", "/calls", "/calls?tab=missed", "/calls?q=nobody", "/calls/{call}", "/calls?open={call}", "/messages",
    "/messages/%2B48600100200", "/messages?new=1", "/lines", "/lines/gsm0", "/lines/gsm0/incoming",
    "/lines/gsm0/messages", "/lines/gsm0/modem", "/lines/gsm0/credit", "/lines/gsm0/credit?operator=pl-heyah",
    "/lines/gsm0/backup",
    "/menus", "/menus/new", "/mailboxes", "/mailboxes/new", "/lines/gsm0/heard",
    "/schemes", "/hours", "/hours/holidays", "/hours/night", "/blocking", "/blocking/allowed", "/blocking/automatic",
    "/blocking/files", "/blocking?try=600100200", "/people",
    "/people/new", "/people/p101", "/people/p101/remove", "/people/p102/phone", "/people/groups",
    "/people/groups/new", "/people/groups/office", "/box/health", "/box/mail", "/box/office", "/box/network",
    "/box/access", "/box/changes", "/try", "/try?line=gsm0&from=withheld", "/me",
    "/start/language", "/start/line", "/start/people", "/start/hours", "/start/mail", "/start/call", "/start/done",
    "/hours/prompts", "/hours/prompts/closed", "/hours/prompts/new", "/outgoing", "/outgoing?to=600100200&from=102",
    "/outgoing/all", "/outgoing/caps", "/outgoing/countries", "/outgoing/who", "/lines/gsm0/out", "/lines/gsm0/prices",
    "/lines/new", "/lines/gsm0/remove", "/lines/gsm0/rules", "/lines/gsm0/rules/new",
    "/lines/gsm0/rules?from=600100200&text=hello", "/box/answers", "/dial?to=600100200",
)  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
NARROWEST = 320  # nothing scrolls sideways here either
SIZES = {"telephone": {"width": 360, "height": 740}, "desk": {"width": 1280, "height": 800}}
CUT_OFF = "[...document.querySelectorAll('nav, .tabs')].some(one => one.scrollWidth > one.clientWidth + 1)"
PASSWORD = "three blue chairs"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def office() -> Iterator[Office]:
    with Office(("virtual", "exchange", "worker", "web")) as box:
        yield box


def base(office: Office) -> str:
    return f"http://{office.address}:8080"


def sign_in(office: Office, context: BrowserContext, language: str = "en") -> Page:
    """Through the one-time link and the wizard's first steps, as the owner of a new box does."""
    page = context.new_page()
    token = office.places.first_start.read_text().strip()
    page.goto(f"{base(office)}/start?token={token}")
    page.select_option("[name=language]", language)
    page.locator("main form button").last.click()
    page.fill("[name=display]", "Anna")
    page.fill("[name=name]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.locator("main form button").last.click()
    page.wait_for_url("**/start/line")
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_readable_on_a_telephone_and_a_desk_in_light_and_dark(
    office: Office, browser: Browser, size: str, scheme: Literal["light", "dark"]
) -> None:
    """No sideways scrolling, no accessibility fault that axe can find, nothing said in the console."""
    first = browser.new_context()
    sign_in(office, first)
    cookies = first.cookies()
    office.far("sms", **{"from": "+48600100200", "text": "Dzień dobry"})
    office.far("fault", name="cms", words=["10"], once=True)
    for text in ("it fails", "it waits"):
        office.ask("sms.send", to="+48600100200", text=text, line="gsm0", report=False)
    office.far("call", number="+48600100200", **{"for": 1})
    call = str(office.wait_calls(1, 30)[0]["id"])
    wrong: list[str] = []
    viewport = SIZES[size]
    context = browser.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=True)
    context.add_cookies(cookies)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for path in (one.format(call=call) for one in PAGES):
        answer = page.goto(base(office) + path)
        assert answer is not None
        assert answer.status == 200, path
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > viewport["width"]:
            wrong.append(f"{path}: {width} px wide")
        if page.evaluate(CUT_OFF):
            wrong.append(f"{path}: a tab is cut off")
        page.set_viewport_size({"width": NARROWEST, "height": 640})
        if page.evaluate("document.documentElement.scrollWidth") > NARROWEST:
            wrong.append(f"{path}: wider than {NARROWEST} px")
        page.set_viewport_size(viewport)
        page.add_script_tag(path=str(AXE))
        found = page.evaluate(f"axe.run({{runOnly: {RULES}}}).then(r => r.violations)")
        wrong += [f"{path}: {v['id']} {v['nodes'][0]['html'][:90]}" for v in found]
    context.close()
    first.close()
    assert wrong == []


def test_a_call_appears_and_goes_without_a_reload(office: Office, browser: Browser, phone: MakePhone) -> None:
    ben = phone("102")
    context = browser.new_context(viewport=SIZES["desk"])
    page = sign_in(office, context)
    page.goto(base(office) + "/")
    page.wait_for_selector("text=Front panel")
    office.far("call", number="+48512000111")
    page.wait_for_selector("text=+48 512 000 111", timeout=8000)
    ben.wait("CALL_INCOMING")
    ben.answer()
    page.wait_for_selector("text=Talking", timeout=8000)
    office.far("hang-up")
    page.wait_for_selector("text=Talking", state="detached", timeout=8000)
    context.close()
    assert office.wait_calls()[0]["cause"] == "normal"


def test_a_caller_is_blocked_straight_from_the_call_and_the_hours_saved_without_javascript(
    office: Office, browser: Browser
) -> None:
    office.far("call", number="+48600100200", **{"for": 1})
    office.wait_calls(1, 30)
    first = browser.new_context()
    sign_in(office, first)
    context = browser.new_context(java_script_enabled=False, viewport=SIZES["telephone"])
    context.add_cookies(first.cookies())
    page = context.new_page()
    call = office.calls()[0]["id"]
    page.goto(f"{base(office)}/calls/{call}")
    page.locator("form[action^='/blocking/from-call'] button").first.click()
    assert [row["pattern"] for row in office.rows("blocks")] == ["+48600100200"]
    office.far("call", number="+48600100200")
    assert office.wait_calls(2)[1]["cause"] == "blocked"
    page.goto(f"{base(office)}/hours")
    page.fill("[name=ranges-0-start]", "07:30")
    page.locator("[data-testid=hours-form] button").last.click()
    saved = office.ask("settings.get", section="lines")["doc"]["items"][0]["ranges"]
    assert saved[0]["start"] == "07:30"
    first.close()
    context.close()


def test_a_persons_page_says_until_when_the_phone_is_known(office: Office, browser: Browser, phone: MakePhone) -> None:
    phone("102")
    context = browser.new_context()
    page = sign_in(office, context)
    page.goto(base(office) + "/people/p102")
    until = page.locator("section", has_text="Connected phones").locator(".muted").inner_text()
    context.close()
    contact = next(one for one in office.status()["phones"] if one["extension"] == "102")["contacts"][0]
    ends = datetime.fromisoformat(contact["expires"])
    assert until == f"until {ends:%H:%M}"
    now = datetime.fromisoformat(office.status()["now"])
    assert timedelta(0) < ends - now <= timedelta(hours=1)


def test_a_test_mail_shows_the_servers_own_words(office: Office, browser: Browser) -> None:
    office.put("mail", port=1)
    context = browser.new_context()
    page = sign_in(office, context)
    page.goto(base(office) + "/box/mail")
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_selector("text=refused", timeout=10000)
    assert "efused" in page.content()
    context.close()


@pytest.mark.parametrize("language", ["en", "pl", "uk", "es", "ro"])
def test_status_calls_and_the_wizard_fit_a_telephone_in_every_language(
    office: Office, browser: Browser, tmp_path: Path, language: str
) -> None:
    """Pictures of them at 360 px; nothing runs over the edge, and every page is in the language that was chosen."""
    context = browser.new_context(viewport=SIZES["telephone"])
    page = sign_in(office, context, language)
    office.far("call", number="+48600100200", **{"for": 1})
    office.wait_calls(1, 30)
    titles: dict[str, str] = {}
    for path in (
        "/",
        "/calls",
        "/start/line",
        "/start/people",
        "/start/hours",
        "/start/mail",
        "/start/done",
        "/blocking",
        "/blocking/automatic",
        "/blocking/files",
    ):
        page.goto(base(office) + path)
        page.screenshot(path=tmp_path / f"{language}{path.replace('/', '-')}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.locator("html").get_attribute("lang") == language, path
        titles[path] = page.locator("h1").inner_text()  # fails when there are two
    assert titles["/calls"] == word("Calls", language)
    assert titles["/start/people"] == word("Who works here?", language)
    context.close()


def word(english: str, language: str) -> str:
    """A sentence as the catalogue of the language has it."""
    if language == "en":
        return english
    message = translate.read(language).get(english)
    assert message is not None, english
    assert message.string, f"{language}: no translation of {english!r}"
    return str(message.string)


FOCUS = """() => { const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e)
  return {name: (e.textContent || e.getAttribute('aria-label') || e.name || '').trim().slice(0, 40), tag: e.tagName,
    seen: r.width > 0 && r.height > 0 && r.bottom > 0 && r.right > 0,
    ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2} }"""


@pytest.mark.parametrize("path", ["/", "/calls", "/hours", "/people/p101", "/start/mail"])
def test_the_keyboard_reaches_everything_and_the_focus_is_always_seen(
    office: Office, browser: Browser, path: str
) -> None:
    """The first stop leads past the menu; each stop after it is on the page and has its ring."""
    context = browser.new_context(viewport=SIZES["desk"])
    page = sign_in(office, context)
    page.goto(base(office) + path)
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == {"name": "Skip to content", "tag": "A", "seen": True, "ring": True}
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    stops = []
    for _stop in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stops.append(page.evaluate(FOCUS))
    assert [one for one in stops if not (one["seen"] and one["ring"])] == []
    assert len(stops) > 2
    context.close()


def test_a_slash_goes_to_the_search_field(office: Office, browser: Browser) -> None:
    office.far("call", number="+48600100200", **{"for": 1})
    office.wait_calls(1, 30)
    context = browser.new_context()
    page = sign_in(office, context)
    page.goto(base(office) + "/calls")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("600 100 200")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=600*")
    assert page.locator("[data-testid=call-row]").count() == 1
    context.close()
