"""Between the exchange and the journal: what could not be written is written later."""

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.plan import Plan
from appliance.errors import DiskFull
from appliance.exchange.clock import Clock
from appliance.exchange.storage import JournalStorage
from appliance.journal.writes import StoreSmsPart
from tests.exchange.conftest import GSM, WARSAW
from tests.fakes.lines import e164


class FullWriter:
    """Refuses while `full`."""

    fault = None

    def __init__(self):
        self.full, self.stored = True, []

    def submit(self, write, done=lambda result: None):
        if self.full:
            done(DiskFull("no room"))
            return
        self.stored.append(write)
        done(1)


def test_a_message_that_lies_on_no_sim_is_kept_until_there_is_room():
    writer, said = FullWriter(), []
    plan = Plan("PL", "en", WARSAW)
    storage = JournalStorage(writer, Clock(), lambda: plan, lambda line: (), lambda line: "", said.append)
    part = ev.SmsPart("00", e164("+48600100200"), "hi", "gsm7", b"hi", None)
    storage.sms(do.StoreSms(GSM, "SM", None, part))
    assert isinstance(said[-1], ev.SmsStoreFailed)
    writer.full = False
    storage.chore(1000.0)
    assert [type(write) for write in writer.stored].count(StoreSmsPart) == 1
    assert isinstance(said[-1], ev.SmsStored)
    storage.chore(2000.0)
    assert [type(write) for write in writer.stored].count(StoreSmsPart) == 1
