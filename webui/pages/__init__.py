"""One module per page: it translates the request, asks, and draws. No rule about calls lives here."""

from flask import Flask

from webui import changes, codes, conversations, live, looks, phrases, reading
from webui.pages import (
    announcements,
    answering,
    blocking,
    blocking_files,
    box,
    calls,
    dialling,
    door,
    hours,
    limits,
    lines,
    mailbox,
    me,
    messages,
    outgoing,
    people,
    rules,
    schemes,
    sims,
    sounds,
    start,
    status,
    talking,
    trunks,
    trycall,
    undo,
)


def register(app: Flask) -> None:
    """Put every page on the app."""
    app.jinja_env.filters.update(
        {
            **looks.FILTERS,
            **phrases.FILTERS,
            **codes.FILTERS,
            "change_words": changes.words,
            "sends_on": talking.sends_on,
        }
    )
    app.jinja_env.globals.update(
        newest_call=reading.newest_call,
        newest_sms=reading.newest_sms,
        newest_ours=conversations.newest,
        recorded=sounds.of_call,
    )
    live.register(app)
    for module in (
        door, start, status, calls, messages, lines, sims, hours, announcements, blocking, outgoing, trycall, people,
        box, me, undo, mailbox, rules, limits, blocking_files, schemes, sounds, answering, trunks,
        dialling, talking,
    ):  # fmt: skip
        app.register_blueprint(module.page)
