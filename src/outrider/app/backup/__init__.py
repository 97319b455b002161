"""Backups of a whole deployment, taken while it works, and their way back into an empty home."""
