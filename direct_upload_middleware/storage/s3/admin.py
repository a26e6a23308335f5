"""An operator's view of a bucket: set it up before its first use, and inspect its rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .client import Refusal, S3Client
from .provisioning import Provisioning, allows, with_origins

LIFECYCLE_ID = "direct-upload: abandoned uploads"
ABANDONED_DAYS = 7
_NO_RULES = ("NoSuchLifecycleConfiguration", "404")
_NOT_SUPPORTED = ("501", "405", "NotImplemented")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the setup. ``what`` describes it; ``do`` carries it out, or is None if there is nothing to do."""

    what: str
    do: Callable[[], object] | None = None


class S3Admin:
    """One bucket, as an operator sees it."""

    def __init__(self, client: S3Client, folder: str, provisioning: Provisioning) -> None:
        self.client = client
        self.folder = folder
        self.provisioning = provisioning

    def setup(self, origins: Sequence[str]) -> Iterator[Step]:
        """Yield the steps. Carry out each one before asking for the next, or none of them."""
        bucket = self.client.bucket
        if self.has_bucket():
            yield Step(f"bucket {bucket} is there")
        else:
            yield Step(f"make bucket {bucket}", self._make_bucket)
        yield self._cors(origins)
        yield self._lifecycle()

    def has_bucket(self) -> bool:
        """Return whether the bucket exists. Raise StorageError, with the remedy, when it is not ours.

        This lists the bucket, since the answer to a HEAD does not tell what is wrong with the credentials.
        """
        try:
            self.client.call("list_objects_v2", expect=("404", "NoSuchBucket"), Prefix=self.folder, MaxKeys=1)
        except Refusal:
            return False
        return True

    def _make_bucket(self) -> None:
        region = self.client.region
        where: dict[str, Any] = (
            {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        self.client.call("create_bucket", **where)

    def _cors(self, origins: Sequence[str]) -> Step:
        rules = self.provisioning.cors_rules() if self.has_bucket() else []
        missing = [origin for origin in origins if not allows(rules, origin)]
        if not missing:
            return Step(f"pages of {' '.join(origins)} may use the bucket" if origins else "no origin was given")
        wanted = with_origins(rules, missing)
        return Step(
            f"let pages of {' '.join(missing)} use the bucket", lambda: self.provisioning.put_cors_rules(wanted)
        )

    def lifecycle_rules(self) -> list[dict[str, Any]] | None:
        """Return the bucket's lifecycle rules; None if the server does not support them."""
        try:
            answer = self.client.call("get_bucket_lifecycle_configuration", expect=(*_NO_RULES, *_NOT_SUPPORTED))
        except Refusal as refusal:
            return [] if refusal.code in _NO_RULES else None
        rules: list[dict[str, Any]] = answer.get("Rules", [])
        return rules

    def ends_abandoned_uploads(self, rules: Sequence[dict[str, Any]]) -> bool:
        """Return whether a lifecycle rule ends abandoned multipart uploads below our folder."""
        return any(
            rule.get("Status") == "Enabled"
            and "AbortIncompleteMultipartUpload" in rule
            and self.folder.startswith(_prefix(rule))
            for rule in rules
        )

    def expiring_rule(self, rules: Sequence[dict[str, Any]]) -> str | None:
        """Return the name of a rule that deletes objects below our folder; None when there is none."""
        for rule in rules:
            deletes = rule.get("Status") == "Enabled" and "Expiration" in rule
            prefix = _prefix(rule)
            if deletes and (self.folder.startswith(prefix) or prefix.startswith(self.folder)):
                return str(rule.get("ID") or prefix or "without a name")
        return None

    def _lifecycle(self) -> Step:
        rules = self.lifecycle_rules() if self.has_bucket() else []
        if rules is None:
            return Step("this server has no lifecycle rules: run direct-upload sweep")
        if self.ends_abandoned_uploads(rules):
            return Step("a lifecycle rule ends abandoned uploads")
        rule = {
            "ID": LIFECYCLE_ID,
            "Status": "Enabled",
            "Filter": {"Prefix": self.folder},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABANDONED_DAYS},
        }
        others = [found for found in rules if found.get("ID") != LIFECYCLE_ID]
        configuration = {"Rules": [*others, rule]}
        return Step(
            f"end uploads that are abandoned for {ABANDONED_DAYS} days, by a lifecycle rule",
            lambda: self.client.call("put_bucket_lifecycle_configuration", LifecycleConfiguration=configuration),
        )

    def policy(self) -> str:
        """Return the least IAM policy that the application's credentials need, as JSON."""
        bucket = f"arn:aws:s3:::{self.client.bucket}"
        objects = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        listings = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
        statements = [
            {
                "Sid": "DirectUploadObjects",
                "Effect": "Allow",
                "Action": [*objects, "s3:ListMultipartUploadParts"],
                "Resource": f"{bucket}/{self.folder}*",
            },
            {
                "Sid": "DirectUploadBucket",
                "Effect": "Allow",
                "Action": [*listings, "s3:GetBucketCORS", "s3:GetBucketVersioning"],
                "Resource": bucket,
            },
        ]
        return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _prefix(rule: dict[str, Any]) -> str:
    found = rule.get("Filter", {})
    return str(found.get("Prefix") or found.get("And", {}).get("Prefix") or rule.get("Prefix") or "")
