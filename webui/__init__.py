"""The page: Flask, complete HTML from the server, forms that work without a script.

The web process touches no device and decides nothing about a call. It asks the exchange over its Unix socket
(`control.py`), reads the journal, and writes only its own tables: accounts, sessions, audit, throttle.
"""
