"""What happens to a page's Content-Security-Policy: the storage may be reached, and nothing else is loosened."""

import pytest

from direct_upload_middleware.pages.csp import allow, has_policy, nonce

ORIGIN = "https://swift.example.com"
CSP = "Content-Security-Policy"
REPORT_ONLY = "Content-Security-Policy-Report-Only"


def allowed(policy: str, origin: str = ORIGIN) -> str:
    [(_, value)] = allow([(CSP, policy)], origin)
    return value


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("connect-src 'self'", f"connect-src 'self' {ORIGIN}", id="joins connect-src"),
        pytest.param(
            "connect-src 'self'; img-src *; default-src 'none'",
            f"connect-src 'self' {ORIGIN}; img-src *; default-src 'none'",
            id="in its place, and default-src stays",
        ),
        pytest.param(
            "default-src 'self' https://cdn.example.com; img-src *",
            f"default-src 'self' https://cdn.example.com; img-src *; "
            f"connect-src 'self' https://cdn.example.com {ORIGIN}",
            id="copied from default-src",
        ),
        pytest.param("default-src 'none'", f"default-src 'none'; connect-src {ORIGIN}", id="none of default-src goes"),
        pytest.param("connect-src 'none'", f"connect-src {ORIGIN}", id="none of connect-src goes"),
        pytest.param("connect-src 'NONE'", f"connect-src {ORIGIN}", id="none in capitals"),
        pytest.param("connect-src", f"connect-src {ORIGIN}", id="an empty list is none"),
        pytest.param("connect-src;", f"connect-src {ORIGIN};", id="an empty list before a semicolon"),
        pytest.param("default-src", f"default-src; connect-src {ORIGIN}", id="an empty default-src"),
        pytest.param("Default-SRC 'self'; ;", f"Default-SRC 'self'; connect-src 'self' {ORIGIN}", id="loose ends"),
        pytest.param(
            "script-src 'self';  Connect-Src\t'self'  ; img-src *",
            f"script-src 'self';  Connect-Src\t'self' {ORIGIN}  ; img-src *",
            id="case and spaces stay",
        ),
        pytest.param(
            "connect-src 'self'; connect-src *",
            f"connect-src 'self' {ORIGIN}; connect-src *",
            id="the first one counts",
        ),
        pytest.param(
            "default-src 'nonce-abc' 'strict-dynamic'; object-src 'none'",
            f"default-src 'nonce-abc' 'strict-dynamic'; object-src 'none'; "
            f"connect-src 'nonce-abc' 'strict-dynamic' {ORIGIN}",
            id="strict-dynamic",
        ),
        pytest.param(
            "connect-src 'self', default-src 'self'; img-src *",
            f"connect-src 'self' {ORIGIN}, default-src 'self'; img-src *; connect-src 'self' {ORIGIN}",
            id="every policy in a list",
        ),
        pytest.param("connect-src none", f"connect-src none {ORIGIN}", id="a host that is called none"),
    ],
)
def test_the_origin_joins_connect_src(policy: str, expected: str) -> None:
    assert allowed(policy) == expected


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param("", id="empty"),
        pytest.param("script-src 'self'", id="only scripts"),
        pytest.param("frame-ancestors 'none'; upgrade-insecure-requests", id="only frames"),
        pytest.param("connect-src-elem 'none'; x-default-src 'none'", id="names that only look like it"),
        pytest.param("connect-src *; default-src 'none'", id="everything is allowed"),
        pytest.param("default-src *", id="everything is allowed by default"),
        pytest.param("connect-src https:", id="its scheme"),
        pytest.param("connect-src http:", id="a weaker scheme"),
        pytest.param(f"connect-src 'self' {ORIGIN}", id="the origin"),
        pytest.param(f"connect-src {ORIGIN.upper()}/", id="the origin in capitals, with its slash"),
        pytest.param("connect-src swift.example.com", id="the host"),
        pytest.param("connect-src swift.example.com:443", id="the host with its port"),
        pytest.param("connect-src swift.example.com:*", id="any port"),
        pytest.param("connect-src http://swift.example.com", id="the host by a weaker scheme"),
        pytest.param("connect-src https://*.example.com", id="any host of the domain"),
        pytest.param("connect-src https://*", id="any host"),
    ],
)
def test_a_policy_that_lets_the_upload_pass_stays_as_it_is(policy: str) -> None:
    assert allowed(policy) == policy


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("https://swift.example.com:8080", id="another port"),
        pytest.param("https://swift.example.com/v1/", id="only a path"),
        pytest.param("https://*.swift.example.com", id="only hosts below"),
        pytest.param("https://*.ample.com", id="a domain that ends alike"),
        pytest.param("wss:", id="another scheme"),
        pytest.param("wss://swift.example.com", id="the host by another scheme"),
        pytest.param("'self'", id="the page itself"),
        pytest.param("https://example.com", id="the domain without the host"),
    ],
)
def test_a_source_that_lets_only_something_else_pass_is_not_enough(source: str) -> None:
    assert allowed(f"connect-src {source}") == f"connect-src {source} {ORIGIN}"


