"""Signing in at a provider: when it is tried, when the line counts as down, and when it is tried again."""

import pytest

from appliance.core.registration import (
    ANSWER_WITHIN,
    ASK_EVERY,
    CERTIFICATE,
    NO_ANSWER,
    PASSWORD,
    REFUSED,
    WORKS,
    Deed,
    Watch,
)


def run(watch: Watch, at: float, until: float, answers: bool = False, step: float = 0.5) -> list[tuple[float, Deed]]:
    """Turn by turn; questions are answered at once, or never."""
    done: list[tuple[float, Deed]] = []
    while at < until:
        for deed in watch.tick(at):
            done.append((at, deed))
            if deed is Deed.ASK and answers:
                done += [(at, more) for more in watch.answered(at, 200)]
        at += step
    return done


def signed_in(at: float = 0.0, seconds: float = 600) -> Watch:
    watch = Watch(True)
    assert watch.start(at) == [Deed.SIGN_IN]
    assert watch.accepted(at, seconds) == [Deed.UP]
    return watch


def test_it_works_once_it_is_signed_in_and_a_refresh_is_no_news() -> None:
    watch = signed_in()
    assert (watch.state, watch.usable) == (WORKS, True)
    assert watch.accepted(300, 600) == []


def test_a_provider_that_falls_silent_is_told_within_a_minute_and_asked_again_and_again() -> None:
    watch = signed_in()
    done = run(watch, 0.0, 120)
    down = next(at for at, deed in done if deed is Deed.DOWN)
    assert down <= ASK_EVERY + 3 * (ANSWER_WITHIN + 1) <= 60
    assert watch.state == NO_ANSWER
    assert next(at - down for at, deed in done if deed is Deed.SIGN_IN) <= 5.5


def test_one_lost_answer_is_nothing() -> None:
    watch = signed_in()
    run(watch, 0.0, ASK_EVERY + ANSWER_WITHIN + 0.4)
    assert watch.misses == 1
    assert watch.answered(ASK_EVERY + ANSWER_WITHIN + 1, 404) == []
    assert (watch.misses, watch.usable) == (0, True)


def test_when_it_answers_again_it_signs_in_at_once() -> None:
    watch = signed_in()
    run(watch, 0.0, 60)
    assert watch.state == NO_ANSWER
    watch.refused(60, 408)
    deeds = [deed for _, deed in run(watch, 60.5, 90, answers=True)]
    assert Deed.SIGN_IN in deeds
    assert watch.accepted(91, 600) == [Deed.UP]


@pytest.mark.parametrize(("code", "state"), [(401, PASSWORD), (403, PASSWORD), (404, REFUSED), (408, NO_ANSWER),
                                             (503, NO_ANSWER), (500, REFUSED)])  # fmt: skip
def test_every_answer_has_its_state(code: int, state: str) -> None:
    watch = Watch(True)
    watch.start(0)
    assert watch.refused(1, code) == [Deed.DOWN]
    assert watch.state == state


def test_a_refused_password_is_not_hammered() -> None:
    watch, tries, at = Watch(True), [], 0.0
    watch.start(at)
    watch.refused(at, 403)
    while at < 3600:
        at += 1
        if Deed.SIGN_IN in watch.tick(at):
            tries.append(at)
            assert watch.refused(at, 403) == []
    gaps = [b - a for a, b in zip([0.0, *tries], tries, strict=False)]
    assert gaps[:5] == [30, 60, 120, 300, 600]
    assert set(gaps[4:]) == {600}


def test_the_providers_own_wish_to_wait_is_followed() -> None:
    watch = Watch(True)
    watch.start(0)
    watch.refused(0, 503, retry_after=120)
    assert not [deed for at, deed in run(watch, 0.5, 119) if deed is Deed.SIGN_IN]
    assert [deed for at, deed in run(watch, 119, 122) if deed is Deed.SIGN_IN]


def test_a_certificate_that_is_not_trusted_has_a_name_of_its_own() -> None:
    watch = Watch(True)
    watch.start(0)
    watch.refused(0, 503, why=CERTIFICATE)
    assert watch.state == CERTIFICATE
    assert watch.next_try == 30


def test_a_registration_without_any_answer_is_told_before_its_transaction_ends() -> None:
    watch = Watch(True, asks=False)
    watch.start(0)
    assert [at for at, deed in run(watch, 0.5, 20) if deed is Deed.DOWN] == [10]


def test_a_registration_that_ran_out_is_made_anew() -> None:
    watch = signed_in(seconds=60)
    watch.asks = False
    done = run(watch, 0.5, 61)
    assert [deed for _, deed in done] == [Deed.DOWN, Deed.SIGN_IN]


def test_by_address_it_works_while_the_provider_answers() -> None:
    watch = Watch(False)
    assert watch.start(0) == []
    done = run(watch, 0, 40, answers=True)
    assert [deed for _, deed in done] == [Deed.ASK, Deed.UP, Deed.ASK]
    done = run(watch, 40, 110)
    assert Deed.DOWN in [deed for _, deed in done]
    assert Deed.SIGN_IN not in [deed for _, deed in done]
    assert Deed.UP in [deed for _, deed in run(watch, 110, 150, answers=True)]


def test_a_provider_that_never_answers_questions_can_be_left_unasked() -> None:
    watch = Watch(False, asks=False)
    assert watch.start(0) == [Deed.UP]
    assert run(watch, 0, 100) == []


def test_now_means_now() -> None:
    watch = Watch(True)
    watch.start(0)
    watch.refused(0, 403)
    assert watch.sign_in(1) == [Deed.SIGN_IN]
    assert Deed.ASK in watch.tick(1)
