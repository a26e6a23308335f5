"""Names of media types for :mod:`.sniff`: equivalent types, containers, and extensions. Normalized, without ``x-``."""

from __future__ import annotations

from mimetypes import MimeTypes

from .active_types import ANY_TYPE

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."

ZIP = {
    "application/zip": "zip",
    _OFFICE + "wordprocessingml.document": "docx",
    _OFFICE + "spreadsheetml.sheet": "xlsx",
    _OFFICE + "presentationml.presentation": "pptx",
    "application/vnd.ms-word.document.macroenabled.12": "docm",
    "application/vnd.ms-excel.sheet.macroenabled.12": "xlsm",
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": "pptm",
    _OPEN + "text": "odt",
    _OPEN + "spreadsheet": "ods",
    _OPEN + "presentation": "odp",
    _OPEN + "graphics": "odg",
    "application/epub+zip": "epub",
    "application/java-archive": "jar",
    "application/vnd.android.package-archive": "apk",
}
OLE = {
    "application/ole-storage": "",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.ms-outlook": "msg",
    "application/vnd.visio": "vsd",
    "application/msi": "msi",
}
_CONTAINERS = (ZIP, OLE)
"""Formats that share a container. The first of each is the container itself, which may be any of the others."""

_ALIKE = (
    {"application/zip", "application/zip-compressed"},
    {"video/mp4", "audio/mp4", "audio/m4a", "video/m4v", "video/quicktime", "video/3gpp", "audio/3gpp", "video/3gpp2"},
    {"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"},
    {"audio/ogg", "video/ogg", "application/ogg", "audio/opus", "audio/vorbis"},
    {"video/webm", "audio/webm", "video/matroska", "audio/matroska"},
    {"video/ms-asf", "video/ms-wmv", "audio/ms-wma", "application/vnd.ms-asf"},
    {"audio/mpeg", "audio/mp3", "audio/mpeg3"},
    {"audio/aac", "audio/hx-aac-adts", "audio/aacp"},
    {"audio/wav", "audio/wave", "audio/vnd.wave"},
    {"audio/midi", "audio/mid"},
    {"video/msvideo", "video/avi", "video/vnd.avi"},
    {"image/icon", "image/vnd.microsoft.icon", "image/ico"},
    {"image/bmp", "image/ms-bmp"},
    {"image/vnd.adobe.photoshop", "image/photoshop", "application/photoshop"},
    {"application/rtf", "text/rtf"},
    {"application/xml", "text/xml"},
    {"text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript"},
    {"application/vnd.rar", "application/rar", "application/rar-compressed"},
    {"application/vnd.sqlite3", "application/sqlite3"},
    {"font/otf", "font/sfnt", "application/vnd.ms-opentype", "application/font-otf"},
    {"font/ttf", "font/sfnt", "application/font-ttf"},
    {"font/woff", "application/font-woff"},
    {"font/woff2", "application/font-woff2"},
)
"""Equivalent names of one type, or of several types that share a signature."""

_EXTENSIONS = {extension: type for container in _CONTAINERS for type, extension in container.items()} | {
    "avif": "image/avif", "heic": "image/heic", "heif": "image/heif", "webp": "image/webp", "bmp": "image/bmp",
    "ico": "image/icon", "psd": "image/photoshop", "jxl": "image/jxl",
    "m4a": "audio/m4a", "aac": "audio/aac", "flac": "audio/flac", "mid": "audio/midi", "ogg": "audio/ogg",
    "oga": "audio/ogg", "opus": "audio/opus", "wma": "audio/ms-wma",
    "m4v": "video/m4v", "mkv": "video/matroska", "ogv": "video/ogg", "wmv": "video/ms-wmv", "flv": "video/flv",
    "3gp": "video/3gpp", "avi": "video/avi",
    "otf": "font/otf", "ttf": "font/ttf", "woff": "font/woff", "woff2": "font/woff2",
    "7z": "application/7z-compressed", "bz2": "application/bzip2", "gz": "application/gzip", "tgz": "application/gzip",
    "rar": "application/rar", "tar": "application/tar", "xz": "application/xz", "zst": "application/zstd",
    "sqlite": "application/sqlite3", "exe": "application/vnd.microsoft.portable-executable",
    "rtf": "application/rtf", "log": "text/plain", "md": "text/markdown", "yaml": "application/yaml",
    "yml": "application/yaml", "toml": "application/toml", "sql": "application/sql",
}  # fmt: skip
"""Extensions that Python's own table lacks, or has only in recent versions."""

_python = MimeTypes()

SIGNED = {"application/pdf", "application/postscript"}.union(*_CONTAINERS, *_ALIKE, _EXTENSIONS.values())
"""Types that have a signature, in addition to all image, audio, video and font types. Some are text types."""


def normalize_type(media_type: str) -> str:
    """Return a MIME type without parameters and ``x-``, in lower case."""
    family, _, name = media_type.partition(";")[0].strip().lower().partition("/")
    return f"{family}/{name.removeprefix('x-')}"


def type_of_extension(extension: str) -> str | None:
    """Return the usual type of files with this extension (".pdf"); None for an unknown extension."""
    guessed = _EXTENSIONS.get(extension[1:]) or _python.guess_type("file" + extension)[0]
    return None if guessed in (None, ANY_TYPE) else normalize_type(guessed)


def equivalent_types(media_type: str) -> set[str]:
    """Return every type that content of this type may have: other names, a container, a container's contents."""
    names = {media_type}.union(*(alike for alike in _ALIKE if media_type in alike))
    for container in _CONTAINERS:
        itself = next(iter(container))
        if media_type in container:
            names |= set(container) if media_type == itself else {itself}
    return names
