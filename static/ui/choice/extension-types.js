// The MIME types of files by their extension, because browsers and systems do not agree on them. A type may be missing
// (`""` for `.HEIC` in Chromium on Linux) or have another name (`application/vnd.ms-excel` for `.csv` on Windows).

/** The table of the server's file_types/extension_types.py: extensions, their types, and after `|` what browsers report besides. */
export const TABLE = `\
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
`;

/** Types that browsers execute or render are accepted under their own name only. */
const ACTIVE = /^.*\/(?:html|css|wasm|xml|.*\+xml|.*(?:java|ecma|live|j)script.*)$/;
const ANY_TYPE = "application/octet-stream";

/** @type {Map<string, [own: string[], others: string[]]>} */
const types = new Map();
for (const [, extensions, own, others] of TABLE.matchAll(/^(.+): (.+?)(?: \| (.+))?$/gm)) {
  for (const extension of extensions.split(" ")) types.set(extension, [own.split(" "), others?.split(" ") ?? []]);
}
const known = new Set([...types.values()].flat(2));

/** The usual extension of each MIME type. @type {Map<string, string>} */
export const typeNames = new Map();
for (const [extension, [own]] of types) for (const type of own) if (!typeNames.has(type)) typeNames.set(type, extension);

/**
 * Return the types that a file may have: the reported one, and those of its extension unless that contradicts.
 * @param {string} name
 * @param {string} essence the reported type in lower case and without parameters
 */
export function possibleTypes(name, essence) {
  const [own, others] = types.get(name.slice(name.lastIndexOf(".") + 1).toLowerCase()) ?? [[], []];
  const family = essence.replace(/\/.*/, "/");
  const isAlike = !known.has(essence) && !ACTIVE.test(essence) && own.some((type) => type.startsWith(family));
  const isDecisive = essence === ANY_TYPE || own.includes(essence) || others.includes(essence) || isAlike;
  return isDecisive ? [...own, essence] : [essence];
}
