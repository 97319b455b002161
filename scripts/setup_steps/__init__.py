"""The steps of scripts/setup.py, one subject a file."""
