"""Take defences out of a copy of the package, one by one, and see to it that tests fail without them.

    make mutations
    make mutations MUTATIONS="storage/swift uploads.py"   those in these modules

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
        "if not any(_is_same(ticket.binding, _binding(cookie, self.identity)) for cookie in cookies):",
        "if not cookies:",
        "test_tickets.py::test_a_stolen_ticket_does_nothing_and_reveals_nothing",
    ),
    Mutation(
        "requester.py",
        'return _digest("requester", *_cookie_and_identity(cookie, identity))',
        'return _digest("requester", *_cookie_and_identity("cookie", identity))',
        "test_tickets.py::test_a_stolen_ticket_does_nothing_and_reveals_nothing",
    ),
    Mutation(
        "requester.py",
        "_digest(purpose, *_cookie_and_identity(cookie, self.identity))",
        "_digest(purpose, *_cookie_and_identity(cookie, None))",
        "test_tickets.py::test_the_next_user_of_the_browser_gets_another_record_owner",
    ),
    Mutation(
        "tokens/tickets.py",
        "if ticket.transfer.id != upload_id:",
        "if False:",
        "test_tickets.py::test_a_ticket_is_invalid_for_another_upload_of_its_owner",
    ),
    Mutation(
        "tokens/tickets.py",
        "if time.time() >= ticket.transfer.expires:",
        "if False:",
        "test_tickets.py::test_an_expired_ticket_is_refused",
    ),
    Mutation(
        "tokens/signed.py",
        'json.dumps(["direct-upload", kind, scope.container, scope.mount])',
        'json.dumps(["direct-upload", scope.container, scope.mount])',
        "test_receipts.py::test_a_ticket_is_no_receipt_and_a_receipt_is_no_ticket",
    ),
    Mutation(
        "requester.py",
        "is_mine = owner == self.identity",
        "is_mine = True",
        "test_receipts.py::test_anothers_receipt_in_a_form_is_not_yours",
    ),
    Mutation(
        "api/routes.py",
        "check_same_site(environ, self._options.origins)",
        "pass",
        "test_cross_site.py::test_no_combination_of_headers_lets_another_origins_page_change_anything",
    ),
    Mutation(
        "storage/swift/single.py",
        "(self.size, self.etag) == (size, etag)",
        "True",
        "test_temp_url_holders.py::test_a_segment_that_was_overwritten_before_complete_is_found_and_sent_again",
    ),
    Mutation(
        "storage/swift/segmented.py",
        "        self._revoke(transfer)\n        found = map_concurrently",
        "        found = each",
        "test_temp_url_holders.py::test_after_complete_no_temp_url_changes_what_is_downloaded",
    ),
    Mutation(
        "storage/swift/segment_containers.py",
        'return keys.derive("segments", id)',
        'return keys.derive("segments")',
        "test_temp_url_holders.py::test_the_key_of_one_large_upload_is_worth_nothing_for_another",
    ),
    Mutation(
        "storage/swift/single.py",
        "self._tombstones.check(transfer.id)  # last: an abort may have begun after the first look",
        "pass",
        "test_temp_url_holders.py::test_after_abort_what_a_temp_url_of_one_segment_still_writes_is_never_read",
    ),
    Mutation(
        "storage/swift/final_objects.py",
        ', "X-Fresh-Metadata": "true"',
        "",
        "test_uploader.py::test_headers_that_the_uploader_adds_do_not_reach_the_stored_objects",
    ),
    Mutation(
        "storage/swift/segmented.py",
        "lambda s: self.containers.clear(transfer, s.stored.index), [s for s in segments if s.is_marked]",
        "lambda s: None, []",
        "test_uploader.py::test_headers_that_the_uploader_adds_do_not_reach_the_stored_objects",
    ),
    Mutation(
        "storage/swift/final_objects.py",
        'headers = {**metadata.headers(), "If-None-Match": "*"}',
        "headers = mark.headers()",
        "test_uploader.py::test_an_object_that_a_later_upload_gets_the_name_of_stays_as_it_is",
    ),
    Mutation(
        "uploads.py",
        "if self._options.bind_ip",
        "if False",
        "test_temp_url_holders.py::test_with_bind_ip_a_temp_url_is_worth_nothing_elsewhere",
    ),
    Mutation(
        "operations/completion.py",
        "self._storage.refuse(ticket.transfer)",
        "self._storage.abort(ticket.transfer)",
        "test_refusals.py::test_a_refused_file_of_one_segment_can_be_sent_again_and_be_accepted",
    ),
    Mutation(
        "operations/completion.py",
        "            self._sniff(ticket, sealed)",
        "            pass",
        "test_sniff.py::test_a_false_type_is_refused_and_the_object_is_deleted",
    ),
    Mutation(
        "requester.py",
        "if self.identity is None and not self._anonymous:",
        "if False:",
        "test_tickets.py::test_a_stolen_ticket_does_nothing_and_reveals_nothing",
    ),
    Mutation(
        "requester.py",
        "is_mine = self.cookie is not None and _is_same(receipt.anonymous_owner, _anonymous_owner(self.cookie))",
        "is_mine = True",
        "test_receipts.py::test_an_anonymous_receipt_is_for_its_browser",
    ),
    Mutation(
        "requester.py",
        '"HttpOnly", ',
        "",
        "test_cross_site.py::test_the_cookie_does_not_go_along_from_another_site",
    ),
    Mutation(
        "requester.py",
        "SameSite=Strict",
        "SameSite=Lax",
        "test_cross_site.py::test_the_cookie_does_not_go_along_from_another_site",
    ),
    Mutation(
        "tokens/signed.py",
        "if base64_encode(base64_decode(signature)) != signature:",
        "if False:",
        "test_receipts.py::test_no_character_of_a_receipt_can_be_changed",
    ),
    Mutation(
        "tokens/signed.py",
        "secrets = list(self._keys.secrets)",
        'secrets = ["a secret"]',
        "test_receipts.py::test_a_receipt_of_another_secret_is_invalid",
    ),
    Mutation(
        "uploads.py",
        "ttl=max(1, min(self._options.url_ttl, left)),",
        "ttl=self._options.url_ttl,",
        "test_tickets.py::test_an_expired_ticket_is_refused",
    ),
    Mutation(
        "uploads.py",
        "            return secrets.token_hex(16)",
        "            return request.filename",
        "test_uploader.py::test_the_uploader_has_no_say_in_names",
    ),
    Mutation(
        "uploads.py",
        "            call_application(self._options.authorize, environ, request)",
        "            pass",
        "test_refusals.py::test_an_upload_refused_at_begin_stores_nothing",
    ),
    Mutation(
        "operations/completion.py",
        "        if on_complete is None:\n",
        "        if on_complete is None or sealed.complete:\n",
        "test_refusals.py::test_a_refusal_cannot_be_slipped_past_by_sending_again",
    ),
    Mutation(
        "operations/completion.py",
        "        if not sealed.complete:\n            self._storage.refuse(ticket.transfer)",
        "        self._storage.delete(stored_object(self._upload(ticket, sealed)))",
        "test_refusals.py::test_changing_the_choice_removes_no_complete_upload",
    ),
    Mutation(
        "uploads.py",
        'log.info("upload begun", ',
        'log.info("upload begun " + ticket.filename, ',
        "test_filenames.py::test_an_odd_filename_harms_no_log",
    ),
    Mutation(
        "uploads.py",
        "until=int(time.time()) + self._options.ticket_ttl",
        "until=0",
        "test_uploader.py::test_an_upload_that_the_application_deleted_is_not_brought_back",
    ),
    Mutation(
        "policy.py",
        "(?!(?i:swift_))",
        "",
        "test_uploader.py::test_a_type_that_lies_to_listings_is_refused",
    ),
    Mutation(
        "policy.py",
        'if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):',
        "if False:",
        "test_filenames.py::test_a_filename_with_a_path_or_control_characters_is_refused",
    ),
    Mutation(
        "policy.py",
        'if "/" in value or value in (".", ".."):',
        "if False:",
        "test_filenames.py::test_a_filename_with_a_path_or_control_characters_is_refused",
    ),
    Mutation(
        "file_types/sniff.py",
        "if normalize_type(claimed) in _PAGES and not any(",
        "if False and not any(",
        "test_sniff.py::test_text_is_not_sent_as_a_page",
    ),
    Mutation(
        "file_types/sniff.py",
        "if found is not None and (found in _PAGES or _PROGRAMS.fullmatch(found)):",
        "if False:",
        "test_sniff.py::test_a_content_is_accepted_by_the_types_that_it_can_have",
    ),
    Mutation(
        "api/files.py",
        "        requester.check_receipt(found)\n",
        "",
        "test_receipts.py::test_anothers_receipt_downloads_nothing",
    ),
    Mutation(
        "api/batch.py",
        'self._uploads.read_ticket(requester, item.get("ticket"), upload_id)',
        'self._uploads.tickets.read(item.get("ticket"), upload_id=upload_id)',
        "test_batches.py::test_a_stolen_ticket_among_own_ones_does_nothing_and_tells_nothing",
    ),
    Mutation(
        "api/batch.py",
        "if upload_id in ids:",
        "if False:",
        "test_batches.py::test_one_upload_many_times_in_a_batch_calls_the_application_once",
    ),
    Mutation(
        "api/parsing.py",
        " or len(given) > MAX_UPLOADS",
        "",
        "test_batches.py::test_a_batch_has_a_hundred_items_at_most",
    ),
    Mutation(
        "api/files.py",
        "upload = self._own(request.environ, receipt)\n        if self._options.on_remove is None:",
        "upload = self._uploads.receipts.read(receipt).upload\n        if self._options.on_remove is None:",
        "test_receipts.py::test_anothers_receipt_removes_nothing",
    ),
    Mutation(
        "api/files.py",
        'raise Refused("Finished uploads cannot be removed here.")',
        "return self._uploads.delete(upload) or ApiResponse(status=HTTPStatus.NO_CONTENT)",
        "test_receipts.py::test_without_on_remove_a_receipt_removes_nothing",
    ),
    Mutation(
        "api/routes.py",
        'if method != "GET":',
        'if method == "POST":',
        "test_receipts.py::test_a_page_of_another_site_removes_nothing",
    ),
    Mutation(
        "api/parsing.py",
        'if media_type != "application/json":',
        "if False:",
        "test_cross_site.py::test_a_form_of_another_site_cannot_send_json",
    ),
    Mutation(
        "api/cors.py",
        "if request_origin(environ) not in origins:",
        "if False:",
        "test_cross_site.py::test_another_site_gets_no_leave_for_the_ticket_header",
    ),
    Mutation(
        "headers.py",
        '    "X-Content-Type-Options": "nosniff",\n',
        "",
        "test_cross_site.py::test_answers_cannot_be_framed_or_loaded_as_a_script",
    ),
    Mutation(
        "headers.py",
        '    "Cross-Origin-Resource-Policy": "same-site",\n',
        "",
        "test_cross_site.py::test_answers_cannot_be_framed_or_loaded_as_a_script",
    ),
    Mutation(
        "headers.py",
        "    \"Content-Security-Policy\": \"default-src 'none'; frame-ancestors 'none'\",\n",
        "",
        "test_cross_site.py::test_answers_cannot_be_framed_or_loaded_as_a_script",
    ),
    Mutation(
        "pages/html_response.py",
        "if _is_strong_match(headers, if_none_match):",
        "if False:",
        "test_pages.py::test_the_policy_of_a_page_without_uploads_stays_strict",
    ),
    Mutation(
        "file_types/extension_types.py",
        " and not _ACTIVE.fullmatch(essence)",
        "",
        "test_pages.py::test_an_accepted_extension_does_not_make_a_page_or_script_accepted",
    ),
    Mutation(
        "pages/csp.py",
        "extended = f\"{_NONE.sub('', text)} {origin}\"",
        "extended = f\"{_NONE.sub('', text)} *\"",
        "test_strict_pages.py::test_a_page_with_a_strict_policy_uploads",
    ),
    Mutation(
        "storage/temp_urls.py",
        "query += f\"&filename={quote(filename, safe='')}\"",
        'query += f"&filename={filename}"',
        "test_filenames.py::test_an_odd_filename_stays_where_it_belongs",
    ),
    Mutation(
        "storage/swift/client.py",
        "return int(time.time() + self._skew)",
        "return int(time.time())",
        "test_tickets.py::test_a_clock_that_is_an_hour_wrong_neither_stops_uploads_nor_lengthens_temp_urls",
    ),
    Mutation(
        "storage/swift/cluster/capabilities.py",
        '("sha256", "sha512", "sha1")',
        '("sha1",)',
        "test_temp_url_holders.py::test_temp_urls_are_signed_with_sha_256_where_swift_allows_it",
    ),
    Mutation(
        "storage/swift/cluster/metadata.py",
        "return {ORIGIN_HEADER: origins,",
        'return {ORIGIN_HEADER: "*",',
        "test_cross_site.py::test_a_page_of_another_site_cannot_send_to_a_temp_url",
    ),
    Mutation(
        "storage/swift/cluster/provisioning.py",
        'self._client.request("PUT", container, expect=(201, 202))',
        'self._client.request("PUT", container, headers={"X-Container-Read": ".r:*,.rlistings"}, expect=(201, 202))',
        "test_neighbours.py::test_a_neighbours_token_opens_none_of_the_containers",
    ),
    Mutation(
        "storage/swift/single.py",
        "(self.size, self.etag) == (size, etag)",
        "self.etag == etag",
        "test_uploader.py::test_a_claim_of_a_kilobyte_and_a_body_of_a_hundred_megabytes",
    ),
    Mutation(
        "storage/swift/single.py",
        'complete = final.state == "complete" or staged is None',
        "complete = True",
        "test_uploader.py::test_status_does_not_return_a_receipt_before_confirmation",
    ),
    Mutation(
        "storage/swift/final_objects.py",
        "        if not self._decision(transfer).complete():",
        "        if False:",
        "test_tickets.py::test_an_abort_during_on_complete_wins",
    ),
    Mutation(
        "tokens/tickets.py",
        'kind = "ticket of unknown size" if unknown_size else "ticket"\n'
        "        self._tokens = Tokens(keys, kind, scope, opaque=unknown_size)",
        'self._tokens = Tokens(keys, "ticket", scope)',
        "test_companion.py::test_a_ticket_is_no_key_and_a_key_no_ticket",
    ),
    Mutation(
        "api/uppy_companion.py",
        "check_same_site(request.environ, self._options.origins)",
        "pass",
        "test_companion.py::test_a_page_of_another_site_asks_for_nothing",
    ),
    Mutation(
        "uploads.py",
        "            self._options.policy.check(measured.request)\n",
        "",
        "test_companion.py::test_an_unknown_size_is_measured",
    ),
    Mutation(
        "plan.py",
        "if i not in declared or not size]",
        "if not size]",
        "test_companion.py::test_parts_that_were_not_declared_are_not_left_behind",
    ),
    Mutation(
        "tokens/signed.py",
        '["direct-upload", kind, scope.container, scope.mount]',
        '["direct-upload", kind, scope.mount]',
        "test_middlewares.py::test_a_ticket_of_a_permissive_mount_is_invalid_at_a_strict_mount",
    ),
    Mutation(
        "tokens/signed.py",
        '["direct-upload", kind, scope.container, scope.mount]',
        '["direct-upload", kind, scope.container]',
        "test_middlewares.py::test_a_receipt_of_another_middleware_is_invalid",
    ),
    Mutation(
        "api/files.py",
        "        self._options.storage.check(stored_object(upload))\n",
        "",
        "test_names.py::test_an_old_receipt_does_not_download_the_file_that_has_its_name_now",
    ),
    Mutation(
        "storage/swift/storage.py",
        "        if final is not None and final.id != stored.id:\n            return\n",
        "",
        "test_names.py::test_deleting_by_an_old_receipt_removes_nothing_else",
    ),
    Mutation(
        "storage/local/disk.py",
        "if self._points_to(name) == upload_id:",
        "if True:",
        "test_names.py::test_deleting_by_an_old_receipt_removes_nothing_else",
    ),
    Mutation(
        "storage/local/server.py",
        "ANY_TYPE if is_script(record.type) else record.type",
        "record.type",
        "test_local.py::test_an_uploaded_script_has_no_type_that_a_page_executes",
    ),
    Mutation(
        "storage/local/server.py",
        "if _would_execute(request, record.type):",
        "if False:",
        "test_local.py::test_an_uploaded_file_is_not_loaded_as_code",
    ),
    Mutation(
        "storage/local/server.py",
        'response.headers["Content-Security-Policy"] = "sandbox"',
        "pass",
        "test_local.py::test_an_uploaded_page_is_sandboxed",
    ),
    Mutation(
        "storage/local/server.py",
        'return ("temp URL", upload_id, str(size))',
        'return ("temp URL", upload_id, "")',
        "test_local.py::test_no_more_bytes_are_taken_than_the_ticket_says",
    ),
    Mutation(
        "storage/local/files.py",
        "status.st_uid not in (0, os.geteuid())",
        "False",
        "test_local.py::test_a_secret_of_another_user_is_not_trusted",
    ),
    Mutation(
        "storage/local/files.py",
        "if is_writable or",
        "if",
        "test_local.py::test_a_path_that_other_users_can_write_to_is_not_trusted",
    ),
    Mutation(
        "uploads.py",
        "            self._authorize(environ, ticket.request)\n        except",
        "            pass\n        except",
        "test_defences.py::test_permission_that_was_taken_back_ends_a_long_upload",
    ),
    Mutation(
        "tokens/tickets.py",
        "min(now + ttl, ticket.begun + MAX_LIFETIMES * ttl)",
        "now + ttl",
        "test_defences.py::test_no_ticket_is_renewed_for_ever",
    ),
    Mutation(
        "uploads.py",
        "max(ticket.transfer.expires, int(time.time()) + self._options.ticket_ttl)",
        "ticket.transfer.expires",
        "test_defences.py::test_a_tombstone_outlives_a_renewed_ticket",
    ),
    Mutation(
        "storage/swift/tombstones.py",
        "str(max(expires, self._client.now()) + _DAY)",
        "str(self._client.now() + 60)",
        "test_defences.py::test_a_tombstone_outlives_the_ticket",
    ),
    Mutation(
        "storage/swift/final_objects.py",
        "**copy_conditions(metadata.etag)}",
        "}",
        "test_defences.py::test_bytes_that_are_written_at_the_moment_of_the_copy_are_not_copied",
    ),
    Mutation(
        "api/unread_body.py",
        "if self._left > STRANGERS_LIMIT and not is_known():",
        "if False:",
        "test_defences.py::test_a_strangers_body_keeps_no_worker_busy",
    ),
    Mutation(
        "tokens/tickets.py",
        "opaque=unknown_size)",
        "opaque=False)",
        "test_defences.py::test_addresses_of_uppys_uploads_tell_a_log_nothing",
    ),
    Mutation(
        "uploads.py",
        'self._options.keys.derive("record owner", requester.digest("record owner", cookie))',
        'requester.digest("record owner", cookie)',
        "test_defences.py::test_the_next_user_cannot_compute_the_key_of_the_last_ones_records",
    ),
    Mutation(
        "storage/base.py",
        "url: str = field(repr=False)",
        "url: str",
        "test_defences.py::test_no_repr_tells_a_secret",
    ),
    Mutation(
        "origins.py",
        "len(text) > MAX_ORIGIN_BYTES or ",
        "",
        "test_defences.py::test_a_forged_host_or_origin_opens_no_container",
    ),
    Mutation(
        "origins.py",
        "if origins and origin not in origins:",
        "if False:",
        "test_defences.py::test_a_forged_host_or_origin_opens_no_container",
    ),
    Mutation(
        "storage/swift/cluster/metadata.py",
        "return more if len(more) <= MAX_ORIGINS_BYTES else origins",
        'return more if len(more) <= MAX_ORIGINS_BYTES else "*"',
        "test_defences.py::test_many_hosts_never_open_a_container_to_every_origin",
    ),
    Mutation(
        "policy.py",
        " and not _is_disguised(token, essence)",
        "",
        "test_defences.py::test_an_extension_does_not_disguise_a_page_or_a_script",
    ),
    Mutation(
        "receiving/storing.py",
        "requester = uploads.authenticate(environ)",
        "requester = uploads.requester(environ)",
        "../unit/receiving/test_storing.py::test_a_refused_file_leaves_nothing_in_storage",
    ),
    Mutation(
        "request_uploads.py",
        "self.verify(text, max_age=max_age, any_owner=any_owner)  #",
        "self.verify(text, max_age=max_age, any_owner=True)  #",
        "../unit/receiving/test_storing.py::test_a_receipt_is_verified",
    ),
    Mutation(
        "integrations/django/files.py",
        "return uploads.verify(value)",
        "return uploads.verify(value, any_owner=True)",
        "../unit/integrations/test_django_project.py::test_another_requesters_receipt_is_no_file",
    ),
    Mutation(
        "storage/swift/cluster/metadata.py",
        "headers={ACCOUNT_KEYS[1]: secrets.token_hex(32)}",
        'headers={ACCOUNT_KEYS[1]: Keys(["a-secret-of-the-tests"]).derive("downloads")}',
        "test_middlewares.py::test_no_secret_opens_the_account",
    ),
    Mutation(
        "cli/doctor/http_client.py",
        'return self._headers if normalize_origin(f"{parts.scheme}://{parts.netloc}") == self.origin else {}',
        "return self._headers",
        "../unit/cli/test_doctor_page.py::test_headers_are_sent_to_the_origin_of_the_page_only",
    ),
    Mutation(
        "storage/s3/storage.py",
        'self._headers = {COPY_SOURCE: ""} if sign_copy_source else {}',
        "self._headers = {}",
        "../contract/test_s3.py::test_a_signed_empty_copy_source_takes_parts_and_no_copies",
    ),
    Mutation(
        "storage/s3/signing.py",
        '{"host": base.netloc, **(headers or {})}',
        '{"host": base.netloc}',
        "../contract/test_s3.py::test_a_signed_empty_copy_source_takes_parts_and_no_copies",
    ),
    Mutation(
        "storage/s3/signing.py",
        "secret_key: str = field(repr=False)",
        "secret_key: str",
        "../contract/test_s3.py::test_no_repr_tells_the_keys",
    ),
    Mutation(
        "storage/s3/signing.py",
        "token: str | None = field(repr=False)",
        "token: str | None",
        "../contract/test_s3.py::test_no_repr_tells_the_keys",
    ),
    Mutation(
        "storage/s3/storage.py",
        "if name.startswith((RECORDS, PROBES)):",
        "if False:",
        "../contract/test_s3.py::test_names_of_records_and_probes_are_reserved",
    ),
    Mutation(
        "storage/s3/storage.py",
        'if seal != "revoke":',
        "if False:",
        "../contract/test_s3_uploads.py::test_options_that_s3_cannot_honour_are_configuration_errors",
    ),
    Mutation(
        "storage/s3/storage.py",
        "if bind_ip:",
        "if False:",
        "../contract/test_s3_uploads.py::test_options_that_s3_cannot_honour_are_configuration_errors",
    ),
    Mutation(
        "storage/s3/storage.py",
        "if not fresh:\n            self._sealing.check_open(transfer)",
        "if False:\n            self._sealing.check_open(transfer)",
        "../contract/test_s3.py::TestS3Storage::test_nothing_is_signed_after_the_seal",
    ),
    Mutation(
        "storage/s3/storage.py",
        ', "IfMatch": f\'"{stored.etag}"\'}',
        "}",
        "../contract/test_s3.py::TestS3Storage::test_reading_another_object_than_was_sealed_fails",
    ),
    Mutation(
        "storage/s3/provisioning.py",
        "capability.check()",
        "pass",
        "../contract/test_s3_refusals.py::test_a_server_that_would_break_a_promise_is_refused",
    ),
    Mutation(
        "storage/s3/capabilities.py",
        "refusal.status in (409, 412)",
        "True",
        "../contract/test_s3_refusals.py::test_a_server_that_would_break_a_promise_is_refused",
    ),
    Mutation(
        "storage/s3/capabilities.py",
        'return Capability("conditional-put", False, 200)',
        'return Capability("conditional-put", True, 200)',
        "../contract/test_s3_refusals.py::test_a_server_that_would_break_a_promise_is_refused",
    ),
    Mutation(
        "storage/s3/capabilities.py",
        "put.etag == _md5(self._data).hex()",
        "True",
        "../contract/test_s3_refusals.py::test_a_server_that_would_break_a_promise_is_refused",
    ),
    Mutation(
        "storage/s3/capabilities.py",
        "is_refused = answer.status in (400, 403) and not copied",
        "is_refused = True",
        "../contract/test_s3_refusals.py::test_a_server_that_would_break_a_promise_is_refused",
    ),
    Mutation(
        "storage/s3/capabilities.py",
        '"-" not in answer and bool(answer)',
        "True",
        "../contract/test_s3_refusals.py::test_a_server_that_would_break_a_promise_is_refused",
    ),
    Mutation(
        "storage/s3/capabilities.py",
        "not 200 <= late.status < 300",
        "True",
        "../contract/test_s3_refusals.py::test_a_server_that_would_break_a_promise_is_refused",
    ),
    Mutation(
        "storage/s3/records.py",
        'expect=(*_TAKEN, *_CONFLICT), IfNoneMatch="*"',
        "expect=(*_TAKEN, *_CONFLICT)",
        "../contract/test_s3.py::TestS3Storage::test_an_upload_that_was_aborted_after_the_seal_cannot_be_confirmed",
    ),
    Mutation(
        "storage/s3/multipart.py",
        "return found if found is not None and found.id == id else None",
        "return found",
        "../contract/test_s3.py::TestS3Storage::test_a_name_that_another_object_has_is_neither_overwritten_nor_removed",
    ),
    Mutation(
        "storage/s3/sealing.py",
        "if different := [s.index for s in declared if s not in parts[s.index]]:",
        "if different := []:",
        "../contract/test_s3.py::TestS3Storage::test_sealing_names_the_segments_that_are_not_what_was_declared_and_changes_nothing",
    ),
    Mutation(
        "storage/s3/sealing.py",
        "if found is not None and found.segments == declared:",
        "if found is not None:",
        "../contract/test_s3.py::test_a_pin_of_an_interrupted_completion_gives_way_after_a_while",
    ),
    Mutation(
        "storage/s3/sealing.py",
        "self._find_sealed_or_clean_up(transfer)  # raises NotFound",
        "pass  #",
        "../contract/test_s3.py::TestS3Storage::test_an_upload_that_was_aborted_after_the_seal_cannot_be_confirmed",
    ),
    Mutation(
        "storage/s3/sealing.py",
        "self._remove_object(transfer)\n            raise",
        "raise",
        "../contract/test_s3.py::test_a_completion_that_loses_to_an_abort_leaves_nothing",
    ),
    Mutation(
        "storage/s3/sealing.py",
        'if decision is None or decision.outcome == "complete":',
        "if False:",
        "../contract/test_s3.py::test_an_abort_that_loses_to_a_confirm_leaves_the_file",
    ),
    Mutation(
        "storage/s3/sealing.py",
        "if until > self._client.now():",
        "if False:",
        "../contract/test_s3.py::test_an_object_that_a_late_complete_writes_after_the_deletion_is_removed",
    ),
    Mutation(
        "storage/s3/sweep.py",
        "if min(ages.values()) >= self._older_than:",
        "if True:",
        "../unit/cli/test_s3.py::test_a_sweep_removes_what_was_abandoned_and_nothing_that_is_complete",
    ),
    Mutation(
        "storage/s3/sealing.py",
        'if decision is not None and decision.outcome == "aborted":',
        "if False:",
        "../contract/test_s3.py::test_a_completion_that_loses_to_an_abort_leaves_nothing",
    ),
    Mutation(
        "storage/s3/sealing.py",
        "if sealed is not None and sealed.complete:\n            raise AlreadyComplete\n        if not",
        "if not",
        "../contract/test_s3.py::test_an_upload_whose_records_were_swept_stays_complete",
    ),
    Mutation(
        "storage/swift/storage.py",
        "return OWN_CONTAINER",
        'return ""',
        "../clouds/test_attacks.py::test_a_temp_url_copies_nothing_of_others",
    ),
    Mutation(
        "storage/swift/cluster/capabilities.py",
        'return trial.put("source", {"If-None-Match": "*"}, _DATA) == 412',
        "return True",
        "../clouds/test_lenient.py::test_a_missing_capability_is_named_when_an_upload_begins_and_in_the_log",
    ),
    Mutation(
        "storage/swift/client.py",
        'if method == "HEAD" and response.ok and "X-Timestamp" not in response.headers:',
        "if False:",
        "../clouds/test_lenient.py::test_a_proxy_that_answers_every_head_itself_brings_no_tombstones",
    ),
    Mutation(
        "storage/swift/segment_containers.py",
        'if response.status_code != _MISSING and (transfer.seal == "pin" or headers.get(f"{NAME}0")):',
        "if response.status_code != _MISSING:",
        "../clouds/test_lenient.py::test_a_revived_container_does_not_bring_an_upload_back",
    ),
    Mutation(
        "storage/swift/segmented.py",
        "self._check_aborted(transfer)  # a replica that missed the abort still has the container",
        "pass",
        "../clouds/test_lenient.py::"
        "test_a_replica_that_missed_the_deletion_of_a_container_does_not_bring_an_upload_back",
    ),
    Mutation(
        "storage/swift/segmented.py",
        "self._tombstones.check(transfer.id)  # a replica that missed the abort still has the key",
        "pass",
        "../clouds/test_lenient.py::"
        "test_a_replica_that_missed_the_deletion_of_a_container_does_not_bring_an_upload_back",
    ),
    Mutation(
        "storage/swift/tombstones.py",
        'if not self._is_set(1, "aborting"):',
        "if True:",
        "../clouds/test_races.py::test_complete_and_abort_never_both_succeed",
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
    wanted = [mutation for mutation in MUTATIONS if mutation.module.startswith(tuple(sys.argv[1:] or [""]))]
    survivors = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for mutation, reason in zip(wanted, pool.map(survives, wanted), strict=True):
            print(f"{'SURVIVES' if reason else 'noticed '}  {mutation.module}: {mutation.old.strip()}", flush=True)
            if reason:
                survivors += 1
                print(f"{mutation.test}: {reason}", flush=True)
    sys.exit(survivors != 0)


if __name__ == "__main__":
    main()
