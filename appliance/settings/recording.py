"""The settings of recordings and messages: how long they are kept, and how full the disk may become."""

from appliance.settings.fields import Field, Integer

FIELDS: tuple[Field, ...] = (
    Integer(name="keep_days", label="Recordings are kept for", unit="days", default=90, least=0, most=3650,
            help="0: for ever."),
    Integer(name="message_days", label="Heard messages are kept for", unit="days", default=365, least=0, most=3650,
            help="0: for ever. A message that somebody keeps with the key 9 stays."),
    Integer(name="free_percent", label="Free space that calls leave", unit="percent", default=10, least=1, most=90,
            help="With less of the disk free nothing more is recorded; calls go on.", seldom=True),
)  # fmt: skip
