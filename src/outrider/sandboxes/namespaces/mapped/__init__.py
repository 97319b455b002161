"""What must run inside a user namespace: a program of its own, started fresh for each call, standard library only.

It is started as `python -I -S` by `outrider.sandboxes.namespaces.mapped_call`, reads one JSON request from stdin and
answers with one JSON object on stdout. Everything is imported before the namespace is entered: afterwards the program
is a host user who may not be able to read the interpreter's own files.
"""
