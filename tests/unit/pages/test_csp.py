"""The storage's origin joins a page's Content-Security-Policy, and the policy stays as strict otherwise."""

import pytest

from direct_upload_middleware.pages.csp import allow_origin, find_nonce, has_policy

ORIGIN = "https://swift.example.com"
CSP = "Content-Security-Policy"
REPORT_ONLY = "Content-Security-Policy-Report-Only"


def extend(policy: str, origin: str = ORIGIN) -> str:
    [(_, value)] = allow_origin([(CSP, policy)], origin)
    return value


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("connect-src 'self'", f"connect-src 'self' {ORIGIN}", id="added to connect-src"),
        pytest.param(
            "connect-src 'self'; img-src *; default-src 'none'",
            f"connect-src 'self' {ORIGIN}; img-src *; default-src 'none'",
            id="default-src unchanged",
        ),
        pytest.param(
            "default-src 'self' https://cdn.example.com; img-src *",
            f"default-src 'self' https://cdn.example.com; img-src *; "
            f"connect-src 'self' https://cdn.example.com {ORIGIN}",
            id="copied from default-src",
        ),
        pytest.param("default-src 'none'", f"default-src 'none'; connect-src {ORIGIN}", id="default-src none"),
        pytest.param("connect-src 'none'", f"connect-src {ORIGIN}", id="connect-src none"),
        pytest.param("connect-src 'NONE'", f"connect-src {ORIGIN}", id="none in upper case"),
        pytest.param("connect-src", f"connect-src {ORIGIN}", id="no sources"),
        pytest.param("connect-src;", f"connect-src {ORIGIN};", id="no sources, then a semicolon"),
        pytest.param("default-src", f"default-src; connect-src {ORIGIN}", id="default-src without sources"),
        pytest.param(
            "Default-SRC 'self'; ;", f"Default-SRC 'self'; connect-src 'self' {ORIGIN}", id="empty directives"
        ),
        pytest.param(
            "script-src 'self';  Connect-Src\t'self'  ; img-src *",
            f"script-src 'self';  Connect-Src\t'self' {ORIGIN}  ; img-src *",
            id="case and spaces unchanged",
        ),
        pytest.param(
            "connect-src 'self'; connect-src *",
            f"connect-src 'self' {ORIGIN}; connect-src *",
            id="the first of two directives",
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
            id="two policies in one header",
        ),
        pytest.param("connect-src none", f"connect-src none {ORIGIN}", id="a host named none"),
    ],
)
def test_the_origin_is_added_to_connect_src(policy: str, expected: str) -> None:
    assert extend(policy) == expected


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param("", id="empty"),
        pytest.param("script-src 'self'", id="only scripts"),
        pytest.param("frame-ancestors 'none'; upgrade-insecure-requests", id="no fetch directive"),
        pytest.param("connect-src-elem 'none'; x-default-src 'none'", id="similar directive names"),
        pytest.param("connect-src *; default-src 'none'", id="any source"),
        pytest.param("default-src *", id="any source by default"),
        pytest.param("connect-src https:", id="the scheme"),
        pytest.param("connect-src http:", id="the insecure scheme"),
        pytest.param(f"connect-src 'self' {ORIGIN}", id="the origin"),
        pytest.param(f"connect-src {ORIGIN.upper()}/", id="the origin in upper case, with a slash"),
        pytest.param("connect-src swift.example.com", id="the host"),
        pytest.param("connect-src swift.example.com:443", id="the host with its port"),
        pytest.param("connect-src swift.example.com:*", id="any port"),
        pytest.param("connect-src http://swift.example.com", id="the host with the insecure scheme"),
        pytest.param("connect-src https://*.example.com", id="any host of the domain"),
        pytest.param("connect-src https://*", id="any host"),
    ],
)
def test_a_policy_that_allows_the_upload_is_unchanged(policy: str) -> None:
    assert extend(policy) == policy


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("https://swift.example.com:8080", id="another port"),
        pytest.param("https://swift.example.com/v1/", id="a path"),
        pytest.param("https://*.swift.example.com", id="subdomains of the host"),
        pytest.param("https://*.ample.com", id="a domain with the same ending"),
        pytest.param("wss:", id="another scheme"),
        pytest.param("wss://swift.example.com", id="the host with another scheme"),
        pytest.param("'self'", id="the page's origin"),
        pytest.param("https://example.com", id="the parent domain"),
    ],
)
def test_the_origin_is_added_to_sources_that_do_not_allow_it(source: str) -> None:
    assert extend(f"connect-src {source}") == f"connect-src {source} {ORIGIN}"


