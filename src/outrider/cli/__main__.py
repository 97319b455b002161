"""`python -m outrider.cli`."""

from outrider.cli.main import main

main()
