from __future__ import annotations

from portsync.demo.users import DEFAULT_USERS, sample_users


def test_a_smaller_count_gives_the_first_users_of_a_larger_one() -> None:
    assert sample_users(600)[:8] == sample_users(8) == DEFAULT_USERS


def test_no_two_of_many_users_share_an_id_or_an_address() -> None:
    users = sample_users(2000)  # more than there are pairs of names

    assert len({user.user_id for user in users}) == 2000
    assert len({user.email for user in users}) == 2000
    assert all(user.email.endswith("@acme.example") for user in users)
