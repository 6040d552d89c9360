"""Authentication of calls: a key of the secret, or an access token."""

from collections.abc import Mapping

import pytest

from recording_insights.errors import CredentialsRefused
from recording_insights.providers.toolkit.auth import AccessToken, LoginRefused, StaticKey, Token, TokenStore
from recording_insights.providers.toolkit.http import Reply

OK, REFUSED = Reply(200, {}, b"{}"), Reply(401, None, b"")


class Vault:
    """A secret that an operator rotates: `fresh` reads return the newer key."""

    def __init__(self, known: str, newer: str) -> None:
        self._keys = {False: known, True: newer}

    def __call__(self, fresh: bool) -> Mapping[str, str]:
        return {"key": self._keys[fresh]}


class Vendor:
    """Accepts one key and the tokens that it has issued; a token lives for an hour."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.tokens: list[str] = []
        self.now = 0.0

    def log_in(self, secret: Mapping[str, str]) -> Token:
        if secret["key"] != self.key:
            raise LoginRefused("wrong key")
        self.tokens.append(f"token-{len(self.tokens)}")
        return Token(self.tokens[-1], 3600)

    def send(self, token: str) -> Reply:
        return OK if token in self.tokens else REFUSED

    def access(self, vault: Vault, shared: TokenStore | None = None) -> AccessToken:
        return AccessToken("Vendor", vault, self.log_in, lambda reply: f"HTTP {reply.status}", lambda: self.now, shared)


class Shared:
    """The token that all workers see."""

    def __init__(self, token: tuple[str, float] | None = None) -> None:
        self.token = token

    def read(self) -> tuple[str, float] | None:
        return self.token

    def write(self, text: str, usable_until: float) -> None:
        self.token = text, usable_until


class TestStaticKey:
    def test_a_rotated_key_is_read_anew(self) -> None:
        key = StaticKey("Vendor", Vault("old", "new"), lambda reply: "")
        assert key.call(lambda secret: OK if secret["key"] == "new" else REFUSED) == OK

    def test_a_refused_fresh_key(self) -> None:
        key = StaticKey("Vendor", Vault("old", "new"), lambda reply: f"HTTP {reply.status}")
        with pytest.raises(CredentialsRefused, match=r"^Vendor refused the key of its secret: HTTP 401$"):
            key.call(lambda secret: REFUSED)


class TestAccessToken:
    def test_a_token_serves_until_a_minute_before_its_end(self) -> None:
        vendor = Vendor("key")
        access = vendor.access(Vault("key", "key"))
        for vendor.now in (0.0, 3539.0, 3540.0):
            assert access.call(vendor.send) == OK
        assert vendor.tokens == ["token-0", "token-1"]

    def test_a_refused_token_is_replaced(self) -> None:
        vendor = Vendor("key")
        access = vendor.access(Vault("key", "key"))
        access.call(vendor.send)
        vendor.tokens[:] = ["revoked"]
        assert access.call(vendor.send) == OK

    def test_a_rotated_secret_is_read_anew(self) -> None:
        vendor = Vendor("new")
        assert vendor.access(Vault("old", "new")).call(vendor.send) == OK

    def test_a_refused_login(self) -> None:
        vendor = Vendor("other")
        with pytest.raises(CredentialsRefused, match=r"^Vendor refused the credentials of its secret: wrong key$"):
            vendor.access(Vault("old", "new")).call(vendor.send)

    def test_a_refused_new_token(self) -> None:
        vendor = Vendor("key")
        with pytest.raises(CredentialsRefused, match=r"^Vendor refused a new access token: HTTP 401$"):
            vendor.access(Vault("key", "key")).call(lambda token: REFUSED)


class TestSharedToken:
    def test_workers_use_the_token_of_the_first(self) -> None:
        vendor, shared = Vendor("key"), Shared()
        for vendor.now in (0.0, 10.0, 3539.0):
            assert vendor.access(Vault("key", "key"), shared).call(vendor.send) == OK
        assert vendor.tokens == ["token-0"]
        assert shared.token == ("token-0", 3540.0)

    @pytest.mark.parametrize("shared", [Shared(), Shared(("token-7", 3539.9)), Shared(("revoked", 9999.0))])
    def test_a_token_that_cannot_be_used_is_replaced_for_all(self, shared: Shared) -> None:
        vendor = Vendor("key")
        vendor.now = 3540.0
        for _ in range(2):
            assert vendor.access(Vault("key", "key"), shared).call(vendor.send) == OK
        assert vendor.tokens == ["token-0"]
        assert shared.token == ("token-0", 7080.0)

    def test_a_worker_whose_token_was_revoked_takes_that_of_the_others(self) -> None:
        vendor, shared = Vendor("key"), Shared()
        access = vendor.access(Vault("key", "key"), shared)
        access.call(vendor.send)
        vendor.tokens[:] = ["of another worker"]
        shared.write("of another worker", 3540.0)
        assert access.call(vendor.send) == access.call(vendor.send) == OK
        assert vendor.tokens == ["of another worker"]
