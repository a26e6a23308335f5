"""Pages of the wrapped application get the script tag; all other responses are unchanged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from direct_upload_middleware.pages.injector import PageInjector

SRC = "/_upload/static/direct-upload.js"
TAG = f'<script type="module" src="{SRC}"></script>'.encode()
PAGE = b"<!doctype html><title>Files</title><body><form><input type=file data-direct-upload></form></body></html>"
CHANGED = PAGE.replace(b"</body>", TAG + b"</body>")
PLAIN = PAGE.replace(b"data-direct-upload", b"data-other")
HTML = ("Content-Type", "text/html; charset=utf-8")
POLICY = ("Content-Security-Policy", "default-src 'self'")
ORIGIN = "https://swift.example.com"


def script_tag(nonce: str | None = None) -> str:
    return TAG.decode().replace(" src", f' nonce="{nonce}" src') if nonce else TAG.decode()


def fail_if_called() -> str | None:
    raise AssertionError("the storage was called")


@dataclass
class Answer:
    status: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    written: bytes = b""

    @property
    def body(self) -> bytes:
        return self.written + b"".join(self.pieces)

    def __getitem__(self, name: str) -> str | None:
        return next((value for field, value in self.headers if field.lower() == name.lower()), None)


def make_environ(method: str = "GET", **variables: str) -> dict[str, Any]:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": "", **variables}
    setup_testing_defaults(environ)
    return environ


def injector(app: Any, mode: Any = "auto", connect_src: Callable[[], str | None] = fail_if_called) -> Any:
    pages = PageInjector(app, mode=mode, connect_src=connect_src)

    def wrapped(environ: Any, start_response: Any) -> Iterable[bytes]:
        return pages(environ, start_response, script_tag)

    return wrapped


def get(app: Any, method: str = "GET", **options: Any) -> Answer:
    """Return what a server receives from the injected app, with wsgiref's validator on both sides.

    The validator hides the type of the body. The injector treats every body as a stream unless its first piece has
    exactly Content-Length bytes.
    """
    return get_without_inner_validator(validator(app), method, **options)


def get_without_inner_validator(app: Any, method: str = "GET", **options: Any) -> Answer:
    environ = make_environ(method)
    answer = Answer()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info and (answer.body or not answer.status):
            raise exc_info[1]
        answer.status, answer.headers = status, headers
        return lambda data: setattr(answer, "written", answer.written + data)

    body = validator(injector(app, **options))(environ, start_response)
    try:
        answer.pieces.extend(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return answer


def answering(body: Iterable[bytes], *headers: tuple[str, str], status: str = "200 OK") -> Any:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(status, list(headers) or [HTML])
        return body

    return app


def streaming(*pieces: bytes, headers: Iterable[tuple[str, str]] = (HTML,), status: str = "200 OK") -> Any:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response(status, list(headers))
        yield from pieces

    return app


# Which responses are pages

_OTHER_CHARSETS = [
    *("utf-16", "utf-16le", "utf-32", "utf-7", "iso-2022-jp", "iso-2022-kr", "hz", "cp037"),
    *("rot13", "base64", "no-such-charset", "\x00"),
]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "Text/HTML",
        "text/html ; charset=UTF-8",
        'text/html;charset="iso-8859-1"',
        "text/html; charset=Shift_JIS",
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "201 Created", "302 Found", "404 Not Found", "500 Oh"])
def test_an_html_page_of_any_status_gets_the_tag(content_type: str, status: str) -> None:
    answer = get(answering([PAGE], ("Content-Type", content_type), status=status))
    assert answer == Answer(status, [("Content-Type", content_type)], [CHANGED])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param([("Content-Type", "application/json")], "200 OK", id="JSON"),
        pytest.param([("Content-Type", "text/plain")], "200 OK", id="text"),
        pytest.param([("Content-Type", "text/html5")], "200 OK", id="a longer type"),
        pytest.param([("Content-Type", "application/xhtml+xml")], "200 OK", id="XHTML"),
        pytest.param([("X-Type", "text/html")], "200 OK", id="no content type"),
        pytest.param([HTML, ("Content-Type", "text/plain")], "200 OK", id="two content types"),
        pytest.param([HTML, ("Content-Disposition", "attachment")], "200 OK", id="an attachment"),
        pytest.param(
            [HTML, ("content-disposition", ' Attachment; filename="a"')], "200 OK", id="an attachment with a filename"
        ),
        pytest.param([HTML, ("Content-Range", "bytes 0-9/10")], "206 Partial Content", id="one range"),
        pytest.param([HTML], "206 Partial Content", id="several ranges"),
        pytest.param([HTML], "103 Early Hints", id="an interim response"),
        pytest.param([HTML, ("Content-Range", "bytes */10")], "416 Range Not Satisfiable", id="an unsatisfiable range"),
        pytest.param([HTML, ("Transfer-Encoding", "chunked")], "200 OK", id="with a transfer coding"),
    ],
)
@pytest.mark.parametrize("mode", ["auto", True])
def test_a_response_that_is_not_a_plain_html_page_is_unchanged(
    headers: list[tuple[str, str]], status: str, mode: Any
) -> None:
    body = iter([PAGE])
    seen = Answer()

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        seen.status, seen.headers = status, headers

    app = injector(answering(body, *headers, status=status), mode)
    assert app({"REQUEST_METHOD": "GET"}, start_response) is body
    assert seen == Answer(status, headers)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([HTML, ("Content-Encoding", "gzip")], id="encoded"),
        pytest.param([HTML, ("content-encoding", "identity, BR")], id="encoded, second in a list"),
        *[pytest.param([("Content-Type", f"text/html; charset={charset}")], id=charset) for charset in _OTHER_CHARSETS],
    ],
)
@pytest.mark.parametrize("mode", ["auto", True])
def test_an_encoded_page_is_unchanged(headers: list[tuple[str, str]], mode: Any) -> None:
    started: list[Any] = []
    app = injector(streaming(PAGE[:9], PAGE[9:], headers=headers), mode)
    assert list(app({"REQUEST_METHOD": "GET"}, lambda *head: started.append(head))) == [PAGE[:9], PAGE[9:]]
    assert started == [("200 OK", headers)]
    body = [PAGE]
    assert injector(answering(body, *headers), mode)({"REQUEST_METHOD": "GET"}, lambda *_: None) is body


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_response_without_a_body_stays_without(status: str) -> None:
    headers = [("Last-Modified", "Sat, 28 Nov 2026 00:00:00 GMT")]
    assert get(answering([], *headers, status=status), mode=True) == Answer(status, headers, [])
    body: list[bytes] = []
    assert injector(answering(body, HTML, status=status), True)({"REQUEST_METHOD": "GET"}, lambda *_: None) is body


@pytest.mark.parametrize(
    "header",
    [("Content-Encoding", "identity"), ("Content-Encoding", ""), ("Content-Disposition", "inline; filename=a.html")],
)
def test_headers_that_do_not_encode_the_body_are_ignored(header: tuple[str, str]) -> None:
    assert get(answering([PAGE], HTML, header)).body == CHANGED


def test_the_file_wrapper_of_another_response_is_returned_unchanged(tmp_path: Any) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"<direct-upload>")
    with path.open("rb") as file:
        wrapper = FileWrapper(file)
        app = injector(answering(wrapper, ("Content-Type", "image/png")))
        assert app({"REQUEST_METHOD": "GET"}, lambda *_: None) is wrapper


# Whole pages


def whole_bodies() -> list[Any]:
    def headers(page: bytes, more: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        return [HTML, ("Content-Length", str(len(page))), *more]

    return [
        pytest.param(lambda page, *more: answering([page], *headers(page, more)), id="a list"),
        pytest.param(lambda page, *more: answering([page[:9], page[9:]], *headers(page, more)), id="a list of two"),
        pytest.param(lambda page, *more: answering((page,), *headers(page, more)), id="a tuple"),
        pytest.param(
            lambda page, *more: streaming(page, headers=headers(page, more)), id="one piece of Content-Length bytes"
        ),
        pytest.param(
            lambda page, *more: answering(OneItem(page), *headers(page, more)), id="an iterable with one item"
        ),
    ]


class OneItem:
    def __init__(self, item: bytes) -> None:
        self.items = [item]

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.items)


@pytest.mark.parametrize("make", whole_bodies())
def test_a_complete_page_with_a_marker_gets_the_tag_and_a_new_length(make: Any) -> None:
    answer = get_without_inner_validator(make(PAGE))
    assert answer.headers == [HTML, ("Content-Length", str(len(CHANGED)))]
    assert answer.body == CHANGED


@pytest.mark.parametrize("make", whole_bodies())
def test_a_complete_page_without_a_marker_is_unchanged(make: Any) -> None:
    page = PAGE.replace(b"data-direct-upload", b"'data-direct-upload'")
    answer = get_without_inner_validator(
        make(page, ("ETag", '"abc"'), ("content-md5", "x"), ("Accept-Ranges", "bytes"), POLICY)
    )
    assert answer.headers[2:] == [("ETag", '"abc"'), ("content-md5", "x"), ("Accept-Ranges", "bytes"), POLICY]
    assert answer.headers[:2] == [HTML, ("Content-Length", str(len(page)))]
    assert answer.body == page


def test_a_single_item_is_a_complete_page() -> None:
    headers = [HTML, ("ETag", '"abc"'), POLICY]
    assert get_without_inner_validator(answering(OneItem(b"<p>x"), *headers)) == Answer("200 OK", headers, [b"<p>x"])


def test_the_list_of_an_unchanged_page_is_returned_itself() -> None:
    body = [PLAIN]
    assert injector(answering(body))({"REQUEST_METHOD": "GET"}, lambda *_: None) is body


def test_every_page_gets_the_tag_with_inject_true() -> None:
    assert get(answering([PLAIN]), mode=True).body == PLAIN.replace(b"</body>", TAG + b"</body>")


@pytest.mark.parametrize("body", [[], [b""], ()])
@pytest.mark.parametrize("mode", ["auto", True])
def test_an_empty_page_stays_empty(body: Any, mode: Any) -> None:
    headers = [HTML, ("Content-Length", "0"), ("ETag", '"abc"')]
    for app in (answering(body, *headers), streaming(*body, headers=headers)):
        answer = get(app, mode=mode)
        assert (answer.headers, answer.body) == (headers, b"")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(("ETag", '"abc"'), ("ETag", 'W/"abc"'), id="a strong ETag becomes weak"),
        pytest.param(("etag", 'W/"abc"'), ("etag", 'W/"abc"'), id="a weak ETag"),
        pytest.param(("Content-MD5", "x"), None, id="Content-MD5"),
        pytest.param(("Digest", "x"), None, id="Digest"),
        pytest.param(("content-digest", "x"), None, id="Content-Digest"),
        pytest.param(("Repr-Digest", "x"), None, id="Repr-Digest"),
        pytest.param(("Accept-Ranges", "bytes"), None, id="Accept-Ranges"),
        pytest.param(("Last-Modified", "x"), ("Last-Modified", "x"), id="Last-Modified"),
        pytest.param(("Set-Cookie", "a=b"), ("Set-Cookie", "a=b"), id="a cookie"),
    ],
)
def test_headers_of_a_changed_page(before: tuple[str, str], after: tuple[str, str] | None) -> None:
    kept = [after] if after else []
    assert get(answering([PAGE], ("X-A", "1"), before, HTML)).headers == [("X-A", "1"), *kept, HTML]
    assert get(streaming(PAGE, headers=[("X-A", "1"), before, HTML])).headers == [("X-A", "1"), *kept, HTML]


def test_a_conditional_request_with_the_weak_etag_is_answered_304() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ.get("HTTP_IF_NONE_MATCH", "").removeprefix("W/") == '"abc"':
            start_response("304 Not Modified", [("ETag", '"abc"')])
            return []
        start_response("200 OK", [HTML, ("ETag", '"abc"')])
        return [PAGE]

    etag = get(app)["ETag"]
    assert etag is not None
    environ = make_environ(HTTP_IF_NONE_MATCH=etag)
    statuses: list[str] = []
    assert list(injector(app)(environ, lambda status, headers: statuses.append(status))) == []
    assert statuses == ["304 Not Modified"]


# Content-Security-Policy


@pytest.mark.parametrize("make", [answering, lambda body, *headers: streaming(*body, headers=headers)])
def test_the_policy_allows_the_storage(make: Any) -> None:
    policies = [
        ("Content-Security-Policy", "default-src 'self'; script-src 'nonce-abc' 'strict-dynamic'"),
        ("content-security-policy-report-only", "connect-src 'none'"),
    ]
    answer = get(make([PAGE], HTML, *policies), connect_src=lambda: ORIGIN)
    assert answer.body == PAGE.replace(b"</body>", script_tag("abc").encode() + b"</body>")
    assert answer.headers == [
        HTML,
        (policies[0][0], f"{policies[0][1]}; connect-src 'self' {ORIGIN}"),
        (policies[1][0], f"connect-src {ORIGIN}"),
    ]


def test_a_storage_of_the_same_origin_is_not_added() -> None:
    headers = [HTML, ("Content-Security-Policy", "connect-src 'none'")]
    assert get(answering([PAGE], *headers), connect_src=lambda: None).headers == headers


# The application's own script tag


def with_own_tag(page: bytes) -> bytes:
    return page.replace(b"<title>", TAG + b"<title>")


@pytest.mark.parametrize("page", [with_own_tag(PAGE), with_own_tag(PLAIN), PAGE.replace(b"</body>", TAG + b"</body>")])
@pytest.mark.parametrize("mode", ["auto", True])
@pytest.mark.parametrize("is_streaming", [False, True])
def test_the_policy_of_a_page_with_its_own_tag_allows_the_storage(page: bytes, mode: Any, is_streaming: bool) -> None:
    headers = [HTML, ("Content-Security-Policy", "script-src 'self', default-src 'none'"), ("Content-MD5", "x")]
    app = streaming(page, b"<!-- -->", headers=headers) if is_streaming else answering([page], *headers)
    answer = get(app, mode=mode, connect_src=lambda: ORIGIN)
    assert answer.body == page + b"<!-- -->" * is_streaming
    policy = f"script-src 'self', default-src 'none'; connect-src {ORIGIN}"
    assert answer["Content-Security-Policy"] == policy
    if not is_streaming or page == with_own_tag(page):
        assert answer["Content-MD5"] == "x"


@pytest.mark.parametrize("policy", ["script-src 'self'", f"default-src 'none'; connect-src {ORIGIN}", "connect-src *"])
def test_a_page_with_its_own_tag_is_unchanged_if_its_policy_allows_the_storage(policy: str) -> None:
    headers = [HTML, ("ETag", '"abc"'), ("Content-Security-Policy", policy), ("Accept-Ranges", "bytes")]
    page = with_own_tag(PAGE)
    assert get(answering([page], *headers), connect_src=lambda: ORIGIN) == Answer("200 OK", headers, [page])
    assert get(streaming(page, headers=headers), connect_src=lambda: ORIGIN) == Answer("200 OK", headers, [page])


def test_the_storage_is_called_only_for_a_changed_page_with_a_policy() -> None:
    assert get_without_inner_validator(answering([PLAIN], HTML, POLICY)).headers == [HTML, POLICY]
    assert get(answering([PAGE], ("Content-Type", "text/plain"), POLICY)).body == PAGE
    assert get(answering([PAGE])).body == CHANGED


# Pages that stream


def test_each_piece_is_returned_when_it_is_read() -> None:
    taken = []

    def pieces() -> Iterator[bytes]:
        for at in range(len(PAGE)):
            taken.append(at)
            yield PAGE[at : at + 1]

    body = iter(injector(answering(pieces()))({"REQUEST_METHOD": "GET"}, lambda *_: None))
    assert taken == []
    given = []
    for count in range(1, len(PAGE) + 1):
        given.append(next(body))
        assert len(taken) == count
    assert b"".join([*given, *body]) == CHANGED


def test_a_streaming_page_loses_its_length() -> None:
    headers = [HTML, ("Content-Length", str(len(PAGE))), ("ETag", '"abc"')]
    answer = get(streaming(PAGE[:50], PAGE[50:], headers=headers))
    assert answer.headers == [HTML, ("ETag", 'W/"abc"')]
    assert answer.body == CHANGED


STRONG = [HTML, ("ETag", '"abc"'), ("Last-Modified", "Sat, 28 Nov 2026 00:00:00 GMT"), POLICY]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(PLAIN + b"\n", id="a page that has ended"),
        pytest.param(b"<frameset>", id="a page that cannot be parsed"),
    ],
)
def test_headers_are_unchanged_if_the_first_piece_shows_that_nothing_will_change(first: bytes) -> None:
    assert get(streaming(first, b"<!-- x -->", headers=STRONG)) == Answer("200 OK", STRONG, [first, b"<!-- x -->"])


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(b"<body>", id="an open page"),
        pytest.param(b"<script>'</html>", id="an open script"),
        pytest.param(b"<template></html>", id="an open template"),
        pytest.param(b"<direct-upload></html>", id="a page with the marker"),
    ],
)
def test_headers_are_changed_if_the_page_may_still_change(first: bytes) -> None:
    answer = get(streaming(first, headers=STRONG), connect_src=lambda: ORIGIN)
    assert answer["ETag"] == 'W/"abc"'
    assert ORIGIN in (answer["Content-Security-Policy"] or "")


def test_a_marker_after_the_end_of_the_page_gets_the_tag() -> None:
    assert get(streaming(PLAIN, b"<direct-upload>")).pieces == [PLAIN, b"<direct-upload>", TAG]


def test_a_first_piece_shorter_than_the_length_is_not_the_whole_page() -> None:
    answer = get(streaming(PLAIN, b"<direct-upload>", headers=[HTML, ("Content-Length", str(len(PLAIN) + 15))]))
    assert (answer["Content-Length"], answer.pieces) == (None, [PLAIN, b"<direct-upload>", TAG])


def test_the_body_of_a_streaming_page_without_a_marker_is_unchanged() -> None:
    assert get(streaming(PLAIN[:50], PLAIN[50:])).pieces == [PLAIN[:50], PLAIN[50:]]


def test_a_tag_at_the_end_follows_the_last_piece() -> None:
    assert get(streaming(b"<direct-upload>", b"<")).pieces == [b"<direct-upload>", b"", b"<"]
    assert get(streaming(b"<direct-upload>", b"x")).pieces == [b"<direct-upload>", b"x", TAG]


def test_nothing_is_delayed_after_the_tag() -> None:
    assert get(streaming(PAGE, b"<", b"</body")).pieces == [CHANGED, b"<", b"</body"]


def test_a_streaming_file(tmp_path: Any) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"<p>text</p>" * 2000 + PAGE)
    with path.open("rb") as file:
        assert get(answering(FileWrapper(file))).body == b"<p>text</p>" * 2000 + CHANGED
    assert file.closed


# The rules of WSGI


def writing(*pieces: bytes, headers: Iterable[tuple[str, str]] = (HTML,), body: Iterable[bytes] = ()) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", list(headers))
        for piece in pieces:
            write(piece)
        return list(body)

    return app


@pytest.mark.parametrize("at", [0, 1, 40, len(PAGE) - 10, len(PAGE)])
def test_an_application_that_writes(at: int) -> None:
    assert get(writing(PAGE[:at], PAGE[at:])).body == CHANGED
    assert get(writing(PAGE[:at], body=[PAGE[at:]])).body == CHANGED
    assert get(writing(b"<direct-upload>")).body == b"<direct-upload>" + TAG


def test_an_application_that_writes_a_complete_page() -> None:
    answer = get(writing(PAGE, headers=[HTML, ("Content-Length", str(len(PAGE)))]))
    assert answer == Answer("200 OK", [HTML, ("Content-Length", str(len(CHANGED)))], [], CHANGED)


def test_an_application_that_writes_another_type() -> None:
    assert get(writing(PAGE, headers=[("Content-Type", "text/plain")])).written == PAGE


class Closing:
    """A body that counts how often it is closed, and may fail at its end."""

    def __init__(self, *pieces: bytes, fails: bool = False) -> None:
        self.pieces, self.fails, self.closed = pieces, fails, 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.fails:
            raise OSError("application error")

    def close(self) -> None:
        self.closed += 1


class ClosingList(list[bytes]):
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("content_type", ["text/html", "text/plain"])
@pytest.mark.parametrize("body", [Closing(PAGE), Closing(PAGE[:9], PAGE[9:]), Closing(), ClosingList([PAGE])])
def test_the_body_is_closed_once(body: Any, content_type: str) -> None:
    body.closed = 0
    get(answering(body, ("Content-Type", content_type)))
    assert body.closed == 1


@pytest.mark.parametrize("pieces", [(), (b"<p>",), (PAGE, b"x")])
def test_an_error_while_streaming_reaches_the_server_and_the_body_is_closed(pieces: tuple[bytes, ...]) -> None:
    body = Closing(*pieces, fails=True)
    with pytest.raises(OSError, match="application error"):
        get(answering(body))
    assert body.closed == 1


def test_a_body_that_is_never_read_is_closed() -> None:
    body = Closing(PAGE)
    injector(answering(body))({"REQUEST_METHOD": "GET"}, lambda *_: None).close()
    assert body.closed == 1


def test_an_error_before_the_first_piece_starts_no_response() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [HTML])
        raise OSError("application error")

    started: list[str] = []
    with pytest.raises(OSError, match="application error"):
        injector(app)({"REQUEST_METHOD": "GET"}, lambda status, headers: started.append(status))
    assert started == []


def failing_then(
    headers: list[tuple[str, str]], *first: bytes, first_headers: tuple[tuple[str, str], ...] = (HTML,)
) -> Any:
    """Return an application that starts one response, fails, and starts another one."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", list(first_headers))
        yield from first
        try:
            raise OSError("application error")
        except OSError:
            start_response("500 Oh", headers, sys.exc_info())
        yield PAGE

    return app