@pytest.mark.parametrize(
    ("source", "is_enough"),
    [
        ("http://swift.example.com:8080", True),
        ("http://swift.example.com:*", True),
        ("http:", True),
        ("*", True),
        ("https:", False),
        ("https://swift.example.com:8080", False),
        ("http://swift.example.com", False),
        pytest.param("swift.example.com:8080", False, id="without a scheme it is the page's, which may be https"),
    ],
)
def test_an_origin_without_tls_and_with_a_port(source: str, is_enough: bool) -> None:
    origin = "http://swift.example.com:8080"
    policy = f"connect-src {source}"
    assert allowed(policy, origin) == (policy if is_enough else f"{policy} {origin}")


def test_every_header_with_a_policy_is_changed_and_no_other() -> None:
    headers = [
        ("Content-Type", "text/html"),
        ("content-security-policy", "connect-src 'self'"),
        ("X-Content-Security-Policy", "connect-src 'self'"),
        (REPORT_ONLY, "default-src 'none'"),
        (CSP, "connect-src 'none'"),
    ]
    assert allow(headers, ORIGIN) == [
        ("Content-Type", "text/html"),
        ("content-security-policy", f"connect-src 'self' {ORIGIN}"),
        ("X-Content-Security-Policy", "connect-src 'self'"),
        (REPORT_ONLY, f"default-src 'none'; connect-src {ORIGIN}"),
        (CSP, f"connect-src {ORIGIN}"),
    ]


def test_allowing_twice_changes_nothing_more() -> None:
    once = allowed("default-src 'self', connect-src 'none'")
    assert allowed(once) == once


@pytest.mark.parametrize(
    ("name", "is_policy"),
    [(CSP, True), (REPORT_ONLY.upper(), True), ("Content-Type", False), ("X-Content-Security-Policy", False)],
)
def test_which_headers_are_policies(name: str, is_policy: bool) -> None:
    assert has_policy([("Server", "x"), (name, "default-src 'self'")]) is is_policy


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("script-src 'self' 'nonce-abc123=='", "abc123==", id="of script-src"),
        pytest.param("default-src 'nonce-abc'", "abc", id="of default-src"),
        pytest.param("script-src 'NONCE-AbC'", "AbC", id="a nonce has case, its keyword has none"),
        pytest.param(
            "default-src 'nonce-d'; script-src 'nonce-s'; script-src-elem 'nonce-e'", "e", id="of script-src-elem first"
        ),
        pytest.param("default-src 'nonce-d'; script-src 'nonce-s'", "s", id="of script-src before default-src"),
        pytest.param("default-src 'nonce-d'; script-src 'self'", None, id="not of a default that does not govern"),
        pytest.param("style-src 'nonce-abc'", None, id="not that of styles"),
        pytest.param("script-src 'nonce-first' 'nonce-second'", "first", id="the first of two"),
        pytest.param("script-src 'nonce-a'; script-src 'nonce-b'", "a", id="the first directive counts"),
        pytest.param("script-src 'nonce-\"><b>'", None, id="nothing that could break out of the tag"),
        pytest.param("script-src nonce-abc 'nonce-'", None, id="without quotes or without a value"),
        pytest.param("script-src 'self'", None, id="none"),
        pytest.param(
            "script-src 'nonce-a', script-src 'nonce-b' 'nonce-c', script-src 'nonce-c'", "c", id="of the most"
        ),
    ],
)
def test_the_nonce(policy: str, expected: str | None) -> None:
    assert nonce([("Content-Type", "text/html"), (CSP, policy)]) == expected


def test_the_nonce_of_a_policy_that_only_reports() -> None:
    assert nonce([(REPORT_ONLY, "script-src 'nonce-abc'")]) == "abc"


def test_no_policy_no_nonce() -> None:
    assert nonce([("X-Policy", "script-src 'nonce-abc'")]) is None
