"""The middleware's options. Each is declared once, in :data:`OPTIONS`; everything else derives from that."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from . import option_values as kinds
from .errors import ConfigurationError
from .keys import Keys
from .models import Upload, UploadRequest
from .option_values import Kind
from .plan import MiB
from .policy import Policy
from .requester import remote_user
from .storage.base import ChecksOptions, Seal, Storage
from .storage.urls import storage_from_url

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    Identify: TypeAlias = Callable[[WSGIEnvironment], str | None]
    Authorize: TypeAlias = Callable[[WSGIEnvironment, UploadRequest], None]
    OnComplete: TypeAlias = Callable[[WSGIEnvironment, Upload], Any]
    OnRemove: TypeAlias = Callable[[WSGIEnvironment, Upload], None]
    ObjectName: TypeAlias = Callable[[WSGIEnvironment, UploadRequest], str]


MIN_SECRET_BYTES = 16
_HOW_TO_MAKE_ONE = (
    "set it to a long random string that all processes share, such as the output of "
    "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the middleware: its default, the kind of its values, and its entry in the documentation."""

    name: str
    default: Any
    kind: Kind
    text: str


_DECLARED = [
    Option(
        "secret", None, kinds.SECRET,
        "a long random string that all processes share, or a list of them, oldest → newest: the last one signs, all "
        "verify. Required for every storage except ``local:``, with at least 16 bytes. In settings files several are "
        "separated by whitespace.",
    ),
    Option(
        "identify", None, kinds.IDENTIFY,
        "callable(environ) → the requester's identity, a user id as str, or None; or a path of the application, "
        '``"/whoami"``, which receives a subrequest with the same cookies and responds with 2xx and the identity in '
        'the header ``Remote-User`` (as nginx\'s ``auth_request``). By default ``environ["REMOTE_USER"]``.',
    ),
    Option(
        "anonymous", False, kinds.BOOL,
        "True allows a requester without identity to upload, bound by the cookie alone.",
    ),
    Option(
        "authorize", None, kinds.CALLABLE,
        "callable(environ, UploadRequest); raises :class:`~.errors.Refused` to refuse an upload before it begins. For "
        "an upload of Uppy's own plugin the size is 0 then, and it is called again once the size is known.",
    ),
    Option(
        "on_complete", None, kinds.CALLABLE,
        "callable(environ, Upload) → something JSON-able for the page, or None. Called at least once for each upload: "
        "record the upload under ``upload.id``. Raises :class:`~.errors.Refused` to refuse the upload, which is then "
        "deleted.",
    ),
    Option(
        "on_remove", None, kinds.CALLABLE,
        "callable(environ, Upload): a visitor removed a finished upload from a field. Forget the upload; it is deleted "
        "then. Raises :class:`~.errors.Refused` to keep it, for example when its form was submitted. It can be called "
        "more than once. Without it, no finished upload can be removed from the page.",
    ),
    Option(
        "object_name", None, kinds.CALLABLE,
        "callable(environ, UploadRequest) → the name of the object, 1 to 1024 UTF-8 bytes. Every upload must get a "
        "name of its own. By default 32 random hex digits.",
    ),
    Option(
        "mount", "/_upload", kinds.MOUNT,
        "the path that the middleware answers.",
    ),
    Option(
        "inject", "auto", kinds.INJECT,
        '"auto" adds the script to HTML pages with an ``<input type="file" data-direct-upload>`` or a '
        "``<direct-upload>``; True to every HTML page; False to none (see ``script_tag()``).",
    ),
    Option(
        "max_size", None, kinds.MAX_SIZE,
        "the limit for a file in bytes; None for the storage's limit.",
    ),
    Option(
        "accept", (), kinds.ACCEPT,
        'file types as in HTML: ``[".pdf", "image/*", "video/mp4"]``; empty for all. For a file without a type, or '
        "with another name of it, the extension decides.",
    ),
    Option(
        "sniff", False, kinds.BOOL,
        "True reads the first bytes of every sealed file from storage and compares them with ``accept``. A file that "
        "cannot be of an accepted type is refused (415 ``type-not-accepted``) and deleted. See :mod:`.sniff` for what "
        "bytes can prove. Needs ``pip install 'direct-upload-middleware[sniff]'``.",
    ),
    Option(
        "segment_size", 16 * MiB, kinds.SEGMENT_SIZE,
        "bytes of one segment; larger files have several. It grows where a file would have more than 1000.",
    ),
    Option(
        "parallel", 4, kinds.PARALLEL,
        "how many segments of a file a browser sends concurrently.",
    ),
    Option(
        "seal", "revoke", kinds.SEAL,
        '"revoke", or "pin" for providers without container keys. "pin" is weaker (see the documentation): with it, '
        "and only with it, uploads are signed with the account's key.",
    ),
    Option(
        "ticket_ttl", 86400, kinds.SECONDS,
        "the time limit for an upload in seconds.",
    ),
    Option(
        "url_ttl", 900, kinds.SECONDS,
        "the lifetime of a presigned URL for PUT in seconds.",
    ),
    Option(
        "bind_ip", False, kinds.BOOL,
        "True restricts presigned URLs to the requester's REMOTE_ADDR.",
    ),
    Option(
        "origins", (), kinds.ORIGINS,
        'other origins whose pages may use this middleware: ``["https://www.example.com"]``. If set, storage allows '
        "pages of these origins only: add the site's own origin if it has pages with uploads.",
    ),
]  # fmt: skip

