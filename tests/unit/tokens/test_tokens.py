"""Tickets and receipts: signed, spelt in one way only, each good for what it is and nothing else."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from helpers.uploads import spoilt
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from direct_upload_middleware.errors import InvalidReceipt, InvalidTicket, TicketExpired
from direct_upload_middleware.keys import Keys
from direct_upload_middleware.models import Upload
from direct_upload_middleware.storage.base import Transfer
from direct_upload_middleware.tokens.receipts import Receipt, Receipts
from direct_upload_middleware.tokens.signed import Scope
from direct_upload_middleware.tokens.tickets import Ticket, Tickets, check_not_expired

ID = "0123456789abcdef" * 2
TRANSFER = Transfer(ID, "f" * 32, "application/pdf", 23, 10, 3, "pin", 2_000_000_000)
TICKET = Ticket(TRANSFER, "Grüße “1”.pdf", "ann", "b" * 64, None, 1_700_000_000)
UPLOAD = Upload(
    ID, "f" * 32, "uploads", "Grüße.pdf", "text/plain", 23, "e" * 32, "ann", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
)
RECEIPT = Receipt(UPLOAD, None)
SCOPE = Scope("uploads", "/_upload")
KEYS = Keys(["secret"])


def read_ticket(token: Any, keys: Keys = KEYS) -> Ticket:
    return Tickets(keys, SCOPE).read(token, upload_id=ID)


def read_receipt(token: Any, keys: Keys = KEYS) -> Receipt:
    return Receipts(keys, SCOPE).read(token)


KINDS = [
    pytest.param(Tickets(KEYS, SCOPE).issue(TICKET), read_ticket, InvalidTicket, id="ticket"),
    pytest.param(Receipts(KEYS, SCOPE).issue(RECEIPT), read_receipt, InvalidReceipt, id="receipt"),
]
each_kind = pytest.mark.parametrize(("token", "read", "error"), KINDS)


def test_a_ticket_returns_what_was_signed() -> None:
    assert read_ticket(Tickets(KEYS, SCOPE).issue(TICKET)) == TICKET


def test_a_receipt_returns_what_was_signed() -> None:
    assert read_receipt(Receipts(KEYS, SCOPE).issue(RECEIPT)) == RECEIPT


def test_a_receipt_is_always_the_same() -> None:
    assert Receipts(KEYS, SCOPE).issue(RECEIPT) == Receipts(Keys(["older", "secret"]), SCOPE).issue(RECEIPT)


@each_kind
def test_no_character_can_be_changed(token: str, read: Callable[[Any], Any], error: type[Exception]) -> None:
    for changed in spoilt(token):
        with pytest.raises(error):
            read(changed)


@each_kind
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda t: t + "=", id="padding"),
        pytest.param(lambda t: t + "==", id="more padding"),
        pytest.param(lambda t: t + "\n", id="newline"),
        pytest.param(lambda t: " " + t, id="blank in front"),
        pytest.param(lambda t: t + " ", id="blank behind"),
        pytest.param(lambda t: t + ".", id="dot"),
        pytest.param(lambda t: "." + t, id="dot in front"),
        pytest.param(lambda t: t[:-1], id="cut"),
        pytest.param(lambda t: t[1:], id="beheaded"),
        pytest.param(lambda t: t + "A", id="longer"),
        pytest.param(lambda t: t.replace(".", "..", 1), id="doubled dot"),
        pytest.param(lambda t: t.upper(), id="capitals"),
        pytest.param(lambda t: t.rpartition(".")[0], id="no signature"),
        pytest.param(lambda t: t.rpartition(".")[0] + ".", id="empty signature"),
        pytest.param(lambda t: t + "\u0660", id="not ASCII"),
        pytest.param(lambda t: t + "A" * 20000, id="too long"),
        pytest.param(lambda t: "", id="empty"),
        pytest.param(lambda t: None, id="None"),
        pytest.param(lambda t: t.encode(), id="bytes"),
        pytest.param(lambda t: 5, id="number"),
    ],
)
def test_only_the_canonical_spelling_is_accepted(
    token: str, read: Callable[[Any], Any], error: type[Exception], change: Callable[[str], Any]
) -> None:
    with pytest.raises(error):
        read(change(token))


@each_kind
def test_the_last_character_has_one_spelling(token: str, read: Callable[[Any], Any], error: type[Exception]) -> None:
    """Of 43 base64 characters for 32 bytes, the last has two bits that mean nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    signature = token.rpartition(".")[2]
    same = [
        token[:-1] + last
        for last in alphabet
        if base64.urlsafe_b64decode(signature[:-1] + last + "=") == base64.urlsafe_b64decode(signature + "=")
    ]
    assert len(same) == 4
    for other in set(same) - {token}:
        with pytest.raises(error):
            read(other)


