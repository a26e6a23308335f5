"""Rackspace Cloud Files: the contract, by way of the real pyrax and a stand-in for Rackspace's identity service.

Runs in an environment of its own: make test-rackspace.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from contract.storage_contract import (
    ONE,
    SEVERAL,
    SealingMarksContract,
    StorageContract,
    begin,
    download,
    finished,
    put_all,
    seal,
    stored_object,
)
from helpers.clouds.rackspace_identity import API_KEY, CREDENTIALS, USERNAME, Identity, identity_service
from helpers.clouds.swift_elsewhere import Swift, swift_elsewhere
from helpers.faults.changed_answers import meddling
from helpers.faults.no_container_keys import drop_keys
from helpers.storage.browser import Browser

from direct_upload_middleware.errors import ConfigurationError, StorageError, StorageUnavailable
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage import temp_urls
from direct_upload_middleware.storage.rackspace import RackspaceStorage
from direct_upload_middleware.storage.rackspace import storage as rackspace
from direct_upload_middleware.storage.rackspace.pyrax_import import import_identity
from direct_upload_middleware.storage.rackspace.storage import RackspaceAccess
from direct_upload_middleware.storage.swift.client import Login
from direct_upload_middleware.storage.urls import storage_from_url


@pytest.fixture(scope="session")
def swift() -> Iterator[Swift]:
    with swift_elsewhere(os.environ["SWIFT_PYTHON"]) as swift:
        yield swift


@pytest.fixture
def identity(swift: Swift) -> Iterator[Identity]:
    with identity_service(swift) as identity:
        yield identity


@pytest.fixture
def environ(identity: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RACKSPACE_USERNAME", USERNAME)
    monkeypatch.setenv("RACKSPACE_API_KEY", API_KEY)


def make_storage(identity: Identity, **changes: object) -> RackspaceStorage:
    arguments = {"region": "ORD", "username": USERNAME, "api_key": API_KEY, "auth_endpoint": identity.url}
    storage = RackspaceStorage(f"rax-{secrets.token_hex(4)}", **{**arguments, **changes})
    storage.bind(Keys(("a secret",)))
    return storage


@pytest.fixture
def storage(identity: Identity) -> RackspaceStorage:
    return make_storage(identity)


@pytest.fixture
def http() -> Browser:
    return Browser()


class TestRackspaceStorage(SealingMarksContract, StorageContract):
    """The contract."""


class TestLogIn:
    def test_sixteen_threads_make_one_log_in(self, identity: Identity, storage: RackspaceStorage) -> None:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: storage.browser_storage_origin(), range(64)))
        assert len(identity.logins) == 1

    def test_a_token_that_swift_refuses_is_renewed_once(
        self, identity: Identity, storage: RackspaceStorage, http: Browser
    ) -> None:
        finished(storage, http, SEVERAL)
        self.kill_token(storage)
        stored = finished(storage, http, SEVERAL)
        assert download(storage, http, stored.name).body == SEVERAL
        assert len(identity.logins) == 2

    def test_a_token_is_renewed_some_minutes_before_it_expires(self, identity: Identity) -> None:
        identity.life = 200
        access = RackspaceAccess(region="ORD", username=USERNAME, api_key=API_KEY, auth_endpoint=identity.url)
        for logins in (1, 2):
            access.login()
            assert len(identity.logins) == logins
        identity.life = 3600
        for _ in range(3):
            access.login()
        assert len(identity.logins) == 3

    def test_a_wrong_key_is_refused_without_a_try_by_password(self, identity: Identity) -> None:
        with pytest.raises(StorageError, match="refuses the credentials"):
            make_storage(identity, api_key="wrong").limits()
        assert all("passwordCredentials" not in login["auth"] for login in identity.logins)

    def test_a_token_that_dies_in_the_middle_of_an_upload_is_renewed(
        self, identity: Identity, storage: RackspaceStorage, http: Browser
    ) -> None:
        """Even while the identity service is busy; and it is never asked by password after that."""
        transfer, urls = begin(storage, SEVERAL)
        put_all(http, urls[:2], transfer, SEVERAL)
        self.kill_token(storage)
        identity.statuses = [429]
        with pytest.raises(StorageUnavailable):
            storage.sign(transfer, [2], ttl=300)
        put_all(http, storage.sign(transfer, [2], ttl=300), transfer, SEVERAL)
        self.kill_token(storage)
        identity.statuses = [401]
        with pytest.raises(StorageError, match="refuses the credentials"):
            seal(storage, transfer, SEVERAL)
        stored = stored_object(transfer, seal(storage, transfer, SEVERAL))
        assert download(storage, http, stored.name).body == SEVERAL
        assert [login == CREDENTIALS for login in identity.logins] == [True] * 5

    @staticmethod
    def kill_token(storage: RackspaceStorage) -> None:
        """Swift knows it no longer."""
        login = storage._client._login
        assert login is not None
        storage._client._login = storage._client._access._login = Login("refused", login.storage_url)

    @pytest.mark.parametrize("status", [413, 429, 500, 503])
    def test_a_service_that_is_busy_may_be_asked_again(self, identity: Identity, status: int) -> None:
        storage = make_storage(identity)
        identity.statuses = [status]
        with pytest.raises(StorageUnavailable):
            storage.limits()
        assert storage.limits().max_segments > 0

    def test_a_service_that_is_away_may_be_asked_again(self, identity: Identity) -> None:
        with pytest.raises(StorageUnavailable):
            make_storage(identity, auth_endpoint="http://127.0.0.1:9/v2.0/").limits()

    @pytest.mark.parametrize("region", ["ord", "ORD"])
    def test_a_region_is_found_in_any_case(self, identity: Identity, region: str) -> None:
        assert make_storage(identity, region=region).browser_storage_origin()

    def test_an_unknown_region_is_named_with_the_known_regions(self, identity: Identity) -> None:
        with pytest.raises(ConfigurationError, match=r"no region 'SYD'; known: ORD"):
            make_storage(identity, region="SYD").limits()

    def test_the_internal_address_is_taken_if_asked_for(self, identity: Identity) -> None:
        access = RackspaceAccess(
            region="ORD", internal=True, username=USERNAME, api_key=API_KEY, auth_endpoint=identity.url
        )
        assert access.login().storage_url.endswith("-internal")


class TestKeys:
    def test_where_containers_have_none_pin_signs_with_the_accounts(
        self, swift: Swift, identity: Identity, storage: RackspaceStorage, http: Browser
    ) -> None:
        account = urlsplit(swift.login()[1])
        with meddling(f"http://{account.netloc}", drop_keys) as proxy:
            identity.public_url = proxy + account.path
            with pytest.raises(StorageError, match="seal='revoke'"):
                begin(storage, SEVERAL)
            for data in (ONE, SEVERAL):
                stored = finished(storage, http, data, seal="pin")
                assert download(storage, http, stored.name).body == data


class TestCredentials:
    @pytest.mark.usefixtures("environ")
    def test_come_from_the_environment(self, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rackspace.RackspaceAccess.__init__, "__kwdefaults__", self._defaults(identity))
        storage = storage_from_url("rackspace://uploads?region=ord")
        assert storage.browser_storage_origin()

    @pytest.mark.parametrize("name", [".pyrax.cfg", ".rackspace_cloud_credentials"])
    @pytest.mark.usefixtures("environ")
    def test_come_from_pyraxs_files(
        self, identity: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
    ) -> None:
        monkeypatch.delenv("RACKSPACE_USERNAME")
        monkeypatch.delenv("RACKSPACE_API_KEY")
        text = f"[settings]\nregion = ORD\n[rackspace_cloud]\nusername = {USERNAME}\napi_key = {API_KEY}\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert RackspaceAccess(auth_endpoint=identity.url).login().token

    @pytest.mark.usefixtures("environ")
    def test_missing_credentials_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RACKSPACE_API_KEY")
        with pytest.raises(ConfigurationError, match="set RACKSPACE_USERNAME and RACKSPACE_API_KEY"):
            RackspaceAccess(region="ORD").login()

    @pytest.mark.usefixtures("environ")
    def test_a_region_that_is_not_given_is_asked_for(self) -> None:
        with pytest.raises(ConfigurationError, match="name the region"):
            RackspaceAccess().login()

    @staticmethod
    def _defaults(identity: Identity) -> dict[str, object]:
        return {**(RackspaceAccess.__init__.__kwdefaults__ or {}), "auth_endpoint": identity.url}


class TestUrl:
    @pytest.mark.parametrize(("url", "kind"), [("", "public"), ("&internal=0", "public"), ("&internal=1", "internal")])
    @pytest.mark.usefixtures("environ")
    def test_internal_takes_the_address_inside(
        self, identity: Identity, monkeypatch: pytest.MonkeyPatch, url: str, kind: str
    ) -> None:
        identity.public_url = "https://public.example.com/v1/MossoCloudFS_1"
        identity.internal_url = "https://internal.example.com/v1/MossoCloudFS_1"
        monkeypatch.setattr(RackspaceAccess.__init__, "__kwdefaults__", TestCredentials._defaults(identity))
        storage = storage_from_url(f"rackspace://uploads?region=ORD{url}")
        assert storage.browser_storage_origin() == f"https://{kind}.example.com"

    @pytest.mark.parametrize(
        "url",
        [
            "rackspace://uploads?cloud=a",
            "rackspace://uploads?internal=yes",
            "rackspace://",
            "rackspace://uploads/more",
        ],
    )
    def test_an_invalid_url_is_refused(self, url: str) -> None:
        with pytest.raises(ConfigurationError):
            storage_from_url(url)

    def test_nothing_is_asked_when_it_is_made(self) -> None:
        assert storage_from_url("rackspace://uploads?region=ORD&internal=1").container == "uploads"


class TestImport:
    def test_nothing_is_left_of_the_stand_ins(self) -> None:
        """In a process of its own, since a process imports pyrax once."""
        program = (
            "import sys, logging, configparser\n"
            "before = set(vars(configparser))\n"
            "from direct_upload_middleware.storage.rackspace.pyrax_import import import_identity\n"
            "assert import_identity().__name__ == 'RaxIdentity'\n"
            "assert not [name for name in sys.modules if name.split('.')[0] in ('novaclient', 'keyring')]\n"
            "assert set(vars(configparser)) == before\n"
            "assert logging.getLogger('pyrax').handlers == []\n"
            "assert logging.getLogger('pyrax').level == logging.NOTSET\n"
            "import pyrax\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

    @pytest.mark.parametrize("order", ["before", "after"])
    def test_an_applications_own_novaclient_is_not_disturbed(self, tmp_path: Path, order: str) -> None:
        (tmp_path / "novaclient").mkdir()
        (tmp_path / "novaclient" / "__init__.py").write_text("MINE = True\n", encoding="utf-8")
        (tmp_path / "novaclient" / "client.py").write_text("MINE = True\n", encoding="utf-8")
        steps = ["import novaclient.client", "import_identity()"]
        program = "\n".join(
            [
                "import sys",
                "from direct_upload_middleware.storage.rackspace.pyrax_import import import_identity",
                *(steps if order == "before" else steps[::-1]),
                "import novaclient.client",
                "assert sys.modules['novaclient'].MINE and novaclient.client.MINE",
            ]
        )
        path = os.pathsep.join([str(tmp_path), str(Path(rackspace.__file__).parents[2])])
        environ = {**os.environ, "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=environ)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_temp_urls_are_those_of_pyrax(method: str) -> None:
    """Its own are signed with SHA-1."""
    import_identity()
    from pyrax.object_storage import ContainerManager

    account = "https://storage101.ord1.clouddrive.com/v1/MossoCloudFS_1"
    manager = SimpleNamespace(api=SimpleNamespace(management_url=account))
    theirs = ContainerManager.get_temp_url(manager, "uploads", "an object", 60, method=method, key="key")
    expires = int(parse_qs(urlsplit(theirs).query)["temp_url_expires"][0])
    path = f"{urlsplit(account).path}/uploads/an object"
    ours = temp_urls.url("key", method, path, expires, digest="sha1")
    assert "https://storage101.ord1.clouddrive.com" + ours == theirs.replace("an object", "an%20object")
