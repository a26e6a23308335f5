"""An eavesdropper who holds temp URLs: out of a log, a proxy, a browser extension."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from helpers.uploads import ONE, SECRET, SEVERAL, BegunUpload, Site, assert_problem, md5
from security.conftest import Account, MakeSite

from direct_upload_middleware.keys import Keys
from direct_upload_middleware.storage import temp_urls

BOTH = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")]


def overwrite(begun: BegunUpload) -> list[int]:
    """What an eavesdropper does who has every temp URL of the upload: other bytes of the same length, everywhere."""
    evil = [b"!" * len(piece) for piece in begun.pieces()]
    return [begun.site.fetch("PUT", begun.urls[index], body).status for index, body in enumerate(evil)]


@pytest.mark.parametrize("data", BOTH)
def test_a_segment_that_was_overwritten_before_complete_is_found_and_sent_again(site: Site, data: bytes) -> None:
    """S4. Notices when sealing does not compare what is stored with what the browser sent."""
    begun = site.begin(data)
    begun.send()
    assert set(overwrite(begun)) == {201}
    problem = begun.complete()
    assert_problem(problem, 409, "segments-differ", indexes=list(range(len(begun.pieces()))))
    begun.sign(problem.json["indexes"])
    begun.send()
    done = begun.complete()
    assert done.status_int == 200
    assert site.download(done.json["download_url"]) == data


@pytest.mark.parametrize("data", BOTH)
def test_a_segment_that_was_overwritten_with_another_length_is_found(site: Site, data: bytes) -> None:
    """S4. Notices when sealing compares ETags but no sizes, or the other way round."""
    begun = site.begin(data)
    begun.send()
    for index, piece in enumerate(begun.pieces()):
        begun.site.fetch("PUT", begun.urls[index], piece + b"more")
    assert_problem(begun.complete(), 409, "segments-differ", indexes=list(range(len(begun.pieces()))))


@pytest.mark.parametrize("data", BOTH)
def test_between_two_completes_nothing_changes(site: Site, data: bytes) -> None:
    """S3. Notices when a repeated complete copies again, or writes the manifest again."""
    begun = site.begin(data)
    begun.send()
    first = begun.complete()
    statuses = overwrite(begun)
    assert set(statuses) <= {201} if len(statuses) == 1 else set(statuses) == {401}
    for declared in (begun.declared, [{"index": i, "etag": md5(b"!" * len(p))} for i, p in enumerate(begun.pieces())]):
        again = begun.complete(declared)
        assert again.status_int == 200
        assert again.json["receipt"] == first.json["receipt"]
        assert site.download(again.json["download_url"]) == data


@pytest.mark.parametrize("data", BOTH)
def test_after_complete_no_temp_url_changes_what_is_downloaded(site: Site, data: bytes) -> None:
    """S3. Notices when the key is not taken from the segment container, or the staged object is the final one."""
    begun = site.begin(data)
    more = begun.sign([0])[0]["url"]
    begun.send()
    url = begun.complete().json["download_url"]
    overwrite(begun)
    site.fetch("PUT", more, b"!" * len(begun.pieces()[0]))
    assert site.download(url) == data


def test_after_abort_temp_urls_of_several_segments_are_revoked(site: Site, account: Account) -> None:
    """S3. Notices when abort deletes without taking the key away first."""
    begun = site.begin(SEVERAL)
    begun.send()
    assert begun.abort().status_int == 204
    assert set(overwrite(begun)) == {401}
    assert account.request("HEAD", f"{site.storage.container}_segments_{begun.id}").status_code == 404


def test_after_abort_what_a_temp_url_of_one_segment_still_writes_is_never_read(site: Site) -> None:
    """S3. Notices when abort leaves no word under the final name."""
    begun = site.begin(ONE)
    begun.send()
    assert begun.abort().status_int == 204
    begun.put(0, ONE)
    for call in ("complete", "sign", "status"):
        assert_problem(site.call(call, begun), 404, "not-found")


@pytest.mark.parametrize("data", BOTH)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "COPY", "OPTIONS"])
def test_a_temp_url_for_put_is_for_put_alone(site: Site, data: bytes, method: str) -> None:
    """The eavesdropper reads nothing and deletes nothing. Notices when another method is signed than the one needed."""
    begun = site.begin(data)
    begun.send()
    answered = site.fetch(method, begun.urls[0], headers={"Destination": f"{site.storage.container}/x"})
    assert answered.status == 401 or (method == "OPTIONS" and not answered.body)
    assert begun.complete().status_int == 200


@pytest.mark.parametrize("data", BOTH)
@pytest.mark.parametrize("place", ["the final object", "another staged object", "another upload's segment"])
def test_a_signature_opens_no_other_object(site: Site, data: bytes, place: str) -> None:
    """Notices when a temp URL is signed for a prefix, or with a key that reaches the final container."""
    begun, victim = site.begin(data), site.begin(SEVERAL)
    container = site.storage.container
    path = {
        "the final object": f"{container}/{begun.id}",
        "another staged object": f"{container}_staging/{victim.id}",
        "another upload's segment": f"{container}_segments_{victim.id}/00000000",
    }[place]
    parts = urlsplit(begun.urls[0])
    account = "/".join(parts.path.split("/")[:3])
    assert site.fetch("PUT", urlunsplit(parts._replace(path=f"{account}/{path}")), b"evil").status == 401


def test_the_key_of_one_large_upload_is_worth_nothing_for_another(site: Site) -> None:
    """The keys of segment containers are derived one by one. Notices when they are all the same."""
    begun, victim = site.begin(SEVERAL), site.begin(SEVERAL)
    own_key = Keys([SECRET]).derive("segments", begun.id)
    parts = urlsplit(victim.urls[0])
    expires = int(dict(parse_qsl(parts.query))["temp_url_expires"])

    def signed(path: str) -> int:
        signature = temp_urls.sign(own_key, "PUT", path, expires)
        query = urlencode({"temp_url_sig": signature, "temp_url_expires": expires})
        return site.fetch("PUT", urlunsplit(parts._replace(path=path, query=query)), b"!" * 10).status

    assert signed(urlsplit(begun.urls[0]).path) == 201, "it is the key"
    assert signed(parts.path) == 401


@pytest.mark.parametrize("change", ["a digit of the signature", "a later end", "an address that was not signed"])
def test_a_temp_url_cannot_be_changed(site: Site, change: str) -> None:
    """Swift's own check, which everything rests on."""
    url = site.begin(ONE).urls[0]
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    match change:
        case "a digit of the signature":
            query["temp_url_sig"] = query["temp_url_sig"][:-1] + ("0" if query["temp_url_sig"][-1] != "0" else "1")
        case "a later end":
            query["temp_url_expires"] = str(int(query["temp_url_expires"]) + 1)
        case _:
            query["temp_url_ip_range"] = "127.0.0.1"
    assert site.fetch("PUT", urlunsplit(parts._replace(query=urlencode(query))), ONE).status == 401


