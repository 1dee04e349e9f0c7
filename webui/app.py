"""create_app: the parts put together, the door in front of every page, the shell around it."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from secrets import compare_digest
from typing import cast

from flask import (
    Flask,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from appliance import __version__
from appliance.errors import CentralkaError, ControlError, JournalError
from appliance.settings.places import Places
from webui import here, i18n, menu, pages, security
from webui.auth import COOKIE, Door, now
from webui.control import Control
from webui.here import Kit
from webui.live import Hub
from webui.pages import start
from webui.store import Store, Unready
from webui.words import error_words

STATIC = Path(__file__).parent / "static"
OPEN_TO_ALL = frozenset({"static", "door.login", "door.language", "start.begin", "box.alive", "favicon"})


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """The page. `config`: PLACES (Places, else from the environment), HTTPS (bool), SECRET_KEY, LIVE (bool)."""
    app = Flask(__name__, static_folder=None)
    app.config.update(config or {})
    places = app.config.get("PLACES") or Places.of()
    store = Store(places.journal)
    https = bool(app.config.get("HTTPS"))
    kit = Kit(Control(places.control), store, Door(store, places.first_start), places.journal, places, https)
    app.extensions["centralka"] = kit
    app.extensions["centralka-live"] = Hub(kit.control)
    if not app.config.get("SECRET_KEY"):
        app.config["SECRET_KEY"] = security.load_key(places.state / "web.key")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.secure(app)
    i18n.install(app)
    app.before_request(_door)
    app.add_url_rule("/static/<path:name>", "static", _static)
    app.add_url_rule("/favicon.ico", "favicon", lambda: _static("mark.svg"))
    pages.register(app)
    app.context_processor(_shell)
    app.jinja_env.globals.update(asset=asset, LANGUAGES=i18n.LANGUAGES)
    for fault in (HTTPException, CSRFError, CentralkaError):
        app.register_error_handler(fault, _fault)
    return app


@lru_cache(maxsize=64)
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file of ours with its hash: it may be kept for a year."""
    return f"/static/{name}?v={_digest(name)}"


def _static(name: str) -> Response:
    return send_from_directory(STATIC, name, conditional=True)


def _door() -> BaseResponse | None:
    """Nothing is shown before sign-in; on a new box only the one-time link opens the wizard."""
    g.visitor = None
    if request.endpoint in {"static", "favicon", "box.alive"}:
        return None
    try:
        g.visitor = here.kit().door.visitor(request.cookies.get(COOKIE, ""), now(), request.endpoint != "live.stream")
    except Unready:
        if request.endpoint == "door.language":
            return None
        return make_response(render_template("starting.html"), 503, {"Retry-After": "2"})
    if g.visitor:
        if not compare_digest(str(session.get("csrf_token", "")), g.visitor.session.csrf):
            session["csrf_token"] = g.visitor.session.csrf
        return None
    if request.endpoint in OPEN_TO_ALL or _first_start():
        return None
    if request.headers.get("HX-Request"):
        return Response("", 401, {"HX-Redirect": url_for("door.login")})
    back = request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None
    return redirect(url_for("door.login", next=back), 303)


def _first_start() -> bool:
    """A step of the wizard that the holder of the one-time link may see before there is an account."""
    name = (request.view_args or {}).get("name", "")
    return request.endpoint == "start.step" and start.admitted(str(name))


def _shell() -> dict[str, object]:
    """What every template may use."""
    return {
        "visitor": g.get("visitor"),
        "menu_groups": menu.GROUPS,
        "section": menu.current(request.path),
        "status": here.status,
        "office": here.office,
        "language": str(i18n.locale()).split("_")[0],
        "version": __version__,
    }


def _fault(error: Exception) -> BaseResponse:
    """A page in words for everything that went wrong; htmx gets only the words."""
    code, text = 500, ""
    if isinstance(error, CSRFError):
        code = 400
        text = _(
            "This form is too old or did not come from this page. Nothing was changed."
            " Open the page again and repeat it."
        )
    elif isinstance(error, HTTPException):
        code = error.code or 500
        if code < 400 and error.response is not None:
            return cast(BaseResponse, error.response)  # a redirect of the router
        text = _http_words(code)
    elif isinstance(error, Unready):
        return make_response(render_template("starting.html"), 503, {"Retry-After": "2"})
    elif isinstance(error, ControlError):
        code, text = (503 if error.id == "exchange-down" else 409), error_words(error)
    elif isinstance(error, JournalError):
        code, text = 503, _("The journal cannot be read now. Calls go on. Try again in a minute.")
    template = "fault.html" if g.get("visitor") else "fault_door.html"
    return make_response(render_template(template, code=code, text=text), code)


def _http_words(code: int) -> str:
    if code == 404:
        return str(_("There is no such page. It may have been removed, or the address has a slip."))
    if code == 413:
        return str(_("This is more than the box takes at once."))
    if code == 421:
        return str(_("This page answers only to its own address and name."))
    if code == 405:
        return str(_("This address does not do that. Open the page from the menu."))
    return str(_("The page could not do this. Calls are not affected."))
