"""Who is asking: the same-site check, and whom a ticket or receipt is for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_upload_middleware.errors import CrossSite, NotAuthenticated, NotYours
from direct_upload_middleware.models import Upload
from direct_upload_middleware.origins import check_same_site, normalize_origin, request_page_origin
from direct_upload_middleware.requester import Requester
from direct_upload_middleware.storage.base import Transfer
from direct_upload_middleware.tokens.receipts import Receipt
from direct_upload_middleware.tokens.tickets import Ticket

OWN = "https://app.example.com"
FRIEND = "https://www.example.com"
FOE = "https://evil.example.net"


def request(origin: str | None = None, site: str | None = None, **environ: Any) -> dict[str, Any]:
    made = {"HTTP_HOST": "app.example.com", "wsgi.url_scheme": "https", "SERVER_NAME": "x", "SERVER_PORT": "8000"}
    given = {"HTTP_ORIGIN": origin, "HTTP_SEC_FETCH_SITE": site}
    return {**made, **{name: value for name, value in given.items() if value is not None}, **environ}


@pytest.mark.parametrize(
    ("origin", "site", "passes"),
    [
        pytest.param(None, None, True, id="no browser"),
        pytest.param(OWN, "same-origin", True, id="our page"),
        pytest.param(None, "same-origin", True, id="our page without Origin"),
        pytest.param(None, "none", True, id="typed by the user"),
        pytest.param(OWN, None, True, id="our page in an old browser"),
        pytest.param("https://app.example.com:443", None, True, id="with the default port"),
        pytest.param("HTTPS://APP.example.com", None, True, id="in capitals"),
        pytest.param("http://app.example.com", None, True, id="a proxy hides the scheme"),
        pytest.param(FRIEND, None, True, id="an allowed origin"),
        pytest.param(FRIEND, "same-site", True, id="an allowed origin of the same site"),
        pytest.param(FRIEND, "cross-site", True, id="an allowed origin of another site"),
        pytest.param(FRIEND + ":8443", "same-site", False, id="another port of an allowed origin"),
        pytest.param("http://www.example.com", None, False, id="another scheme of an allowed origin"),
        pytest.param(FOE, None, False, id="another origin"),
        pytest.param(FOE, "cross-site", False, id="another site"),
        pytest.param("https://blog.example.com", "same-site", False, id="another origin of the same site"),
        pytest.param(None, "cross-site", False, id="another site without Origin"),
        pytest.param(None, "same-site", False, id="the same site without Origin"),
        pytest.param(OWN, "cross-site", False, id="Sec-Fetch-Site decides"),
        pytest.param("null", None, False, id="a sandboxed frame"),
        pytest.param("null", "cross-site", False, id="a sandboxed frame in a new browser"),
        pytest.param("", None, False, id="an empty Origin"),
        pytest.param("garbage", None, False, id="no origin at all"),
        pytest.param(None, "", False, id="an empty Sec-Fetch-Site"),
        pytest.param(None, "Same-Origin", False, id="not a token that browsers send"),
        pytest.param(OWN + ":8443", None, False, id="another port"),
        pytest.param("https://app.example.com.evil.net", None, False, id="our name in front"),
        pytest.param("https://evil.net/app.example.com", None, False, id="our name behind"),
        pytest.param("https://app.example.com@evil.net", None, False, id="our name as a user"),
    ],
)
def test_which_origins_may_change_uploads(origin: str | None, site: str | None, passes: bool) -> None:
    environ = request(origin, site)
    if passes:
        check_same_site(environ, {FRIEND})
    else:
        with pytest.raises(CrossSite):
            check_same_site(environ, {FRIEND})


def test_without_a_host_header_the_servers_name_counts() -> None:
    environ = request("https://x:8000")
    del environ["HTTP_HOST"]
    check_same_site(environ, ())


def test_behind_a_proxy_that_changes_the_host_the_applications_origin_is_listed() -> None:
    environ = request(OWN, HTTP_HOST="10.0.0.1:8000")
    with pytest.raises(CrossSite):
        check_same_site(environ, ())
    check_same_site(environ, {OWN})


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("https://A.Example:8443", "https://a.example:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("null", None),
        ("", None),
        ("https://", None),
        ("https://a.example/", None),
        ("https://a.example:99999", None),
        ("https://a.example:", None),
        ("file://a", None),
        ("https://a.example b", None),
        ("https://a.example\n", None),
        ("//a.example", None),
    ],
)
def test_the_normal_form_of_an_origin(text: str, normal: str | None) -> None:
    assert normalize_origin(text) == normal


@given(st.text(st.characters(max_codepoint=255)))
def test_no_origin_breaks_it(text: str) -> None:
    for candidate in (text, f"https://{text}"):
        normal = normalize_origin(candidate)
        assert normal is None or normalize_origin(normal) == normal
    assert (request_page_origin(request(text, HTTP_HOST=text)) or "http").startswith("http")


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        (request(FRIEND), FRIEND),
        (request(None), OWN),
        (request("null"), OWN),
        (request(None, HTTP_HOST="app.example.com:8443"), OWN + ":8443"),
    ],
)
def test_the_origin_of_the_page_that_asks(environ: dict[str, Any], origin: str) -> None:
    assert request_page_origin(environ) == origin


COOKIE = "a" * 32
ENVIRON = {"HTTP_COOKIE": f"direct_upload={COOKIE}"}
TRANSFER = Transfer("0" * 32, "name", "x/y", 1, 10, 1, "revoke", 2**31)


def requester(identity: str | None, cookie: str | None = COOKIE, anonymous: bool = True) -> Requester:
    environ = {} if cookie is None else {"HTTP_COOKIE": f"direct_upload={cookie}"}
    return Requester(environ, lambda _: identity, anonymous)


def ticket_of(owner: Requester) -> Ticket:
    binding = owner.bind()
    return Ticket(TRANSFER, "f", owner.identity, binding.requester, binding.anonymous_owner, 0)


def receipt_of(owner: Requester) -> Receipt:
    upload = Upload("0" * 32, "n", "c", "f", "x/y", 1, "e", owner.identity, datetime.now(UTC))
    return Receipt(upload, owner.bind().anonymous_owner)


@pytest.mark.parametrize(
    ("owner", "other"),
    [
        pytest.param(("ann", COOKIE), ("bob", COOKIE), id="another identity"),
        pytest.param(("ann", COOKIE), ("ann", "b" * 32), id="another cookie"),
        pytest.param(("ann", COOKIE), ("ann", None), id="no cookie"),
        pytest.param(("ann", COOKIE), (None, COOKIE), id="no identity"),
        pytest.param(("ann", COOKIE), ("Ann", COOKIE), id="another spelling"),
        pytest.param((None, COOKIE), ("ann", COOKIE), id="an identity where there was none"),
        pytest.param((None, COOKIE), (None, "b" * 32), id="another cookie of nobody"),
        pytest.param((None, COOKIE), (None, None), id="nobody"),
        pytest.param(("\udc80", COOKIE), ("\udc81", COOKIE), id="identities that are no text"),
    ],
)
def test_a_ticket_is_for_identity_and_cookie(owner: tuple[str, str], other: tuple[str, str]) -> None:
    ticket = ticket_of(requester(*owner))
    requester(*owner).check_ticket(ticket)
    with pytest.raises(NotYours):
        requester(*other).check_ticket(ticket)


@pytest.mark.parametrize(
    ("owner", "other", "mine"),
    [
        pytest.param(("ann", COOKIE), ("ann", None), True, id="the identity in another browser"),
        pytest.param(("ann", COOKIE), ("bob", COOKIE), False, id="another identity in the same browser"),
        pytest.param(("ann", COOKIE), (None, COOKIE), False, id="nobody in the same browser"),
        pytest.param((None, COOKIE), (None, COOKIE), True, id="nobody's browser"),
        pytest.param((None, COOKIE), ("ann", COOKIE), True, id="nobody, who has logged in since"),
        pytest.param((None, COOKIE), (None, "b" * 32), False, id="another browser of nobody"),
        pytest.param((None, COOKIE), (None, None), False, id="no cookie"),
        pytest.param((None, COOKIE), ("None", None), False, id="an identity by the name of None"),
    ],
)
def test_a_receipt_is_for_its_identity_or_else_its_cookie(
    owner: tuple[str, str], other: tuple[str, str], mine: bool
) -> None:
    receipt = receipt_of(requester(*owner))
    if mine:
        requester(*other).check_receipt(receipt)
    else:
        with pytest.raises(NotYours):
            requester(*other).check_receipt(receipt)


def test_ticket_and_receipt_do_not_give_the_cookie_away() -> None:
    owner = requester(None)
    assert COOKIE not in repr(ticket_of(owner)) + repr(receipt_of(owner))


@pytest.mark.parametrize(
    ("identity", "anonymous", "passes"),
    [(None, False, False), ("", False, False), (None, True, True), ("ann", False, True)],
)
def test_anonymous_requesters_upload_only_where_allowed(identity: str, anonymous: bool, passes: bool) -> None:
    who = requester(identity, anonymous=anonymous)
    if passes:
        who.check_authenticated()
    else:
        with pytest.raises(NotAuthenticated):
            who.check_authenticated()


def test_identity_is_asked_for_once() -> None:
    asked: list[int] = []

    def identify(_: Any) -> str:
        asked.append(1)
        return "ann"

    who = Requester(ENVIRON, identify, anonymous=False)
    assert asked == []
    who.check_authenticated()
    who.bind()
    assert (who.identity, len(asked)) == ("ann", 1)


@pytest.mark.parametrize("identity", [5, b"ann", True, ["ann"], object()])
def test_an_identity_is_a_str(identity: Any) -> None:
    identify: Callable[[Any], Any] = lambda _: identity  # noqa: E731
    with pytest.raises(TypeError, match="identify"):
        Requester(ENVIRON, identify, anonymous=True).check_authenticated()


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"direct_upload={COOKIE}", COOKIE),
        (f"a=b; direct_upload={COOKIE}; c=d", COOKIE),
        (f"a=b;direct_upload={COOKIE}", COOKIE),
        (f"direct_upload={COOKIE}; direct_upload={'b' * 32}", COOKIE),
        (f"direct_upload=spoilt; direct_upload={COOKIE}", COOKIE),
        (f"xdirect_upload={COOKIE}", None),
        (f"direct_upload={COOKIE}x", None),
        (f"direct_upload={COOKIE.upper()}", None),
        ("direct_upload=", None),
        ("", None),
    ],
)
def test_the_cookie_is_found_among_others(header: str, found: str | None) -> None:
    assert Requester({"HTTP_COOKIE": header}, lambda _: None, anonymous=True).cookie == found
