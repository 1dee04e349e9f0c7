"""What every answer carries and what no request may do: headers, host check, size limits, the secret of forms.

The Content-Security-Policy allows our own files and nothing else: no inline script, no style attribute, no frame.
"""

import contextlib
import ipaddress
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import Headers

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LARGEST_BODY = 256 * 1024
LARGEST_UPLOAD = 5 * 1024 * 1024
MOST_DRAINED = 64 * 1024 * 1024  # a browser hears "too big" only once all of it was taken from its hands
PIECE = 64 * 1024
NAMES = frozenset({"localhost", "centralka", "centralka.local"})

csrf = CSRFProtect()
View = TypeVar("View", bound=Callable[..., object])


def secure(app: Flask) -> None:
    """Put all of it on an app."""
    app.config.setdefault("MAX_CONTENT_LENGTH", LARGEST_BODY)
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    app.config["MAX_FORM_PARTS"] = 2000
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # the token lives as long as the session it is bound to
    app.config["WTF_CSRF_SSL_STRICT"] = False  # the Referer of a LAN name is not worth refusing a form for
    app.config["SESSION_COOKIE_NAME"] = "centralka-form"
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_COOKIE_SECURE"] = bool(app.config.get("HTTPS"))
    csrf.init_app(app)
    app.before_request(_check_host)
    app.after_request(_headers)
    app.after_request(_drain)


def _check_host() -> None:
    """Only our own address and names: a foreign name that points here (DNS rebinding) gets nothing."""
    host = request.host.rsplit(":", 1)[0] if not request.host.startswith("[") else request.host.split("]")[0][1:]
    if not host_is_ours(host):
        abort(421)


def host_is_ours(host: str) -> bool:
    """A private or loopback address, or one of our names. An address cannot be rebound, so any private one will do."""
    if host.lower() in NAMES:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_link_local


def _headers(response: Response) -> Response:
    headers: Headers = response.headers
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if request.path.startswith("/static/"):
        kept = "public, max-age=31536000, immutable" if request.args.get("v") else "no-cache"
        headers["Cache-Control"] = kept
    else:
        headers.setdefault("Cache-Control", "no-store")
    return response


def takes_uploads(view: View) -> View:
    """Mark a view whose form may hold a file: its token is checked by `take_upload`, after the sign-in, because looking
    at a form means reading all of it."""
    csrf.exempt(view)
    return view


def take_upload() -> None:
    """Room for a file in this request, and then the check of its token. Raises RequestEntityTooLarge, CSRFError."""
    request.max_content_length = LARGEST_UPLOAD + LARGEST_BODY
    csrf.protect()


def _drain(response: Response) -> Response:
    """Read and forget what a refused request still has to say, in pieces."""
    left = min(request.content_length or 0, MOST_DRAINED)
    with contextlib.suppress(OSError):  # who stops sending gets what we have to say all the same
        while left > 0 and (piece := request.environ["wsgi.input"].read(min(PIECE, left))):
            left -= len(piece)
    return response


def load_key(path: Path) -> str:
    """The key that signs form tokens; made once, mode 0600. Without it people have to sign in again."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    key = secrets.token_hex(32)
    with os.fdopen(handle, "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