OPTIONS: Mapping[str, Option] = {option.name: option for option in _DECLARED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The validated options of one :class:`~direct_upload_middleware.DirectUploadMiddleware`."""

    storage: Storage
    keys: Keys
    policy: Policy
    identify: Identify
    anonymous: bool
    authorize: Authorize | None
    on_complete: OnComplete | None
    on_remove: OnRemove | None
    object_name: ObjectName | None
    mount: str
    inject: Literal["auto"] | bool
    sniff: bool
    segment_size: int
    parallel: int
    seal: Seal
    ticket_ttl: int
    url_ttl: int
    bind_ip: bool
    origins: Collection[str]


def make_options(storage: Storage | str | None, given: Mapping[str, Any]) -> Options:
    """Validate all options. Raise :class:`~.errors.ConfigurationError` with the remedy.

    :param given: the middleware's keyword arguments by name; a missing one has its default.
    """
    store = _storage(storage)  # first: a missing extra is told before anything else
    check_names(given)
    values = {name: option.kind.check(name, given.get(name, option.default)) for name, option in OPTIONS.items()}
    keys = _keys(values.pop("secret"), store)
    policy = Policy(max_size=values.pop("max_size"), accept=values.pop("accept"))
    values["identify"] = values["identify"] or remote_user
    options = Options(storage=store, keys=keys, policy=policy, **values)
    if options.sniff:
        _check_sniff(policy)
    if isinstance(store, ChecksOptions):
        store.check_options(seal=options.seal, bind_ip=options.bind_ip)
    store.bind(keys)
    return options


def check_names(names: Collection[str], *, prefix: str = "") -> None:
    """Raise ConfigurationError for an unknown option.

    :param prefix: what the names of a settings file begin with, in upper case if those are: ``DIRECT_UPLOAD_``.
    """
    write = str.upper if prefix.isupper() else str
    for name in names:
        if name not in OPTIONS:
            import difflib  # slow to import

            close = difflib.get_close_matches(name, ("storage", *OPTIONS), 1)
            hint = f"did you mean {prefix + write(close[0])!r}?" if close else f"known options: {', '.join(OPTIONS)}"
            raise ConfigurationError(f"unknown option {prefix + write(name)!r}; {hint}")


def parse_strings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the strings of a settings file to option values. Raise ConfigurationError.

    An empty string means that the option is not set. Other values, ``storage`` and unknown options are not changed.
    """
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if not isinstance(value, str):
            values[name] = value
        elif text := value.strip():
            values[name] = OPTIONS[name].kind.parse(name, text) if name in OPTIONS else text
    return values


def describe_options() -> str:
    """Return the documentation of all options, as fields of a docstring."""
    return "\n".join(
        textwrap.fill(f":param {o.name}: {o.text}", 116, subsequent_indent="    ", break_on_hyphens=False)
        for o in OPTIONS.values()
    )


def _storage(storage: Storage | str | None) -> Storage:
    if storage is None or isinstance(storage, str):
        return storage_from_url("local:" if storage is None else storage)
    if not isinstance(storage, Storage):
        raise ConfigurationError(f"storage must be a URL such as 'swift://uploads', or a Storage, not {storage!r}")
    return storage


def _keys(secrets: tuple[str, ...] | None, storage: Storage) -> Keys:
    if secrets is not None:
        if storage.needs_secret and min(len(secret.encode()) for secret in secrets) < MIN_SECRET_BYTES:
            raise ConfigurationError(
                f"secret must have at least {MIN_SECRET_BYTES} bytes, since it opens the account: {_HOW_TO_MAKE_ONE}"
            )
        return Keys(secrets)
    if storage.needs_secret:
        raise ConfigurationError(f"secret is required: {_HOW_TO_MAKE_ONE}")
    return Keys(storage.default_secrets)


def _check_sniff(policy: Policy) -> None:
    if not policy.accept:
        raise ConfigurationError("sniff compares files with accept: set accept too")
    from .file_types.sniff import check_library  # has tables of types that are slow to import

    check_library()
