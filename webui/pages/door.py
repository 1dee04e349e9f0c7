"""Sign in, sign out, the language before sign-in."""

from flask import Blueprint, Response, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from webui import here
from webui.auth import ABSOLUTE, COOKIE, Refused, now
from webui.i18n import LANGUAGES
from webui.store import Account

page = Blueprint("door", __name__)


@page.route("/login", methods=["GET", "POST"])
def login() -> BaseResponse | str | tuple[str, int]:
    """The door."""
    if g.visitor:
        return redirect(inside(request.args.get("next", "")), 303)
    if not here.store().has_accounts():
        return render_template("login.html", new_box=True)
    if request.method == "GET":
        return render_template("login.html", name="", error=None)
    name = request.form.get("username", "").strip()[:60]
    result = here.kit().door.try_password(name, request.form.get("password", ""), here.client(), now())
    if isinstance(result, Refused):
        here.store().write_audit(now(), name, here.client(), "sign-in.refused", {}, {})
        return render_template("login.html", name=name, error=refusal(result)), 429 if result.wait else 401
    answer = redirect(inside(request.args.get("next", "")), 303)
    let_in(answer, result)
    return answer


def let_in(answer: Response | BaseResponse, account: Account) -> None:
    """A new session for this browser; the old form secret goes."""
    cookie, held = here.kit().door.sign_in(account, here.client(), now())
    session.clear()
    session["csrf_token"] = held.csrf
    answer.set_cookie(
        COOKIE, cookie, max_age=int(ABSOLUTE.total_seconds()), httponly=True, samesite="Lax", secure=here.kit().https
    )
    here.store().write_audit(now(), account.name, here.client(), "sign-in", {}, {})


def refusal(refused: Refused, what: str = "") -> dict[str, str]:
    """Why the sign-in failed, in words."""
    strong = what or _("Name or password is not right.")
    if refused.wait:
        minutes = (refused.wait + 59) // 60
        pause = ngettext("You can try again in %(num)s minute.", "You can try again in %(num)s minutes.", minutes)
        return {"strong": _("There were too many wrong tries."), "text": pause}
    if refused.left == 1:
        return {"strong": strong, "text": _("You can try again at once; after 1 more wrong try there is a pause.")}
    more = ngettext(
        "You can try again at once; after %(num)s more try there is a pause of one minute.",
        "You can try again at once; after %(num)s more tries there is a pause of one minute.",
        refused.left,
    )
    return {"strong": strong, "text": more}


def inside(path: str) -> str:
    """Where to go after the door: a path of ours, never another host."""
    if path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path and "\r" not in path:
        return path
    return "/"


@page.post("/logout")
def logout() -> BaseResponse:
    """Sign out here."""
    here.store().drop_session(here.visitor().session.id_hash)
    session.clear()
    answer = redirect(url_for("door.login"), 303)
    answer.delete_cookie(COOKIE)
    return answer


@page.get("/language/<code>")
def language(code: str) -> BaseResponse:
    """The language of the door, for who is not signed in."""
    if code in LANGUAGES:
        session["language"] = code
    came = request.referrer or ""
    back = came[len(request.host_url) - 1 :] if came.startswith(request.host_url) else ""
    return redirect(inside(back) if not back.startswith("/language") else "/", 303)
