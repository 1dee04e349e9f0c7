"""The journal: what happened, on disk. Calls with their trace, messages with their raw PDU, the outbox, events.

One SQLite file, WAL, synchronous=FULL. The exchange writes through one storage thread (`writer`), the worker settles
its outbox (`outbox`), the page reads (`queries`). Only the exchange migrates; the others wait for the version.
"""
