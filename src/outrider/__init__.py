"""Outrider: a self-hosted background coding agent that proves its work."""
