"""What S3 refuses, as errors that name the cause and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...errors import DirectUploadError, StorageError, StorageUnavailable

TRANSIENT = frozenset(
    {
        "SlowDown",
        "RequestTimeout",
        "Throttling",
        "ThrottlingException",
        "OperationAborted",
        "ConditionalRequestConflict",
    }
)
_EXPIRED = "The credentials have expired. Renew them, or give the application a role that renews itself."
_SKEWED = "This machine's clock differs from storage's by more than 15 minutes. Run an NTP client."
_BY_CODE = {
    "BucketAlreadyExists": "The name {bucket} is another customer's. Choose another bucket in the storage URL.",
    "NoSuchBucket": "There is no bucket {bucket}. Make it (direct-upload setup), or correct the storage URL.",
    "InvalidAccessKeyId": "Storage does not know the access key. Correct the credentials, or the endpoint.",
    "SignatureDoesNotMatch": "Storage refuses the signature. The secret access key is wrong, or a proxy in front of "
    "storage changes the Host header or the path.",
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidToken": "The session token of the credentials is invalid. Renew the credentials.",
    "RequestTimeTooSkewed": _SKEWED,
    "RequestExpired": _SKEWED,
    "InvalidBucketName": "Storage takes no bucket of the name {bucket}. Correct the storage URL.",
}
_REGION = "Bucket {bucket} is in another region{region}. Give the right one in the storage URL: ?region=REGION."
_WRONG_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_DENIED = (
    "Storage refuses {operation} in bucket {bucket}. The bucket must be yours, and the credentials need the "
    "permissions that direct-upload setup prints."
)


def fault_of_answer(operation: str, bucket: str, response: Mapping[str, Any]) -> DirectUploadError:
    """Return the error for an answer that botocore raised as ClientError. ``response`` is its ``response``."""
    error = response.get("Error", {})
    meta = response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    headers = meta.get("HTTPHeaders", {})
    region = str(headers.get("x-amz-bucket-region") or error.get("Region") or "")
    if code in TRANSIENT or status in (408, 429) or status >= 500:
        return StorageUnavailable()
    if code in _BY_CODE:
        return StorageError(_BY_CODE[code].format(bucket=bucket))
    if code in _WRONG_REGION or status == 301:
        return StorageError(_REGION.format(bucket=bucket, region=f", {region}" if region else ""))
    if status == 403:
        return StorageError(_DENIED.format(bucket=bucket, operation=operation))
    if status == 404 and operation == "HeadBucket":
        return StorageError(_BY_CODE["NoSuchBucket"].format(bucket=bucket))
    return StorageError(f"Storage answered {status} {code} to {operation}.")


def fault_of_library(error: Exception) -> DirectUploadError:
    """Return the error for what botocore raises before there is an answer."""
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError"):
        return StorageError("There are no credentials for S3. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a "
                            "profile with ?profile= in the storage URL, or give the machine a role.")  # fmt: skip
    if name == "ProfileNotFound":
        return StorageError(
            "The profile that the storage URL names is not in the AWS configuration. Correct ?profile=."
        )
    if name == "NoRegionError":
        return StorageError("No region is configured. Give it in the storage URL: ?region=REGION.")
    if name in _EXPIRED_LOGIN:
        return StorageError(_EXPIRED)
    if name in ("EndpointConnectionError", "ConnectTimeoutError"):
        host = urlsplit(str(getattr(error, "kwargs", {}).get("endpoint_url"))).netloc
        return StorageUnavailable(
            f"Storage cannot be reached at {host}. If this lasts, correct the region or the endpoint of the storage."
        )
    if name in _LASTING:
        return StorageError(f"botocore cannot make the request ({name}). Check the AWS configuration.")
    return StorageUnavailable()


_EXPIRED_LOGIN = frozenset(
    {
        "LoginRefreshRequired",
        "LoginTokenLoadError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
_LASTING = frozenset(
    {
        "ConfigNotFound",
        "ConfigParseError",
        "InvalidConfigError",
        "InvalidEndpointConfigurationError",
        "InvalidRegionError",
        "InfiniteLoopConfigError",
        "ParamValidationError",
        "SSLError",
        "UnknownCredentialError",
        "UnsupportedS3ConfigurationError",
    }
)
