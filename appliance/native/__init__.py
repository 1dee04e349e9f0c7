"""The C beside pjsua2, and the script that builds PJSIP."""