@each_kind
def test_another_secret_does_not_read_it(token: str, read: Callable[..., Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read(token, Keys(["another"]))


def test_secrets_are_rotated_by_a_list_whose_last_signs() -> None:
    old = Tickets(Keys(["old"]), SCOPE).issue(TICKET)
    both = Keys(["old", "new"])
    new = Tickets(both, SCOPE).issue(TICKET)
    assert read_ticket(old, both) == read_ticket(new, both) == read_ticket(new, Keys(["new"])) == TICKET
    for keys in (Keys(["new"]), Keys(["other", "new"])):
        with pytest.raises(InvalidTicket):
            read_ticket(old, keys)
    with pytest.raises(InvalidTicket):
        read_ticket(new, Keys(["old"]))


def test_a_receipt_is_no_ticket_and_a_ticket_is_no_receipt() -> None:
    with pytest.raises(InvalidTicket):
        read_ticket(Receipts(KEYS, SCOPE).issue(RECEIPT))
    with pytest.raises(InvalidReceipt):
        read_receipt(Tickets(KEYS, SCOPE).issue(TICKET))


def test_a_ticket_is_for_one_upload() -> None:
    for id in ("f" * 32, "", ID + "0", ID.upper()):
        with pytest.raises(InvalidTicket):
            Tickets(KEYS, SCOPE).read(Tickets(KEYS, SCOPE).issue(TICKET), upload_id=id)


def test_a_token_that_the_application_signs_with_the_same_secret_is_invalid() -> None:
    theirs = URLSafeSerializer("secret").dumps([[ID], 1])
    with pytest.raises(InvalidTicket):
        read_ticket(theirs)
    with pytest.raises(InvalidReceipt):
        read_receipt(theirs)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = b"." + base64.urlsafe_b64encode(zlib.compress(json.dumps("0" * 10**7).encode())).rstrip(b"=")
    with pytest.raises(InvalidTicket):
        read_ticket(bomb.decode()[:10000] + ".c2ln")


@given(st.text())
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(InvalidTicket):
        read_ticket(text)
    with pytest.raises(InvalidReceipt):
        read_receipt(text)


def test_a_ticket_is_fresh_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_999_999_999.9)
    check_not_expired(TICKET)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    with pytest.raises(TicketExpired):
        check_not_expired(TICKET)


def test_a_receipt_may_have_to_be_young(monkeypatch: pytest.MonkeyPatch) -> None:
    token = Receipts(KEYS, SCOPE).issue(RECEIPT)
    monkeypatch.setattr(time, "time", lambda: UPLOAD.completed.timestamp() + 60)
    assert Receipts(KEYS, SCOPE).read(token, max_age=60) == RECEIPT
    with pytest.raises(InvalidReceipt, match="too old"):
        Receipts(KEYS, SCOPE).read(token, max_age=59)


def test_keys_are_apart_by_purpose_and_secret() -> None:
    keys = Keys(["old", "new"])
    assert keys.derive("a") == Keys(["new"]).derive("a") == keys.derive_all("a")[0]
    assert keys.derive_all("a") == [Keys(["new"]).derive("a"), Keys(["old"]).derive("a")]
    derived = [keys.derive(*purpose) for purpose in (("a",), ("b",), ("a", "b"), ("ab",), ("b", "a"))]
    assert len({*derived, *keys.secrets}) == 7


def test_secrets_may_be_asked_for_on_first_use() -> None:
    asked: list[int] = []

    def find() -> list[str]:
        asked.append(1)
        return ["found"]

    keys = Keys(find)
    assert asked == []
    assert keys.derive("a") == Keys(["found"]).derive("a")
    assert (keys.secrets, len(asked)) == (("found",), 1)
