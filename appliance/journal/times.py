"""How times lie in the journal: ISO 8601 UTC with milliseconds and Z, so that text order is time order."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """The journal's text of an aware moment."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The aware UTC moment of a stamp. Raises ValueError for anything else."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"no zone in {text!r}")
    return read.astimezone(UTC)
