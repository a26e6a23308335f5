"""Another middleware: the same application and secret, other rules. And secrets that are too short."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.companion import FILE, Multipart
from helpers.uploads import ONE, SEVERAL, Site, assert_problem, swift_storage
from security.conftest import MakeSite

from direct_upload_middleware import ConfigurationError, InvalidReceipt, Refused
from direct_upload_middleware.storage import storage_from_url
from direct_upload_middleware.testing.private_swift.server import SwiftServer


def refuse(*_: Any) -> None:
    raise Refused("Nobody may upload here.")


STRICT: dict[str, Any] = {"max_size": 1, "accept": ["image/png"], "authorize": refuse}


@pytest.mark.parametrize("call", ["sign", "status", "complete", "abort"])
@pytest.mark.parametrize("same", ["mount", "container"])
def test_a_ticket_of_a_permissive_mount_is_invalid_at_a_strict_mount(new_site: MakeSite, same: str, call: str) -> None:
    """Notices when a token's salt has not the container, or not the mount."""
    loose = new_site(mount="/_docs")
    where = {"mount": {"mount": "/_docs"}, "container": {"container": loose.storage.container, "mount": "/_avatars"}}
    strict = new_site(**STRICT, **where[same])
    strict.browser.cookiejar = loose.browser.cookiejar
    begun = loose.begin(ONE)
    begun.send()
    assert_problem(strict.call(call, begun), 403, "invalid-ticket")
    assert begun.complete().status_int == 200


@pytest.mark.parametrize("same", ["mount", "container"])
def test_a_receipt_of_another_middleware_is_invalid(new_site: MakeSite, same: str) -> None:
    """The same for receipts, and for Uppy's keys."""
    loose = new_site(mount="/_docs")
    where = {"mount": {"mount": "/_docs"}, "container": {"container": loose.storage.container, "mount": "/_avatars"}}
    strict = new_site(**where[same])
    strict.browser.cookiejar = loose.browser.cookiejar
    receipt = loose.upload(ONE).json["receipt"]
    with pytest.raises(InvalidReceipt):
        strict.uploads(lambda uploads: uploads.verify(receipt))
    assert_problem(strict.request("GET", f"/files/{receipt}"), 403, "invalid-receipt")
    upload = Multipart(loose, SEVERAL)
    assert_problem(strict.request("GET", f"/s3/multipart/{upload.id}?key={upload.key}"), 403, "invalid-ticket")
    assert FILE


@pytest.mark.parametrize("secret", ["x", "a" * 15, "é" * 7, ["a" * 15, "b" * 16], ["a" * 16, "b" * 15]])
def test_a_secret_that_can_be_guessed_is_a_configuration_error(swift_server: SwiftServer, secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="16 bytes"):
        Site(swift_storage(swift_server), secret=secret)
    for enough in ("é" * 8, ["a" * 16, "b" * 16]):
        Site(swift_storage(swift_server), secret=enough)
    Site(storage_from_url("local:.direct-upload"), secret=secret)


def test_no_secret_opens_the_account(new_site: MakeSite, account: Any) -> None:
    """Neither a guessed nor an old one. Notices when the account's key is derived from a secret."""
    site = new_site()
    site.upload(ONE)
    keys = {value for name, value in account.metadata("").items() if name.startswith("x-account-meta-temp-url-key")}
    assert keys - {""}
    assert not keys & set(site.middleware.options.keys.derive_all("downloads"))
