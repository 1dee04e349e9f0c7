"""Measurements, beside the same call without the box and beside the goals. Not part of the tests."""
