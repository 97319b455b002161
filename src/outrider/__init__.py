"""Outrider: a self-hosted background coding agent that proves its work."""

__version__ = "0.1.0"
