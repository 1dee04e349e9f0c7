"""No dead end: every link of every page, of every trace and of every note leads to a page with one heading."""

import re
from pathlib import Path

from flask.testing import FlaskClient

from tests.webui.fake_exchange import FakeExchange

APPLIANCE = Path(__file__).parents[2] / "appliance"
WITH_LINKS = (
    "core/routing.py", "core/branches.py", "core/destinations.py", "core/screening.py", "core/calling_out.py",
    "core/rights.py", "core/limits.py",
    "exchange/faults.py",
)  # fmt: skip
IDS = re.compile(r"\{(?:line|own)\.id\}|\{line_id\}|\{offer\.line\}")
SCHEME = re.compile(r"\{scheme(?:_id|\.id)\}")


def links_of(page: str) -> set[str]:
    """Internal addresses of a page without their place in it; "" is the page itself."""
    found = {link.replace("&amp;", "&").partition("#")[0] for link in re.findall(r'href="(/[^"]*|)"', page)}
    return {link for link in found if link}


def links_of_the_code() -> set[str]:
    """Links that traces and notes carry, with the ids of the tests' office."""
    found: set[str] = set()
    for name in WITH_LINKS:
        source = (APPLIANCE / name).read_text(encoding="utf-8")
        found |= {IDS.sub("gsm0", SCHEME.sub("main", link)) for link in re.findall(r'f?"(/[a-z][^"\s]*)"', source)}
    return found


def look(client: FlaskClient, path: str) -> tuple[str, str]:
    """What is wrong with a page, and its text."""
    answer = client.get(path, follow_redirects=True)
    page = answer.get_data(as_text=True)
    if answer.status_code != 200:
        return f"{path}: {answer.status_code}", ""
    headings = len(re.findall(r"<h1[ >]", page))
    return ("" if headings == 1 else f"{path}: {headings} headings"), page


def test_every_link_leads_to_a_page_with_one_heading(anna: FlaskClient, exchange: FakeExchange) -> None:
    exchange.notes = [
        {"id": f"note-{n}", "severity": "warn", "message": "mail-off", "args": {}, "link": link}
        for n, link in enumerate(sorted(links_of_the_code()))
    ]
    waiting, seen, wrong = {"/", "/start", *links_of_the_code()}, set(), []
    while waiting:
        path = waiting.pop()
        seen.add(path)
        fault, page = look(anna, path)
        wrong += [fault] if fault else []
        waiting |= {link for link in links_of(page) if link not in seen and not link.startswith("/static/")}
        assert len(seen) < 500, "the pages have no end"
    assert wrong == []
    wanted = {"/lines/gsm0/incoming", "/hours/night", "/people/groups", "/outgoing", "/blocking", "/box/mail",
              "/box/health", "/hours/prompts/closed", "/lines/new", "/lines/gsm0/remove"}  # fmt: skip
    assert wanted - seen == set()


def test_the_links_in_the_code_are_found_by_this_test() -> None:
    """A link that is written another way would not be followed."""
    assert {"/lines/gsm0/incoming", "/lines/gsm0", "/lines", "/people", "/people/groups", "/outgoing", "/blocking",
            "/hours/night", "/box/health", "/box/mail", "/messages"} <= links_of_the_code()  # fmt: skip
    assert not [link for link in links_of_the_code() if "{" in link]
