"""The terminal: one file per command, and how a session is drawn. The same order and the same words as the page."""
