"""What every store of logins has to do."""

from datetime import timedelta

import pytest

from outrider.model.membership import Account
from outrider.ports.logins import Logins
from outrider.testing.store_contract import ADA, MORNING, OTHER, SESSION

ANN = Account(person=ADA, role="viewer")


class LoginsContract:
    """For `outrider.ports.logins.Logins`."""

    @pytest.fixture
    def logins(self) -> Logins:
        """The store to test, empty."""
        raise NotImplementedError

    async def test_a_link_works_once(self, logins: Logins) -> None:
        await logins.add_link("aa", ANN, MORNING + timedelta(minutes=10))
        assert await logins.use_link("aa", MORNING) == ANN
        assert await logins.use_link("aa", MORNING) is None

    async def test_a_link_works_only_until_its_time(self, logins: Logins) -> None:
        await logins.add_link("aa", ANN, MORNING + timedelta(minutes=10))
        assert await logins.use_link("aa", MORNING + timedelta(minutes=10)) is None
        assert await logins.use_link("bb", MORNING) is None

    async def test_a_login_works_until_its_time_or_logout(self, logins: Logins) -> None:
        await logins.add_login("aa", ANN, MORNING + timedelta(days=30))
        await logins.add_login("bb", ANN, MORNING + timedelta(days=30))
        assert await logins.find_login("aa", MORNING) == ANN
        assert await logins.find_login("aa", MORNING + timedelta(days=30)) is None
        await logins.delete_login("bb")
        await logins.delete_login("bb")
        assert await logins.find_login("bb", MORNING) is None
        assert await logins.find_login("aa", MORNING) == ANN

    async def test_a_guest_joins_sessions_with_one_login(self, logins: Logins) -> None:
        guest = Account(person=ANN.person, guest=True, sessions=(SESSION,))
        await logins.add_login("aa", guest, MORNING + timedelta(days=1))
        await logins.join("aa", OTHER)
        await logins.join("bb", OTHER)
        assert await logins.find_login("aa", MORNING) == guest.model_copy(update={"sessions": (SESSION, OTHER)})

    async def test_an_address_is_known_but_a_guests(self, logins: Logins) -> None:
        await logins.add_login("aa", Account(person=ADA, guest=True), MORNING + timedelta(days=1))
        assert not await logins.knows("ada@example.org")
        await logins.add_link("bb", ANN, MORNING + timedelta(days=1))
        assert await logins.knows("ada@example.org")

    async def test_a_link_is_no_login_and_a_login_no_link(self, logins: Logins) -> None:
        await logins.add_link("aa", ANN, MORNING + timedelta(days=1))
        await logins.add_login("bb", ANN, MORNING + timedelta(days=1))
        assert await logins.find_login("aa", MORNING) is None
        assert await logins.use_link("bb", MORNING) is None
        assert await logins.use_link("aa", MORNING) == ANN
