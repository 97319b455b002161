"""The demo takes a repository whose bug is still there."""

from outrider.cli.commands.demo import fresh_name


def test_a_repository_whose_pull_request_was_merged_is_passed_over() -> None:
    assert fresh_name(set()) == "bakery"
    assert fresh_name({"shop"}) == "bakery"
    assert fresh_name({"bakery", "bakery-2"}) == "bakery-3"
