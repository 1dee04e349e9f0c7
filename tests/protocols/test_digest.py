"""Digest: who is let in, who is asked again, who is not."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols.digest import LIFETIME, REALM, Credentials, Guard, Verdict, ha1, parse_authorization, response

SECRETS = {name: ha1("101", "secret", name) for name in ("MD5", "SHA-256")}


def answer(
    nonce: str, algorithm: str = "MD5", nc: str = "00000001", password: str = "secret", qop: str = "auth"
) -> str:
    """The Authorization header of a phone."""
    found = Credentials("101", REALM, nonce, "sip:10.0.0.1", "", algorithm, qop, nc, "abc")
    proof = response(found, "REGISTER", ha1("101", password, algorithm))
    middle = f', qop={qop}, nc={nc}, cnonce="abc"' if qop else ""
    return (
        f'Digest username="101", realm="{REALM}", nonce="{nonce}", uri="sip:10.0.0.1", response="{proof}", '
        f"algorithm={algorithm}{middle}"
    )


@pytest.fixture
def guard() -> Guard:
    return Guard(b"key")


def judge(guard: Guard, header: str, at: float = 1.0, secrets: dict | None = SECRETS) -> Verdict:
    return guard.judge(parse_authorization(header), "REGISTER", secrets, at)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_right_password_is_let_in(guard: Guard, algorithm: str) -> None:
    assert judge(guard, answer(guard.nonce(0.0), algorithm)) is Verdict.RIGHT


def test_the_worked_example_of_rfc_2617_style_phones_without_qop(guard: Guard) -> None:
    assert judge(guard, answer(guard.nonce(0.0), qop="")) is Verdict.RIGHT


def test_a_wrong_password_and_an_unknown_user_look_the_same(guard: Guard) -> None:
    assert judge(guard, answer(guard.nonce(0.0), password="guess")) is Verdict.WRONG
    assert judge(guard, answer(guard.nonce(0.0)), secrets=None) is Verdict.WRONG


def test_an_old_nonce_with_the_right_password_is_stale_not_wrong(guard: Guard) -> None:
    header = answer(guard.nonce(0.0))
    assert judge(guard, header, LIFETIME + 1) is Verdict.STALE


def test_a_repeated_answer_is_stale_and_a_higher_count_is_not(guard: Guard) -> None:
    nonce = guard.nonce(0.0)
    assert judge(guard, answer(nonce)) is Verdict.RIGHT
    assert judge(guard, answer(nonce)) is Verdict.STALE
    assert judge(guard, answer(nonce, nc="00000005")) is Verdict.RIGHT
    assert judge(guard, answer(nonce, nc="00000002")) is Verdict.STALE


def test_a_nonce_of_somebody_else_is_unknown(guard: Guard) -> None:
    assert judge(guard, answer(Guard(b"other").nonce(0.0))) is Verdict.UNKNOWN
    assert judge(guard, answer("0" * 44)) is Verdict.UNKNOWN


def test_every_challenge_has_a_nonce_of_its_own_in_hex(guard: Guard) -> None:
    nonces = {guard.nonce(0.0) for _ in range(100)}
    assert len(nonces) == 100
    assert all(set(nonce) <= set("0123456789abcdef") for nonce in nonces)


def test_the_best_algorithm_stands_first_and_stale_is_said(guard: Guard) -> None:
    both = guard.challenges(0.0, ("SHA-256", "MD5"), stale=True)
    assert ["SHA-256" in both[0], "MD5" in both[1]] == [True, True]
    assert all('qop="auth"' in value and "stale=true" in value for value in both)


def test_the_formula_is_that_of_the_rfc() -> None:
    """RFC 2617 3.5, with our realm's formula checked by hand-written hashing."""
    found = Credentials("Mufasa", REALM, "n", "/dir", "", "MD5", "auth", "00000001", "c")
    one = hashlib.md5(f"Mufasa:{REALM}:Circle".encode()).hexdigest()
    two = hashlib.md5(b"GET:/dir").hexdigest()
    expected = hashlib.md5(f"{one}:n:00000001:c:auth:{two}".encode()).hexdigest()
    assert response(found, "GET", ha1("Mufasa", "Circle", "MD5")) == expected


@pytest.mark.parametrize(
    "header",
    ["", "Basic abc", "Digest", 'Digest username="101"', 'Digest realm="other", username="1", nonce="2"',
     'Digest qop="auth-int", realm="centralka", username="1", nonce="2", uri="x", response="y"'],
)  # fmt: skip
def test_what_is_no_digest_of_ours_counts_as_none(guard: Guard, header: str) -> None:
    assert judge(guard, header) is Verdict.MISSING


@given(st.text(max_size=300))
def test_no_header_breaks_it(text: str) -> None:
    assert judge(Guard(b"k"), "Digest " + text) in Verdict
