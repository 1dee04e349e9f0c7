"""The body that lights the message lamp: message-summary (RFC 3842 5.2)."""


def message_summary(account: str, new: int, old: int) -> str:
    """`account` is the URI that hears the messages when it is called."""
    waiting = "yes" if new > 0 else "no"
    return (
        f"Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\n"
        f"Voice-Message: {max(new, 0)}/{max(old, 0)} (0/0)\r\n"
    )
