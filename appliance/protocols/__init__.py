"""The wire without the wire: text and octets in, meaning out; no I/O, no clock."""
