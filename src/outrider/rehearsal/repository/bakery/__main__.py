"""`python3 -m bakery [PORT]` serves the page on this machine."""

import sys
from pathlib import Path
from wsgiref.simple_server import make_server

from bakery.web import Shop


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    with make_server("127.0.0.1", port, Shop(Path("orders.jsonl"))) as server:
        print(f"Kettle & Crumb is open at http://127.0.0.1:{port}")
        server.serve_forever()


if __name__ == "__main__":
    main()
