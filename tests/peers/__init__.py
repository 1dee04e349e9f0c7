"""Real peers for the tests: programs that are not ours, started in a folder of their own on loopback."""
