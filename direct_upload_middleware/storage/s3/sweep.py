"""Sweep a bucket: remove what abandoned uploads left below the storage's own prefix.

The sweep lists records and multipart uploads, never complete objects. It removes an upload as an abort does, with a
decision, so a stale listing does no harm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ...errors import AlreadyComplete
from ..base import Transfer
from ..sweeping import Finding, Progress
from .capabilities import FOLDER as PROBES
from .client import Refusal, S3Client
from .multipart import NO_UPLOAD, MultipartUploads
from .records import DECISION, PIN, SEALING, Record, Records
from .sealing import Sealing


class S3Sweep:
    """One sweep. See :meth:`.sweeping.Sweepable.sweep` for the parameters."""

    def __init__(
        self,
        client: S3Client,
        folder: str,
        multipart: MultipartUploads,
        records: Records,
        sealing: Sealing,
        *,
        older_than: int,
        dry_run: bool,
    ) -> None:
        self._client = client
        self._folder = folder
        self._multipart = multipart
        self._records = records
        self._sealing = sealing
        self._older_than = older_than
        self._dry_run = dry_run
        self._now = client.now()

    def sweep(self, progress: Progress) -> Iterator[Finding]:
        """Yield sealed uploads that nobody confirmed, interrupted aborts, and open uploads."""
        recorded = self._recorded()
        uploads = list(self._uploads())
        total = len(recorded) + len(uploads)
        for number, (id, ages) in enumerate(recorded.items(), 1):
            if min(ages.values()) >= self._older_than:
                yield from self._look_at_records(id, ages)
            progress(number, total)
        for number, upload in enumerate(uploads, len(recorded) + 1):
            yield from self._look_at_upload(upload)
            progress(number, total)
        if not self._dry_run:
            self._remove_probes()

    # -- records -------------------------------------------------------------------------------------------------

    def _recorded(self) -> dict[str, dict[str, int]]:
        """Return the ages of each upload's records, by kind."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for item in self._objects(self._records.folder):
            id, _, kind = item["Key"][len(self._records.folder) :].partition("/")
            if kind in (PIN, DECISION):
                found[id][kind] = self._age(item["LastModified"])
            elif kind == SEALING and not self._dry_run and self._age(item["LastModified"]) >= self._older_than:
                self._records.remove(id, SEALING)  # of a process that died
        return found

    def _look_at_records(self, id: str, ages: dict[str, int]) -> Iterator[Finding]:
        decision = self._records.read(id, DECISION) if DECISION in ages else None
        pin = self._records.read(id, PIN) if PIN in ages else None
        if decision is not None:
            yield from self._look_at_decision(id, decision, pin, ages[DECISION])
        elif pin is not None:
            yield from self._look_at_pin(id, pin, ages[PIN])

    def _look_at_decision(self, id: str, decision: Record, pin: Record | None, age: int) -> Iterator[Finding]:
        """Finish an interrupted abort, then remove the records: the pin first, since it alone means "not complete"."""
        if decision.outcome == "aborted":
            found = self._multipart.find_own(decision.name, id)
            if found is not None:
                transfer = _transfer(id, decision)
                yield from self._removed(
                    Finding("unfinished", self._multipart.key(decision.name), found.size, age),
                    lambda: self._sealing.clean_up(transfer),
                )
        if self._dry_run:
            return
        if pin is not None:
            self._records.remove(id, PIN)
        if decision.expires < self._now:
            self._records.remove(id, DECISION)

    def _look_at_pin(self, id: str, pin: Record, age: int) -> Iterator[Finding]:
        """Abort a sealed upload that was not confirmed, or remove the pin of an interrupted seal."""
        found = self._multipart.find_own(pin.name, id)
        if found is not None:
            transfer = _transfer(id, pin)
            finding = Finding("unfinished", self._multipart.key(pin.name), found.size, age)
            yield from self._removed(finding, lambda: self._sealing.abort(transfer))
        elif not self._dry_run:
            self._records.remove(id, PIN)

    def _removed(self, finding: Finding, remove: Any) -> Iterator[Finding]:
        def carry_out() -> bool:
            try:
                remove()
            except AlreadyComplete:
                return False
            return True

        result = finding if self._dry_run else finding.removed_by(carry_out)
        if result is not None:
            yield result

    # -- open uploads --------------------------------------------------------------------------------------------

    def _look_at_upload(self, upload: dict[str, Any]) -> Iterator[Finding]:
        """Abort an upload to which nothing was sent for ``older_than`` seconds."""
        age = self._age(upload["Initiated"])
        if age < self._older_than:
            return
        asked = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
        parts = self._parts(asked)
        age = min([age, *(self._age(part["LastModified"]) for part in parts)])
        if age >= self._older_than:
            finding = Finding("segments", upload["Key"], sum(part["Size"] for part in parts), age)
            abort = {"expect": NO_UPLOAD, **asked}
            yield from self._removed(finding, lambda: self._quietly("abort_multipart_upload", abort))

    def _parts(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all parts; none if the upload has ended since."""
        found: list[dict[str, Any]] = []
        marker = 0
        while True:
            answer = self._quietly("list_parts", {**asked, "PartNumberMarker": marker, "expect": NO_UPLOAD})
            found += answer.get("Parts", [])
            if not answer.get("IsTruncated"):
                return found
            marker = answer["NextPartNumberMarker"]

    def _quietly(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer; an empty one for an expected refusal."""
        with suppress(Refusal):
            return self._client.call(operation, **asked)
        return {}

    def _uploads(self) -> Iterator[dict[str, Any]]:
        """Yield the multipart uploads below our folder. If the server gives no marker, the last key is one."""
        seen: set[tuple[str, str]] = set()
        markers: dict[str, Any] = {}
        while True:
            answer = self._client.call("list_multipart_uploads", Prefix=self._folder, **markers)
            page = [u for u in answer.get("Uploads", []) if (u["Key"], u["UploadId"]) not in seen]
            seen.update((upload["Key"], upload["UploadId"]) for upload in page)
            yield from page
            if not answer.get("IsTruncated") or not page:
                return
            last = page[-1]
            markers = {
                "KeyMarker": answer.get("NextKeyMarker") or last["Key"],
                "UploadIdMarker": answer.get("NextUploadIdMarker") or last["UploadId"],
            }

    # -- listings ------------------------------------------------------------------------------------------------

    def _remove_probes(self) -> None:
        """Remove what a killed probe left."""
        for item in self._objects(self._folder + PROBES):
            if self._age(item["LastModified"]) >= self._older_than:
                self._client.call("delete_object", Key=item["Key"])

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        more: dict[str, Any] = {}
        while True:
            answer = self._client.call("list_objects_v2", Prefix=prefix, **more)
            yield from answer.get("Contents", [])
            if not answer.get("IsTruncated"):
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _age(self, modified: Any) -> int:
        return max(0, self._now - int(modified.timestamp()))


def _transfer(id: str, record: Record) -> Transfer:
    """As much of an upload as an abort needs."""
    return Transfer(id, record.name, "", 0, 0, 1, "revoke", record.expires, reference=record.reference or "no upload")
