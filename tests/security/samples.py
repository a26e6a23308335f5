"""Small real files of many types, made on the spot or written out."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import struct
import tarfile
import wave
import zipfile
import zlib
from base64 import b64decode


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(40))
    return file.getvalue()


def _zip(*names: str, first: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if first:
            archive.writestr("mimetype", first)
        for name in names:
            archive.writestr(name, "<x/>" * 10)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("hello"))
    return file.getvalue()


def _sqlite() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table t (c)")
        return database.serialize()


def _program() -> bytes:
    """The head of a Windows program."""
    dos = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0\xb8" + bytes(43) + struct.pack("<I", 128)
    coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
    return dos.ljust(128, b"\0") + b"PE\0\0" + coff + struct.pack("<H", 0x20B) + bytes(238)


def _elf() -> bytes:
    ident = b"\x7fELF\2\1\1" + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0) + bytes(64)


def _ftyp(brand: bytes, *compatible: bytes) -> bytes:
    box = b"ftyp" + brand + bytes(4) + b"".join(compatible or (brand,))
    return struct.pack(">I", len(box) + 4) + box + struct.pack(">I", 8) + b"mdat"


def _ebml(kind: bytes) -> bytes:
    head = bytes.fromhex("4286810142f7810142f2810442f38108") + b"\x42\x82" + bytes([0x80 | len(kind)]) + kind
    head += bytes.fromhex("42878104") + bytes.fromhex("42858102")
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(head)]) + head


OFFICE = ("[Content_Types].xml", "_rels/.rels")
OPEN = "application/vnd.oasis.opendocument."

SAMPLES: dict[str, bytes] = {
    "a.png": _png(),
    "a.jpg": b64decode(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////"
        "////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAI"
        "AQEAAD8AN//Z"
    ),
    "a.gif": bytes.fromhex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b"),
    "a.webp": b64decode("UklGRhoAAABXRUJQVlA4TA4AAAAvAAAAAAcQEf0PRET/Aw=="),
    "a.tiff": b64decode(
        "SUkqAAgAAAAJAAABBAABAAAAAQAAAAEBBAABAAAAAQAAAAIBAwABAAAACAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAAB"
        "AAAAegAAABYBBAABAAAAAQAAABcBBAABAAAAAQAAABwBAwABAAAAAQAAAAAAAAAA"
    ),
    "a.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + b"\0\0\xff\0",
    "a.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "b.svg": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a.heic": _ftyp(b"heic", b"mif1", b"heic"),
    "a.avif": _ftyp(b"avif", b"avif", b"mif1"),
    "a.wav": _wav(),
    "a.mp3": b"ID3\3" + bytes(6) + b"\xff\xfb\x90\x64" + bytes(413),
    "b.mp3": (b"\xff\xfb\x90\x64" + bytes(413)) * 2,
    "a.m4a": _ftyp(b"M4A ", b"isom"),
    "a.flac": b"fLaC\0\0\0\x22" + bytes(34),
    "a.ogg": b"OggS\0\2" + bytes(20) + b"\1\x1e\1vorbis" + bytes(20),
    "a.mp4": _ftyp(b"isom", b"isom", b"mp41"),
    "b.mp4": _ftyp(b"iso5", b"dash"),
    "a.mov": _ftyp(b"qt  "),
    "a.webm": _ebml(b"webm"),
    "a.mkv": _ebml(b"matroska"),
    "a.avi": b"RIFF\x24\0\0\0AVI LIST" + bytes(24),
    "a.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    "a.zip": _zip("hello.txt"),
    "a.docx": _zip(*OFFICE, "word/document.xml"),
    "a.xlsx": _zip(*OFFICE, "xl/workbook.xml"),
    "a.odt": _zip("content.xml", first=OPEN + "text"),
    "a.epub": _zip("META-INF/container.xml", first="application/epub+zip"),
    "a.doc": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "a.gz": gzip.compress(b"hello"),
    "a.bz2": bz2.compress(b"hello"),
    "a.xz": lzma.compress(b"hello"),
    "a.tar": _tar(),
    "a.sqlite": _sqlite(),
    "a.rtf": b"{\\rtf1\\ansi hello}",
    "a.ttf": b"\0\1\0\0\0\x0a\0\x80" + bytes(40),
    "a.txt": b"Just some text, nothing else.\n",
    "latin.txt": "Häßlich währt am längsten.\n".encode("latin-1"),
    "utf16.txt": "Häßlich".encode("utf-16"),
    "mail.txt": b"From: a@b.example\r\nSubject: not a mail\r\n\r\nHello\r\n",
    "MZ.txt": b"MZ is no program here\n",
    "a.csv": b"name,age\nann,5\n",
    "BM.csv": b"BM,age\nann,5\n",
    "a.json": b'{"a": 1}\n',
    "a.md": b"# Title\n\nText\n",
    "a.xml": b'<?xml version="1.0"?><a/>',
    "a.html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "b.html": b"<script>alert(1)</script>",
    "a.sh": b"#!/bin/sh\necho hello\n",
    "a.exe": _program(),
    "a.elf": _elf(),
    "a.dat": b"\x93mine" + bytes(range(1, 200)),
    "empty": b"",
}
