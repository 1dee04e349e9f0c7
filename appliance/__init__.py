"""Centralka: the office phone exchange in a box. docs/architecture.md draws the picture of these folders."""

__version__ = "0.1.0"