@pytest.mark.parametrize(
    ("source", "is_allowed"),
    [
        ("http://swift.example.com:8080", True),
        ("http://swift.example.com:*", True),
        ("http:", True),
        ("*", True),
        ("https:", False),
        ("https://swift.example.com:8080", False),
        ("http://swift.example.com", False),
        pytest.param("swift.example.com:8080", False, id="without a scheme, because the page may use https"),
    ],
)
def test_an_insecure_origin_with_a_port(source: str, is_allowed: bool) -> None:
    origin = "http://swift.example.com:8080"
    policy = f"connect-src {source}"
    assert extend(policy, origin) == (policy if is_allowed else f"{policy} {origin}")


def test_only_headers_with_a_policy_change() -> None:
    headers = [
        ("Content-Type", "text/html"),
        ("content-security-policy", "connect-src 'self'"),
        ("X-Content-Security-Policy", "connect-src 'self'"),
        (REPORT_ONLY, "default-src 'none'"),
        (CSP, "connect-src 'none'"),
    ]
    assert allow_origin(headers, ORIGIN) == [
        ("Content-Type", "text/html"),
        ("content-security-policy", f"connect-src 'self' {ORIGIN}"),
        ("X-Content-Security-Policy", "connect-src 'self'"),
        (REPORT_ONLY, f"default-src 'none'; connect-src {ORIGIN}"),
        (CSP, f"connect-src {ORIGIN}"),
    ]


def test_adding_the_origin_twice_has_no_effect() -> None:
    once = extend("default-src 'self', connect-src 'none'")
    assert extend(once) == once


@pytest.mark.parametrize(
    ("name", "is_policy"),
    [(CSP, True), (REPORT_ONLY.upper(), True), ("Content-Type", False), ("X-Content-Security-Policy", False)],
)
def test_headers_with_a_policy(name: str, is_policy: bool) -> None:
    assert has_policy([("Server", "x"), (name, "default-src 'self'")]) is is_policy


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("script-src 'self' 'nonce-abc123=='", "abc123==", id="script-src"),
        pytest.param("default-src 'nonce-abc'", "abc", id="default-src"),
        pytest.param("script-src 'NONCE-AbC'", "AbC", id="the nonce is case-sensitive, the keyword is not"),
        pytest.param(
            "default-src 'nonce-d'; script-src 'nonce-s'; script-src-elem 'nonce-e'",
            "e",
            id="script-src-elem before script-src",
        ),
        pytest.param("default-src 'nonce-d'; script-src 'nonce-s'", "s", id="script-src before default-src"),
        pytest.param("default-src 'nonce-d'; script-src 'self'", None, id="default-src does not apply"),
        pytest.param("style-src 'nonce-abc'", None, id="style-src"),
        pytest.param("script-src 'nonce-first' 'nonce-second'", "first", id="the first of two nonces"),
        pytest.param("script-src 'nonce-a'; script-src 'nonce-b'", "a", id="the first of two directives"),
        pytest.param("script-src 'nonce-\"><b>'", None, id="invalid characters"),
        pytest.param("script-src nonce-abc 'nonce-'", None, id="no quotes or no value"),
        pytest.param("script-src 'self'", None, id="no nonce"),
        pytest.param(
            "script-src 'nonce-a', script-src 'nonce-b' 'nonce-c', script-src 'nonce-c'",
            "c",
            id="the nonce of most policies",
        ),
    ],
)
def test_nonce_of_a_policy(policy: str, expected: str | None) -> None:
    assert find_nonce([("Content-Type", "text/html"), (CSP, policy)]) == expected


def test_nonce_of_a_report_only_policy() -> None:
    assert find_nonce([(REPORT_ONLY, "script-src 'nonce-abc'")]) == "abc"


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param([(REPORT_ONLY, "script-src 'nonce-r'"), (CSP, "script-src 'nonce-e'")], "e", id="enforced second"),
        pytest.param([(CSP, "script-src 'nonce-e'"), (REPORT_ONLY, "script-src 'nonce-r'")], "e", id="enforced first"),
        pytest.param(
            [(REPORT_ONLY, "script-src 'nonce-r', script-src 'nonce-r'"), (CSP, "default-src 'nonce-e'")],
            "e",
            id="two report-only policies",
        ),
        pytest.param(
            [(REPORT_ONLY, "script-src 'nonce-b'"), (CSP, "script-src 'nonce-a' 'nonce-b'")],
            "b",
            id="a nonce of both kinds",
        ),
        pytest.param(
            [(REPORT_ONLY, "script-src 'nonce-r'"), (CSP, "img-src 'self'")], "r", id="no enforced policy for scripts"
        ),
        pytest.param(
            [(REPORT_ONLY, "script-src 'nonce-r'"), (CSP, "script-src 'self'")], "r", id="enforced without a nonce"
        ),
    ],
)
def test_a_nonce_of_an_enforced_policy_comes_first(policies: list[tuple[str, str]], expected: str) -> None:
    assert find_nonce(policies) == expected


def test_no_nonce_without_a_policy() -> None:
    assert find_nonce([("X-Policy", "script-src 'nonce-abc'")]) is None
