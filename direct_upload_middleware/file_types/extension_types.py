"""The MIME types of files by their extension, because browsers and systems do not agree on them.

A browser takes a file's type from its operating system. A type may be missing (``""`` for ``.HEIC`` in Chromium on
Linux) or have another name (``application/vnd.ms-excel`` for ``.csv`` on Windows). The page decides by the same table.
"""

from __future__ import annotations

import re
from typing import Final

TABLE: Final = """\
jpg jpeg jpe jfif: image/jpeg image/jpg image/pjpeg
png: image/png image/x-png
gif: image/gif
webp: image/webp
avif: image/avif
heic heif hif: image/heic image/heif | image/heic-sequence image/heif-sequence
jxl: image/jxl
svg: image/svg+xml
bmp: image/bmp image/x-bmp image/x-ms-bmp
ico: image/x-icon image/vnd.microsoft.icon
tif tiff: image/tiff
psd: image/vnd.adobe.photoshop image/x-photoshop | image/x-psd application/x-photoshop
dng: image/x-adobe-dng image/dng | image/tiff
cr2 cr3: image/x-canon-cr2 image/x-canon-cr3 | image/tiff
nef: image/x-nikon-nef | image/tiff
arw: image/x-sony-arw | image/tiff
dwg: image/vnd.dwg image/x-dwg | application/acad
mp3: audio/mpeg audio/mp3 | audio/x-mp3 audio/x-mpeg
m4a: audio/mp4 audio/m4a audio/x-m4a | video/mp4
aac: audio/aac audio/x-aac | audio/aacp audio/vnd.dlna.adts
wav: audio/wav audio/x-wav audio/wave audio/vnd.wave
flac: audio/flac audio/x-flac
ogg oga opus: audio/ogg audio/opus application/ogg | audio/x-opus+ogg video/ogg
mid midi: audio/midi audio/x-midi audio/mid
wma: audio/x-ms-wma | video/x-ms-asf
aif aiff: audio/aiff audio/x-aiff
amr: audio/amr
mp4 m4v: video/mp4 video/x-m4v | audio/mp4
mov qt: video/quicktime | video/mp4
mkv: video/x-matroska video/matroska | application/x-matroska
webm: video/webm | audio/webm
avi: video/x-msvideo video/avi video/msvideo video/vnd.avi
wmv: video/x-ms-wmv | video/x-ms-asf
mpg mpeg: video/mpeg | video/x-mpeg
mts m2ts: video/mp2t | video/vnd.dlna.mpeg-tts
3gp: video/3gpp | audio/3gpp
ogv: video/ogg | application/ogg
flv: video/x-flv video/flv
pdf: application/pdf application/x-pdf
doc: application/msword
docx: application/vnd.openxmlformats-officedocument.wordprocessingml.document | application/zip application/msword
xls: application/vnd.ms-excel application/msexcel
xlsx: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet | application/zip application/vnd.ms-excel
ppt: application/vnd.ms-powerpoint application/mspowerpoint
pptx: application/vnd.openxmlformats-officedocument.presentationml.presentation | application/zip
odt: application/vnd.oasis.opendocument.text | application/zip
ods: application/vnd.oasis.opendocument.spreadsheet | application/zip
odp: application/vnd.oasis.opendocument.presentation | application/zip
pages: application/vnd.apple.pages application/x-iwork-pages-sffpages | application/zip
numbers: application/vnd.apple.numbers application/x-iwork-numbers-sffnumbers | application/zip
key: application/vnd.apple.keynote application/x-iwork-keynote-sffkey | application/zip
rtf: application/rtf text/rtf | application/msword
epub: application/epub+zip | application/zip
msg: application/vnd.ms-outlook
eml: message/rfc822
ics: text/calendar
vcf: text/vcard text/x-vcard | text/directory
txt log: text/plain | text/x-log
csv: text/csv application/csv text/x-csv text/comma-separated-values | application/vnd.ms-excel text/plain
tsv: text/tab-separated-values | text/plain
md markdown: text/markdown text/x-markdown | text/plain
json: application/json text/json | text/plain
geojson: application/geo+json | application/json
ndjson jsonl: application/x-ndjson application/jsonl | application/json text/plain
xml: application/xml text/xml
gpx: application/gpx+xml | application/xml text/xml
kml: application/vnd.google-earth.kml+xml | application/xml text/xml
yaml yml: application/yaml application/x-yaml text/yaml text/x-yaml | text/plain
toml: application/toml | text/plain
sql: application/sql application/x-sql text/x-sql | text/plain
srt: application/x-subrip | text/srt text/plain
vtt: text/vtt | text/plain
zip: application/zip application/x-zip-compressed application/x-zip
gz: application/gzip application/x-gzip
tgz: application/gzip application/x-gzip application/x-compressed-tar | application/x-compressed
tar: application/x-tar application/tar
bz2: application/x-bzip2 application/bzip2 | application/x-bzip
xz: application/x-xz application/xz
zst: application/zstd
7z: application/x-7z-compressed application/7z-compressed
rar: application/vnd.rar application/x-rar-compressed application/x-rar
iso: application/x-iso9660-image application/x-cd-image
apk: application/vnd.android.package-archive | application/zip
jar: application/java-archive application/x-java-archive | application/zip
ttf: font/ttf application/x-font-ttf
otf: font/otf application/x-font-otf | application/vnd.ms-opentype
woff: font/woff application/font-woff
woff2: font/woff2 application/font-woff2
stl: model/stl | application/vnd.ms-pki.stl application/sla
glb: model/gltf-binary
parquet: application/vnd.apache.parquet
sqlite: application/vnd.sqlite3 application/x-sqlite3
dcm: application/dicom
"""
"""Extensions, their types, and after ``|`` further types that a browser may report for such a file."""

#: Types that browsers execute or render: they are accepted under their own name only.
_ACTIVE: Final = re.compile(r".*/(?:html|css|wasm|xml|.*\+xml|.*(?:java|ecma|live|j)script.*)")


def _parse(table: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    found = {}
    for line in table.splitlines():
        extensions, _, types = line.partition(": ")
        own, _, others = types.partition(" | ")
        for extension in extensions.split():
            found[extension] = frozenset(own.split()), frozenset(others.split())
    return found


_TYPES: Final = _parse(TABLE)
_KNOWN: Final = frozenset[str]().union(*(own | others for own, others in _TYPES.values()))
_NONE: Final = frozenset[str](), frozenset[str]()
_ANY_TYPE: Final = "application/octet-stream"


def possible_types(filename: str, essence: str) -> frozenset[str]:
    """Return the types that a file may have: the reported one, and those of its extension unless that contradicts.

    Without a type, the extension decides. It decides too if the reported type is another name for the extension's
    types: one of the table, or an unknown one of the same family that browsers do not execute.

    :param essence: the reported type in lower case and without parameters.
    """
    own, others = _TYPES.get(filename.rpartition(".")[2].lower(), _NONE)
    family = essence.partition("/")[0]
    is_unknown = essence not in _KNOWN and not _ACTIVE.fullmatch(essence)
    is_alike = is_unknown and any(type.startswith(family + "/") for type in own)
    decides = essence == _ANY_TYPE or essence in own | others or is_alike
    return own | {essence} if decides else frozenset({essence})
