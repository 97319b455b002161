"""What the terminal keeps of servers elsewhere: a login at each, and which of them each home's commands go to.

One file of the person's config folder, mode 0600, replaced as a whole.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from outrider.model.base import Model
from outrider.model.errors import OutriderError
from outrider.model.person import Person

FILE = "logins.json"


class KeptLogin(Model):
    """A login at one server. Its token is the person's as long as the login lasts."""

    token: str
    person: Person
    guest: bool = False

    def __repr__(self) -> str:
        """Without the token."""
        return f"KeptLogin({self.person.email})"


class Kept(Model):
    """The content of the file: logins by the address of their server, and addresses by home."""

    logins: Mapping[str, KeptLogin] = {}
    in_use: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Logins:
    """The logins of one person, as the commands of one home see them."""

    folder: Path
    home: Path

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return self.folder / FILE

    def read(self) -> Kept:
        """All of it; nothing where there is no file. Raises OutriderError where it cannot be read."""
        try:
            return Kept.model_validate_json(self.file.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return Kept()
        except OSError as error:
            raise OutriderError(f"{self.file} cannot be read: {error.strerror}.") from error
        except ValidationError:
            raise OutriderError(f"{self.file} is damaged.", "Remove it, and join again by a fresh link.") from None

    @property
    def address(self) -> str | None:
        """The server that the commands of this home go to, where that is not the home's own."""
        return self.read().in_use.get(str(self.home))

    def find(self, address: str) -> KeptLogin | None:
        """The login at a server."""
        return self.read().logins.get(address)

    def keep(self, address: str, login: KeptLogin) -> None:
        """Remember a login, and go there from now on. Raises OutriderError where it cannot be written."""
        kept = self.read()
        in_use = {**kept.in_use, str(self.home): address}
        self._write(Kept(logins={**kept.logins, address: login}, in_use=in_use))

    def forget(self, address: str) -> None:
        """Forget a login; every home goes back to its own server."""
        kept = self.read()
        logins = {one: login for one, login in kept.logins.items() if one != address}
        self._write(Kept(logins=logins, in_use={home: one for home, one in kept.in_use.items() if one != address}))

    def _write(self, kept: Kept) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, fresh = tempfile.mkstemp(dir=self.folder, prefix=f".{FILE}-")
            with os.fdopen(handle, "w") as file:
                file.write(kept.model_dump_json(indent=1))
            Path(fresh).replace(self.file)
        except OSError as error:
            raise OutriderError(f"{self.folder} cannot be written: {error.strerror}.") from error
