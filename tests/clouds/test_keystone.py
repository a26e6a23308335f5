"""A real Keystone; Swift with three replicas and two proxies, each with a cache. ``make test-keystone`` runs this."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import trustme
from helpers.clouds.keystone import CACHE_SECONDS, PATIENCE, Cloud, keystone_cloud
from helpers.clouds.replicated_swift import NODES
from helpers.doctor_runs import run
from helpers.faults.changed_answers import Exchange, meddling
from helpers.uploads import ONE, SEVERAL, Site, assert_problem, new_container
from helpers.waiting import wait_until

from direct_upload_middleware.storage.swift import SwiftStorage

if "KEYSTONE_PYTHON" not in os.environ:
    pytest.skip("make test-keystone runs these tests", allow_module_level=True)

ORIGIN = "https://app.example.com"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with keystone_cloud(Path(os.environ["KEYSTONE_PYTHON"])) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


Clouds = Callable[..., None]


@pytest.fixture
def clouds(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clouds:
    """Write a clouds.yaml that openstacksdk finds."""
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return lambda **clouds: cloud.write_clouds(path, **clouds)


def with_credential(cloud: Cloud, region: str = "a", role: str = "swiftoperator", **more: Any) -> dict[str, Any]:
    auth = cloud.credentials[role]
    return {"auth_type": "v3applicationcredential", "auth": auth, "region_name": region, **more}


def with_password(cloud: Cloud, user: str, project: str | None = "app") -> dict[str, Any]:
    return {"auth_type": "v3password", "auth": cloud.password(user, project), "region_name": "a"}


def unchanged(exchange: Exchange) -> None:
    """Pass everything on."""


# -- uploads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several segments"])
def test_an_application_credential_uploads_through_either_proxy(cloud: Cloud, clouds: Clouds, data: bytes) -> None:
    """What one process has begun through one proxy, another completes through the other."""
    clouds(a=with_credential(cloud, "a"), b=with_credential(cloud, "b"))
    container = new_container()
    first = Site(SwiftStorage(container, cloud="a"))
    second = Site(SwiftStorage(container, cloud="b"))
    second.browser.cookiejar = first.browser.cookiejar
    begun = first.begin(data)
    begun.send()
    assert second.call("status", begun).json["state"] == "open"
    complete = second.call("complete", begun)
    assert complete.status_int == 200, complete.text
    assert first.download(complete.json["download_url"]) == data
    assert begun.complete().status_int == 200
    assert second.call("abort", begun).status_int == 409


def test_a_proxy_with_a_stale_cache_brings_no_aborted_upload_back(cloud: Cloud, clouds: Clouds) -> None:
    clouds(a=with_credential(cloud, "a"), b=with_credential(cloud, "b"))
    container = new_container()
    site, other = Site(SwiftStorage(container, cloud="a")), Site(SwiftStorage(container, cloud="b"))
    other.browser.cookiejar = site.browser.cookiejar
    begun = site.begin(SEVERAL)
    begun.send()
    stale = {index: url.replace(cloud.proxies["a"], cloud.proxies["b"]) for index, url in begun.urls.items()}
    for index, piece in enumerate(begun.pieces()):  # this proxy knows the container from now on
        assert site.fetch("PUT", stale[index], piece).status == 201
    assert begun.abort().status_int == 204
    for index, piece in enumerate(begun.pieces()):
        site.fetch("PUT", stale[index], piece)
    for attempt in (begun.complete, lambda: other.call("complete", begun)):
        assert attempt().status_int == 404
    assert other.call("status", begun).status_int == 404


def test_a_removed_key_ends_on_every_proxy_when_the_caches_have_expired(cloud: Cloud, clouds: Clouds) -> None:
    clouds(a=with_credential(cloud))
    site = Site(SwiftStorage(new_container(), cloud="a"))
    begun = site.begin(SEVERAL)
    begun.send()
    stale = begun.urls[0].replace(cloud.proxies["a"], cloud.proxies["b"])
    assert site.fetch("PUT", stale, begun.pieces()[0]).status == 201
    complete = begun.complete()
    seconds = CACHE_SECONDS + PATIENCE
    wait_until(lambda: site.fetch("PUT", stale, begun.pieces()[0]).status == 401, seconds, interval=0.2)
    assert site.download(complete.json["download_url"]) == SEVERAL


def test_browsers_may_use_another_interface_than_the_application(cloud: Cloud, clouds: Clouds) -> None:
    """Region b is internally at proxy a."""
    clouds(b=with_credential(cloud, "b", interface="internal"))
    storage = SwiftStorage(new_container(), cloud="b", public_interface="public")
    site = Site(storage)
    begun = site.begin(ONE)
    assert begun.urls[0].startswith(cloud.proxies["b"])
    assert storage._client.login().storage_url.startswith(cloud.proxies["a"])
    assert storage.browser_storage_origin() == cloud.proxies["b"]
    begun.send()
    assert site.download(begun.complete().json["download_url"]) == ONE


# -- a node is down ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("data", [ONE, SEVERAL], ids=["one segment", "several segments"])
def test_uploads_go_on_while_a_node_is_down(cloud: Cloud, clouds: Clouds, data: bytes, node: int) -> None:
    """What was decided while it was down is not forgotten when it is back, with all that it missed."""
    clouds(a=with_credential(cloud, "a"))
    site = Site(SwiftStorage(new_container(), cloud="a"))
    kept, left, begun_before = site.begin(data), site.begin(data), site.begin(data)
    left.send()
    with cloud.swift.node_down(node):
        begun_before.send()
        kept.send()
        complete = kept.complete()
        assert complete.status_int == 200, complete.text
        assert left.abort().status_int == 204
        assert site.upload(data).status_int == 200
    assert begun_before.complete().status_int == 200
    assert site.download(complete.json["download_url"]) == data
    assert kept.complete().json["receipt"] == complete.json["receipt"]
    assert kept.abort().status_int == 409
    assert site.call("status", kept).json["state"] == "complete"
    for again in (left.complete, lambda: site.call("status", left)):
        assert again().status_int == 404


@pytest.mark.parametrize("node", NODES)
def test_a_node_that_missed_a_deletion_brings_no_file_back(cloud: Cloud, clouds: Clouds, node: int) -> None:
    clouds(a=with_credential(cloud, "a"))
    site = Site(SwiftStorage(new_container(), cloud="a"))
    begun = [site.begin(data) for data in (ONE, SEVERAL)]
    for each in begun:
        each.send()
    receipts = [each.complete().json["receipt"] for each in begun]
    uploads = [site.uploads(lambda store, receipt=receipt: store.verify(receipt)) for receipt in receipts]
    with cloud.swift.node_down(node):
        for upload in uploads:
            site.uploads(lambda store, upload=upload: store.delete(upload))
    for each in begun:
        assert each.complete().status_int == 404
        assert site.call("status", each).status_int == 404


# -- transport ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trust",
    [
        pytest.param("cacert", id="its authority is named"),
        pytest.param(
            "verify",
            id="nothing is verified",
            marks=pytest.mark.filterwarnings("ignore:Unverified HTTPS request", "ignore:.*verify.*"),
        ),
    ],
)
def test_override_cacert_and_verify_are_honoured(
    cloud: Cloud, clouds: Clouds, authority: trustme.CA, server_tls: ssl.SSLContext, tmp_path: Path, trust: str
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with (
        meddling(cloud.proxies["a"], unchanged, server_tls) as swift,
        meddling(cloud.identity.url.removesuffix("/v3"), unchanged, server_tls) as keystone,
    ):
        options = {"cacert": str(bundle)} if trust == "cacert" else {"verify": False}
        tls = with_credential(cloud, **options)
        tls["auth"] = {**tls["auth"], "auth_url": f"{keystone}/v3"}
        tls["object_store_endpoint_override"] = f"{swift}/v1/AUTH_{cloud.identity.ids['app']}"
        clouds(tls=tls)
        begun = Site(SwiftStorage(new_container(), cloud="tls")).begin(ONE)
        assert begun.urls[0].startswith(swift)
        path = urlsplit(begun.urls[0])
        url = f"{cloud.proxies['a']}{path.path}?{path.query}"
        assert requests.put(url, data=ONE, timeout=PATIENCE).status_code == 201
        assert begun.complete().status_int == 200


# -- errors by name ----------------------------------------------------------------------------------------------------


@pytest.fixture
def wrong(cloud: Cloud, clouds: Clouds, server_tls: ssl.SSLContext, request: pytest.FixtureRequest) -> Iterator[str]:
    """A cloud that cannot work, by its name."""
    name: str = request.param
    right = with_credential(cloud)
    with (
        meddling(cloud.proxies["a"], unchanged, server_tls) as swift,
        meddling(cloud.identity.url.removesuffix("/v3"), unchanged, server_tls) as keystone,
    ):
        account = f"/v1/AUTH_{cloud.identity.ids['app']}"
        clouds(
            region=with_credential(cloud, "nowhere"),
            role=with_credential(cloud, role="member"),
            user=with_password(cloud, "member-only"),
            project=with_password(cloud, "operator", None),
            stranger=with_password(cloud, "stranger"),
            secret={**right, "auth": {**right["auth"], "application_credential_secret": "wrong"}},
            delay=with_credential(cloud, "early"),
            keystone_tls={**right, "auth": {**right["auth"], "auth_url": f"{keystone}/v3"}},
            swift_tls={**right, "object_store_endpoint_override": swift + account},
        )
        yield name


ERRORS = {
    "region": "region_name",
    "role": "operator_roles",
    "user": "operator_roles",
    "project": "project_name",
    "stranger": "role in the project",
    "secret": "refuses the credentials",
    "delay": "delay_auth_decision",
    "keystone_tls": "certificate of the identity service is not trusted",
    "swift_tls": "certificate of Swift is not trusted",
}


@pytest.mark.parametrize(("wrong", "words"), list(ERRORS.items()), indirect=["wrong"], ids=list(ERRORS))
def test_each_cause_is_told_by_name(wrong: str, words: str, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(SwiftStorage(new_container(), cloud=wrong))
    answer = site.request("POST", "/uploads", json={"filename": "a", "size": 1, "type": ""})
    assert_problem(answer, 502, "storage-error")
    assert words in answer.json["detail"]
    assert words in caplog.text
    for command in (("setup",), ("doctor", "--patience", "1")):
        result = run(*command, f"swift://{new_container()}?cloud={wrong}", "--origin", ORIGIN)
        assert result.exit_code == 1, result.output
        assert words in result.output
        assert "at the moment" not in result.output


def test_a_user_of_single_containers_is_told_that_access_lists_do_not_suffice(cloud: Cloud, clouds: Clouds) -> None:
    clouds(operator=with_credential(cloud), user=with_password(cloud, "member-only"))
    container = new_container()
    assert Site(SwiftStorage(container, cloud="operator")).upload(ONE).status_int == 200
    storage = SwiftStorage(container, cloud="operator")
    acl = {"X-Container-Read": "*:*", "X-Container-Write": "*:*"}
    for name in (container, f"{container}_staging", f"{container}_segments"):
        storage._client.request("POST", name, headers=acl, expect=(204, 404))
    answer = Site(SwiftStorage(container, cloud="user")).request(
        "POST", "/uploads", json={"filename": "a", "size": 1, "type": ""}
    )
    assert_problem(answer, 502, "storage-error")
    assert "Access lists of single containers do not suffice" in answer.json["detail"]
