"""What the application refuses, at the begin or when it is complete, leaves nothing in storage."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.uploads import ONE, SEVERAL, BegunUpload, Site, assert_problem
from security.conftest import Account, MakeSite

from direct_upload_middleware import Refused, Upload
from direct_upload_middleware.storage.base import Sealed

BOTH = [pytest.param(ONE, id="one segment"), pytest.param(SEVERAL, id="several segments")]


def refuse(*_: Any) -> None:
    raise Refused("A virus.", status=422)


def accept_if_pdf(environ: Any, upload: Upload) -> None:
    if environ["direct_upload.uploads"].open(upload).read(4) != b"%PDF":
        raise Refused("Not a PDF.", status=422)


@pytest.mark.parametrize("seal", ["revoke", "pin"])
@pytest.mark.parametrize("data", BOTH)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"on_complete": refuse}, id="on_complete"),
        pytest.param({"on_complete": accept_if_pdf}, id="on_complete that reads it"),
        pytest.param({"sniff": True, "accept": [".pdf"]}, id="sniff"),
        pytest.param(
            {"sniff": True, "accept": [".pdf"], "on_complete": lambda *_: None}, id="sniff before on_complete"
        ),
    ],
)
def test_an_upload_refused_at_complete_is_removed(
    new_site: MakeSite, account: Account, options: dict[str, Any], data: bytes, seal: str
) -> None:
    """No staged object, no segment, no final object, no tombstone, no container of its own. Notices when a refusal
    is an abort, which leaves word; or none, which leaves the object.
    """
    site = new_site(seal=seal, **options)
    begun = site.begin(data)
    begun.send()
    sniffed = "sniff" in options
    assert_problem(begun.complete(), *((415, "type-not-accepted") if sniffed else (422, "refused")))
    assert account.everything_of(site) == []


@pytest.mark.parametrize("data", BOTH)
def test_an_upload_refused_at_begin_stores_nothing(new_site: MakeSite, account: Account, data: bytes) -> None:
    """Notices when ``authorize`` is asked after storage was prepared."""
    site = new_site(authorize=refuse)
    answer = site.request("POST", "/uploads", json={"filename": "a", "size": len(data), "type": ""})
    assert_problem(answer, 422, "refused")
    assert "Set-Cookie" not in answer.headers
    assert account.everything_of(site) == []


@pytest.mark.parametrize("data", BOTH)
def test_a_file_that_is_sent_again_after_a_refusal_is_refused_again(
    new_site: MakeSite, account: Account, data: bytes
) -> None:
    """The temp URL of a one-segment upload lives on: what it writes is asked about anew. Notices when a second complete
    finds the first one's yes or no somewhere and does not ask.
    """
    site = new_site(on_complete=refuse)
    begun = site.begin(data)
    begun.send()
    begun.complete()
    for _ in range(2):
        for index, piece in enumerate(begun.pieces()):
            site.fetch("PUT", begun.urls[index], piece)
        assert begun.complete().status_int in (404, 422)
        answer = site.call("status", begun)
        assert "receipt" not in answer.text
    assert account.names(site.storage.container) == []


@pytest.mark.parametrize("options", [{"on_complete": accept_if_pdf}, {"sniff": True, "accept": [".pdf"]}])
def test_a_refusal_cannot_be_slipped_past_by_sending_again(
    new_site: MakeSite, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed, then the process dies before anybody has looked; now the uploader overwrites what is staged, which
    makes it look as if the upload might have been confirmed. Notices when such an upload is not looked at again.
    """
    site = new_site(**options)
    begun = site.begin(b"MZ....")
    begun.send()
    seal = site.storage.seal

    def seal_and_die(*args: Any, **kwargs: Any) -> Sealed:
        seal(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(site.storage, "seal", seal_and_die)
    with pytest.raises(KeyboardInterrupt):
        begun.complete()
    monkeypatch.undo()
    begun.put(0, b"%PDF-1")
    for declared in (begun.declared, declared_of(b"%PDF-1", site)):
        assert begun.complete(declared).status_int in (415, 422)
        assert "receipt" not in begun.status()


def declared_of(data: bytes, site: Site) -> list[dict[str, Any]]:
    return BegunUpload(site, data, site.begin(data).answer).declared


def test_a_refused_file_of_one_segment_can_be_sent_again_and_be_accepted(new_site: MakeSite) -> None:
    """Notices when a refusal is an abort, which is for good."""
    answers = iter([Refused("Not yet."), None])

    def on_complete(*_: Any) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    site = new_site(on_complete=on_complete)
    begun = site.begin(ONE)
    begun.send()
    assert_problem(begun.complete(), 403, "refused")
    begun.put(0, ONE)
    assert site.download(begun.complete().json["download_url"]) == ONE


@pytest.mark.parametrize("data", BOTH)
def test_changing_the_choice_removes_no_complete_upload(new_site: MakeSite, data: bytes) -> None:
    """An application that says no to a repeated complete does not lose what it has on record."""
    answers = iter([None, Refused("Not any more.")])

    def on_complete(*_: Any) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    site = new_site(on_complete=on_complete)
    begun = site.begin(data)
    begun.send()
    done = begun.complete()
    assert_problem(begun.complete(), 403, "refused")
    assert site.download(done.json["download_url"]) == data
