"""PDUs and septets that other projects collected: read, refused, and written again."""

from appliance.errors import PduError
from appliance.protocols import alphabet
from appliance.protocols.multipart import join
from appliance.protocols.pdu import describe, to_part
from appliance.protocols.pdu_encode import submits
from tests.fuzz.seeds import rows
from tests.gsm_report.table import Table


def corpus(table: Table) -> None:
    """Agreement on every key that the source states or another decoder confirmed."""
    found = rows("pdu_corpus.jsonl")
    good = [row for row in found if not row["expect"].get("error")]
    short = [f"{row['name']}: {different}" for row in good if (different := _differences(row))]
    table.all_of("PDUs of the corpus that agree on every key", short, len(good))
    bad = [row for row in found if row["expect"].get("error")]
    table.all_of(
        "what is no PDU is refused (strict)", [row["name"] for row in bad if not _refused(row["pdu"])], len(bad)
    )
    vectors = rows("gsm7_vectors.jsonl")
    table.all_of("packed septets that agree", [str(row) for row in vectors if not _unpacks(row)], len(vectors))
    texts = [row for row in good if row["expect"].get("text") and row["kind"] != "STATUS-REPORT"]
    for national in (False, True):
        what = "texts encoded and decoded to themselves" + (", national tables" if national else "")
        table.all_of(
            what, [row["name"] for row in texts if not _comes_back(row["expect"]["text"], national)], len(texts)
        )


def _differences(row: dict) -> str:
    keys = {*(row.get("stated") or ()), *(row.get("derived") or ())} & row["expect"].keys()
    try:
        found = describe(row["pdu"], strict=False)
    except PduError as error:
        return str(error)
    wrong = {key: (row["expect"][key], found.get(key)) for key in keys if row["expect"][key] != found.get(key)}
    return str(wrong) if wrong else ""


def _refused(pdu: str) -> bool:
    try:
        describe(pdu)
    except PduError:
        return True
    return False


def _unpacks(row: dict) -> bool:
    skip = row.get("skip_bits", 0)
    septets = alphabet.unpack(bytes.fromhex(row["packed"]), row["septets"] - skip // 7, skip)
    return alphabet.gsm7(septets, row.get("locking", 0), row.get("single", 0)) == row["text"]


def _comes_back(text: str, national: bool) -> bool:
    return join(to_part(part.pdu) for part in submits("+48600100200", text, national=national)) == text