@pytest.mark.parametrize("data", BOTH)
def test_with_bind_ip_a_temp_url_is_worth_nothing_elsewhere(new_site: MakeSite, data: bytes) -> None:
    """Notices when ``bind_ip`` signs without ``temp_url_ip_range``."""
    site = new_site(bind_ip=True)
    assert set(overwrite(site.begin(data))) == {201}
    site.browser.extra_environ["REMOTE_ADDR"] = "10.1.1.1"  # the victim; the eavesdropper asks from loopback
    assert set(overwrite(site.begin(data))) == {401}


def test_a_download_url_reads_one_object_and_writes_nothing(site: Site) -> None:
    """Notices when downloads are signed for more than GET."""
    mine, other = site.upload(ONE).json, site.upload(SEVERAL).json
    for method in ("PUT", "POST", "DELETE"):
        assert site.fetch(method, mine["download_url"], b"evil").status == 401
    parts = urlsplit(mine["download_url"])
    elsewhere = parts._replace(path=parts.path.replace(mine["upload"]["name"], other["upload"]["name"]))
    assert site.fetch("GET", urlunsplit(elsewhere)).status == 401
    assert site.download(mine["download_url"]) == ONE


def test_temp_urls_are_signed_with_sha_256_where_swift_allows_it(site: Site) -> None:
    """Notices when the digest falls back to SHA-1."""
    assert len(dict(parse_qsl(urlsplit(site.begin(ONE).urls[0]).query))["temp_url_sig"]) == 64
    download = site.upload(ONE).json["download_url"]
    assert len(dict(parse_qsl(urlsplit(download).query))["temp_url_sig"]) == 64
