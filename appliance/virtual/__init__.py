"""Virtual hardware: a SIM modem on a pty, a demo phone, a mailbox; the demo and the tests are made of it.

It lives in a process of its own (`python -m appliance.virtual`) and knows nothing of the product: the modem speaks AT
on its port and PCM on another, the phone speaks SIP, the mailbox SMTP. Whoever uses them must use the real wires.
"""
