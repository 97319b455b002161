"""The words of the domain: ids, events, commands, effects, sandbox and proof types. No I/O, no clock."""
