"""Takes defences out of a copy of the package, one by one, and sees to it that tests fail without them.

    make mutations

Each mutation is a line: what is replaced by what, and the test that has to notice.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = "direct_upload_middleware"
AT_ONCE = 2


class Mutation(NamedTuple):
    """``old`` becomes ``new`` in ``module``; ``test``, below ``tests/security``, fails then."""

    module: str
    old: str
    new: str
    test: str


MUTATIONS = [
    Mutation(
        "requester.py",
        "if self.cookie is None or not _same(ticket.binding, _binding(self.cookie, self.identity)):",
        "if self.cookie is None:",
        "test_tickets.py::test_a_stolen_ticket_does_nothing_and_tells_nothing",
    ),
    Mutation(
        "requester.py",
        'return _digest("requester", *_who(cookie, identity))',
        'return _digest("requester", *_who("cookie", identity))',
        "test_tickets.py::test_a_stolen_ticket_does_nothing_and_tells_nothing",
    ),
    Mutation(
        "requester.py",
        '_digest("record owner", *_who(self.cookie, self.identity))',
        '_digest("record owner", *_who(self.cookie, None))',
        "test_tickets.py::test_the_next_user_of_the_browser_is_told_no_key_of_the_last_ones_records",
    ),
    Mutation(
        "tickets.py",
        "if ticket.transfer.id != id:",
        "if False:",
        "test_tickets.py::test_a_ticket_of_ones_own_is_for_no_other_upload",
    ),
    Mutation(
        "tickets.py",
        "if time.time() >= ticket.transfer.expires:",
        "if False:",
        "test_tickets.py::test_an_expired_ticket_is_over",
    ),
    Mutation(
        "tickets.py",
        'self._salt = f"direct-upload {salt}"',
        'self._salt = "direct-upload"',
        "test_receipts.py::test_a_ticket_is_no_receipt_and_a_receipt_is_no_ticket",
    ),
    Mutation(
        "requester.py",
        "mine = owner == self.identity",
        "mine = True",
        "test_receipts.py::test_anothers_receipt_in_a_form_is_not_yours",
    ),
    Mutation(
        "api/routes.py",
        "check_same_site(environ, self._options.origins)",
        "pass",
        "test_cross_site.py::test_no_combination_of_headers_lets_another_origins_page_change_anything",
    ),
    Mutation(
        "storage/swift_staged.py",
        "(staged.size, staged.etag) != (transfer.size, etags[0])",
        "False",
        "test_temp_url_holders.py::test_what_was_overwritten_before_complete_is_found_and_sent_again",
    ),
    Mutation(
        "storage/swift_segments.py",
        "        self._revoke(transfer)\n        found = each",
        "        found = each",
        "test_temp_url_holders.py::test_after_complete_no_temp_url_changes_what_is_downloaded",
    ),
    Mutation(
        "storage/swift_segments.py",
        'return keys.derive("segments", id)',
        'return keys.derive("segments")',
        "test_temp_url_holders.py::test_the_key_of_one_large_upload_is_worth_nothing_for_another",
    ),
    Mutation(
        "storage/swift_staged.py",
        "        self._finals.discard(transfer)\n",
        "",
        "test_temp_url_holders.py::test_after_abort_what_a_temp_url_of_one_segment_still_writes_is_never_read",
    ),
    Mutation(
        "storage/swift_final.py",
        ', "X-Fresh-Metadata": "true"',
        "",
        "test_uploader.py::test_headers_of_the_uploaders_own_do_not_reach_what_stays",
    ),
    Mutation(
        "storage/swift_segments.py",
        "each(lambda s: self._clear(transfer, s.stored.index), [s for s in segments if s.is_marked])",
        "pass",
        "test_uploader.py::test_headers_of_the_uploaders_own_do_not_reach_what_stays",
    ),
    Mutation(
        "storage/swift_final.py",
        '{**headers, "If-None-Match": "*"}',
        "headers",
        "test_uploader.py::test_an_object_that_a_later_upload_gets_the_name_of_stays_as_it_is",
    ),
    Mutation(
        "uploads.py",
        "if self._options.bind_ip",
        "if False",
        "test_temp_url_holders.py::test_with_bind_ip_a_temp_url_is_worth_nothing_elsewhere",
    ),
    Mutation(
        "uploads.py",
        "self._storage.refuse(ticket.transfer)",
        "self._storage.discard(ticket.transfer)",
        "test_refusals.py::test_what_is_refused_at_the_end_is_gone",
    ),
    Mutation(
        "uploads.py",
        "                self._sniff(upload)",
        "                pass",
        "test_sniff.py::test_a_lie_about_the_type_is_refused_and_the_object_gone",
    ),
]


def survives(mutation: Mutation) -> str | None:
    """Why the mutation was not noticed; None when it was."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as directory:
        copy = Path(directory)
        for name in (PACKAGE, "static", "tests"):
            shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(CHECKOUT / "pyproject.toml", copy)
        module = copy / PACKAGE / mutation.module
        text = module.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            return "the line is not there (once) any more: update the mutation"
        module.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        options = ["-q", "-x", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *options, f"tests/security/{mutation.test}"]
        environ = {**os.environ, "PYTHONPATH": directory, "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(command, cwd=copy, env=environ, capture_output=True, text=True, check=False)
    return None if run.returncode == 1 else f"pytest ended with {run.returncode}\n{run.stdout[-2000:]}"


def main() -> None:
    survivors = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for mutation, reason in zip(MUTATIONS, pool.map(survives, MUTATIONS), strict=True):
            print(f"{'SURVIVES' if reason else 'noticed '}  {mutation.module}: {mutation.old.strip()}", flush=True)
            if reason:
                survivors += 1
                print(f"{mutation.test}: {reason}", flush=True)
    sys.exit(survivors != 0)


if __name__ == "__main__":
    main()
