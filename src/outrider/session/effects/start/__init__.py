"""The steps of a session's start, one file each. `find` names their order."""
