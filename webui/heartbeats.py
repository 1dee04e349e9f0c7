"""The last heartbeat of a line, in words."""

from flask_babel import gettext as _

from appliance.core.heartbeat import Beat
from appliance.journal.queries import line_facts
from webui import here, i18n
from webui.looks import Look
from webui.words import ERRORS, sentence


def words(line_id: str) -> Look:
    """What became of it."""
    with here.store().open() as db:
        fact = line_facts(db, line_id).get("heartbeat")
    beat = Beat.of(fact.value if fact else None)
    if not beat.sent:
        return Look(_("None was sent yet."), "", icon="circle-minus")
    sent = i18n.when(beat.sent)
    if beat.mailed:
        took = _("%(when)s: it arrived in the mailbox after %(n)s s.", when=sent, n=str(round(beat.seconds)))
        return Look(took, "", icon="circle-check")
    if beat.error:
        why = sentence(ERRORS, beat.error, {"line": line_id})
        return Look(_("%(when)s: it could not be sent. %(why)s", when=sent, why=why), "bad", icon="circle-alert")
    if beat.lost:
        where = _("It came back, but its mail did not leave.") if beat.arrived else _("The SMS did not come back.")
        return Look(_("%(when)s: it did not arrive. %(where)s", when=sent, where=where), "bad", icon="circle-alert")
    return Look(_("%(when)s: on its way.", when=sent), "", icon="hourglass")
