"""One S3 client, on botocore: its credential chain, its retries, and our errors.

botocore's defaults that do not fit are set here: presigned URLs of Signature Version 2, the global host name for every
region (whose redirect breaks a browser's preflight), and checksums that other servers do not know.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ...errors import ConfigurationError
from ..redaction import signatures_kept_out_of_logs
from .faults import fault_of_answer, fault_of_library
from .signing import Signer, presigned_url

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10
READ_TIMEOUT = 60
ATTEMPTS = 4
POOL_SIZE = 32
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


class Refusal(Exception):
    """A refusal that the caller expects and handles."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class S3Client:
    """Requests to one bucket. Threads may share it; a forked process gets connections of its own.

    :raises ConfigurationError: botocore is not installed.
    """

    def __init__(
        self,
        bucket: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        profile: str | None = None,
        addressing: str | None = None,
    ) -> None:
        self.bucket = bucket
        self._botocore, self._exceptions, self._config = _libraries()
        self._region = region
        self._endpoint = endpoint
        self._profile = profile
        self._addressing = addressing
        self._lock = threading.Lock()
        self._connected: tuple[int, Any, Any, str] | None = None
        self._credentials: tuple[str, str] | None = None
        self._skew = 0.0

    def use_credentials(self, access_key: str, secret_key: str) -> None:
        """Use this key instead of what the credential chain finds."""
        self._credentials = (access_key, secret_key)

    def now(self) -> int:
        """Return the time of storage's clock in Unix seconds, by its last answer."""
        return int(time.time() + self._skew)

    # -- requests ----------------------------------------------------------------------------------------------

    def call(self, operation: str, *, expect: tuple[str, ...] = (), **parameters: Any) -> dict[str, Any]:
        """Return the answer to one operation on the bucket (``put_object``, …); a body is read to its end.

        :param expect: error codes, or statuses as text, that are raised as :class:`Refusal`.
        :raises StorageUnavailable: no answer, or one that asks to try again.
        :raises StorageError: any other refusal, with its remedy.
        """
        before = time.time()
        try:
            _, client, _, _ = self._connection()
            answer: dict[str, Any] = getattr(client, operation)(Bucket=self.bucket, **parameters)
            if "Body" in answer:
                answer["Body"] = answer["Body"].read()
        except self._exceptions.ClientError as error:
            response = error.response
            self._learn_skew(response, before)
            code = str(response.get("Error", {}).get("Code", ""))
            status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if code in expect or str(status) in expect:
                raise Refusal(code, status) from error
            fault = fault_of_answer(str(error.operation_name), self.bucket, response)
            log.warning("S3 refused a request: %s", fault, extra=_story(operation, status, code))
            raise fault from error
        except (self._exceptions.BotoCoreError, OSError) as error:
            fault = fault_of_library(error)
            log.warning("S3 request failed: %s", fault, extra=_story(operation, None, type(error).__name__))
            raise fault from error
        self._learn_skew(answer, before)
        return answer

    def _learn_skew(self, answer: Mapping[str, Any], before: float) -> None:
        """Learn storage's clock from an answer's ``Date``, whose seconds are whole: half a second on average."""
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            seconds = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError):
            return
        self._skew = seconds + 0.5 - (before + time.time()) / 2

    # -- presigned URLs ------------------------------------------------------------------------------------------

    def presigned_url(
        self, method: str, key: str, query: Mapping[str, str], *, ttl: int, headers: Mapping[str, str] | None = None
    ) -> str:
        """Return a presigned URL; see :func:`.signing.presigned_url`."""
        return presigned_url(self._signer(), method, key, query, now=self.now(), ttl=ttl, headers=headers)

    @property
    def bucket_url(self) -> str:
        """The URL of the bucket, with a slash at its end. No request is made."""
        try:
            return self._connection()[3]
        except self._exceptions.BotoCoreError as error:
            raise fault_of_library(error) from error

    def _signer(self) -> Signer:
        try:
            _, client, session, base = self._connection()
            found = session.get_credentials()
            if found is None:
                raise self._exceptions.NoCredentialsError
            keys = found.get_frozen_credentials()
        except self._exceptions.BotoCoreError as error:
            raise fault_of_library(error) from error
        return Signer(base, client.meta.region_name, keys.access_key, keys.secret_key, keys.token)

    @property
    def region(self) -> str:
        """The region that requests are signed for."""
        return str(self._connection()[1].meta.region_name)

    # -- connections ---------------------------------------------------------------------------------------------

    def _connection(self) -> tuple[int, Any, Any, str]:
        """Return process id, client, session and the bucket's URL. Raise BotoCoreError."""
        found = self._connected
        if found is not None and found[0] == os.getpid():
            return found
        with self._lock:
            if self._connected is None or self._connected[0] != os.getpid():
                self._connected = self._connect()
            return self._connected

    def _connect(self) -> tuple[int, Any, Any, str]:
        session = self._botocore.Session(profile=self._profile)
        if self._credentials is not None:
            session.set_credentials(*self._credentials)
        client = self._client(session, self._addressing or "virtual")
        host = urlsplit(client.meta.endpoint_url).hostname or ""
        if self._addressing is None and (not host.endswith(_AWS) or "." in self.bucket):
            client = self._client(session, "path")
        with signatures_kept_out_of_logs():
            url = client.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "x"})
        parts = urlsplit(url)
        return os.getpid(), client, session, f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('x')}"

    def _client(self, session: Any, addressing: str) -> Any:
        endpoint = self._endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        region = self._region or session.get_config_variable("region") or ("us-east-1" if endpoint else None)
        config = self._config(
            signature_version="s3v4",
            s3={"addressing_style": addressing, "us_east_1_regional_endpoint": "regional"},
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            max_pool_connections=POOL_SIZE,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            tcp_keepalive=True,
        )
        return session.create_client("s3", region_name=region, endpoint_url=self._endpoint, config=config)


def _story(operation: str, status: int | None, code: str) -> dict[str, object]:
    """Return the fields of the log record of a failed request."""
    return {"s3_operation": operation, "s3_status": status, "s3_code": code}


def _libraries() -> tuple[Any, Any, Any]:
    try:
        from botocore import exceptions, session
        from botocore.config import Config
    except ImportError as error:
        raise ConfigurationError("s3:// storage needs botocore: pip install 'direct-upload-middleware[s3]'") from error
    return session, exceptions, Config