def test_an_error_page_that_replaces_a_page_gets_the_tag() -> None:
    answer = get(failing_then([HTML, ("X-A", "1"), ("Content-Length", str(len(PAGE)))]))
    assert answer.status == "500 Oh"
    assert answer.headers == [HTML, ("X-A", "1"), ("Content-Length", str(len(CHANGED)))]
    assert answer.body == CHANGED


def test_another_type_that_replaces_a_page_is_unchanged() -> None:
    answer = get(failing_then([("Content-Type", "text/plain")]))
    assert answer == Answer("500 Oh", [("Content-Type", "text/plain")], [PAGE])


def test_an_error_after_the_first_bytes_reaches_the_server() -> None:
    with pytest.raises(OSError, match="application error"):
        get(failing_then([HTML], b"<p>"))


def test_a_response_can_be_replaced_until_the_server_sends_bytes() -> None:
    answer = get(failing_then([HTML], b""))
    assert (answer.status, answer.headers, answer.body) == ("500 Oh", [HTML], PAGE)


def test_a_page_that_replaces_another_type_is_unchanged() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])

        def pieces() -> Iterator[bytes]:
            try:
                raise OSError
            except OSError:
                start_response("500 Oh", [HTML], sys.exc_info())
            yield PAGE

        return pieces()

    assert get(app) == Answer("500 Oh", [HTML], [PAGE])


def test_start_response_twice_is_an_error() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [HTML])
        start_response("200 OK", [HTML])
        return [PAGE]

    with pytest.raises(AssertionError, match="second time"):
        injector(app)({"REQUEST_METHOD": "GET"}, lambda *_: None)


def test_exc_info_may_be_a_keyword_argument() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [HTML])
        start_response("500 Oh", [HTML], exc_info=(None, None, None))
        return [PAGE]

    assert injector(app)({"REQUEST_METHOD": "GET"}, lambda *_: None) == [CHANGED]


def test_the_environ_is_not_changed() -> None:
    environ = make_environ()
    before = dict(environ)
    list(injector(answering([PAGE]))(environ, lambda *_: None))
    assert environ == before


# Nested middlewares


@pytest.mark.parametrize("mode", ["auto", True])
@pytest.mark.parametrize("app", [answering([PAGE]), streaming(*[PAGE[at : at + 1] for at in range(len(PAGE))])])
def test_nested_middlewares_add_one_tag(app: Any, mode: Any) -> None:
    assert get(injector(validator(app), mode), mode=mode).body == CHANGED
