"""What people read of SIP trunks."""

from typing import Final

from appliance.words.mark import N_

LINE_STATES: Final = {
    "in-service": N_("Works"),
    "signing-in": N_("Signs in at the provider"),
    "no-provider": N_("The provider does not answer"),
    "password-refused": N_("The provider refuses user or password"),
    "provider-refused": N_("The provider does not let it sign in"),
    "no-such-name": N_("The provider's name is not known"),
    "certificate": N_("The provider's certificate is not trusted"),
}

NOTICES: Final = {
    "trunk-password": N_(
        "The provider of {line} refuses user or password ({said}). Nobody can call on this number until they are right."
        " It is tried again, but seldom: providers shut out who knocks too often."
    ),
    "trunk-gone": N_(
        "The provider of {line} does not answer. Nobody can call on this number until it does; the box tries again by"
        " itself. Check the connection to the Internet."
    ),
    "trunk-refused": N_(
        "The provider of {line} does not let it sign in ({said}). Nobody can call on this number. Check the settings of"
        " the line, or ask the provider."
    ),
    "trunk-name": N_(
        "The name of the provider of {line} is not known. Nobody can call on this number. Check how it is written, and"
        " the connection to the Internet."
    ),
    "trunk-certificate": N_(
        "The certificate of the provider of {line} is not trusted ({said}), so nothing is sent to it. Check the"
        " provider's name and the clock of the box."
    ),
}

ERRORS: Final = {
    "srtp-needs-tls": N_("Encrypted speech needs TLS: without it the key can be read on the way."),
}
