"""Files that harm who reads them carelessly, made here: PDFs that loop, grow, nest and lie; huge pictures."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping

import pypdf
from support.pdfs import make_pdf
from support.pictures import png

__all__ = ["encrypted_pdf", "hostile_pdfs", "jpeg_of", "pages_of", "png_of", "slow_pdf"]


def assembled(
    objects: Mapping[int, bytes], *, trailer: bytes = b"/Root 1 0 R", head: bytes = b"%PDF-1.7\n"
) -> bytes:
    """A PDF of these objects, with a right cross-reference table."""
    out = io.BytesIO()
    out.write(head)
    places: dict[int, int] = {}
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start, size = out.tell(), max(objects) + 1
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
    for number in range(1, size):
        out.write(b"%010d 00000 %s \n" % (places.get(number, 0), b"n" if number in places else b"f"))
    out.write(b"trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))
    return out.getvalue()


def stream(body: bytes, rest: bytes = b"", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (size, rest, body)


_CATALOG = {1: b"<< /Type /Catalog /Pages 2 0 R >>"}
_ONE_PAGE = {2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"}
_PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R"
    b" /Resources << /Font << /F 5 0 R >> >> >>"
)
_FONT = {5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"}


def with_content(body: bytes) -> bytes:
    """One page with this content stream object."""
    return assembled({**_CATALOG, **_ONE_PAGE, 3: _PAGE, 4: body, **_FONT})


def slow_pdf(seed: int = 0) -> bytes:
    """A page whose text takes minutes: a form that draws a form that draws a form, each of them 30 times."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>"
    objects = {
        **_CATALOG,
        **_ONE_PAGE,
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 %d] /Contents 4 0 R"
        b" /Resources << /XObject << /X 6 0 R >> >> >>" % (9 + seed),
        4: stream(b"/X Do " * 30),
        **_FONT,
    }
    for number in range(6, 12):
        objects[number] = stream(b"/X Do " * 30, form % (number + 1))
    objects[12] = stream(b"BT (x) Tj ET", form % 5)
    return assembled(objects)


def pages_of(count: int) -> bytes:
    """A sound PDF of so many pages, in one flat tree."""
    kids = b" ".join(b"%d 0 R" % number for number in range(10, 10 + count))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    return assembled(
        {
            **_CATALOG,
            2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
            **dict.fromkeys(range(10, 10 + count), page),
        }
    )


def squeezed(first: bytes, blank: bytes, size: int) -> bytes:
    """`first` and then `blank` again and again, `size` bytes of it, as zlib would squeeze it to a thousandth.

    After a full flush the same bytes are squeezed to the same bytes, so that they are squeezed once.
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = deflate.compress(first) + deflate.flush(zlib.Z_FULL_FLUSH)
    part = deflate.compress(blank) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + head + part * (size // len(blank)) + deflate.flush() + bytes(4)


def _object_stream_bomb(size: int) -> bytes:
    """The page tree lies in a compressed object of which a thousandth is in the file."""
    packed = squeezed(b"2 0 << /Type /Pages /Kids [3 0 R] /Count 1 >>", b" " * 1_000_000, size)
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    places = [0]
    for number, body in ((1, _CATALOG[1]), (3, _PAGE)):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    bomb = out.tell()
    out.write(b"4 0 obj\n%s\nendobj\n" % stream(packed, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode"))
    rows = [(0, 0, 0), (1, places[1], 0), (2, 4, 0), (1, places[2], 0), (1, bomb, 0)]
    start = out.tell()
    rows.append((1, start, 0))
    table = b"".join(struct.pack(">BIB", *row) for row in rows)
    about = b"/Type /XRef /Size 6 /W [1 4 1] /Root 1 0 R"
    out.write(b"5 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(table, about), start))
    return out.getvalue()


def encrypted_pdf(password: str, algorithm: str) -> bytes:
    """A PDF that pypdf has encrypted."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf("Secret")))
    writer.encrypt(password, algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    writer.close()
    return out.getvalue()


def hostile_pdfs() -> dict[str, bytes]:
    """PDFs by what is wrong with them. Each begins like one, and none may cost more than its limits."""
    sound = make_pdf("Granite", "Basalt")
    loop = {**_CATALOG, 2: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"}
    parents = {
        **_CATALOG,
        2: b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 4 >>",
        3: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R >>",
    }
    wide = {**_CATALOG} | {
        number: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b"%d 0 R " % (number + 1) * 30, 30**9)
        for number in range(2, 12)
    }
    wide[12] = b"<< /Type /Page /MediaBox [0 0 9 9] >>"
    xref = sound[: sound.rindex(b"startxref")]
    table = xref.rindex(b"xref\n")
    return {
        "arrays nested": assembled({**_CATALOG, 2: b"[" * 200_000 + b"]" * 200_000}),
        "dictionaries nested": assembled({**_CATALOG, 2: b"<< /A " * 200_000 + b">> " * 200_000}),
        "content nested": with_content(stream(b"[" * 100_000)),
        "page tree loops": assembled(loop),
        "page tree loops by two": assembled(parents),
        "page tree grows": assembled(wide),
        "a billion pages": assembled(
            {**_CATALOG, 2: b"<< /Type /Pages /Kids [3 0 R] /Count 1000000000 >>", 3: _PAGE}
        ),
        "catalog refers to itself": assembled({1: b"1 0 R"}),
        "length refers to itself": with_content(b"<< /Length 4 0 R >>\nstream\nx\nendstream"),
        "content grows": with_content(
            stream(squeezed(b"", b"BT (x) Tj ET " * 77_000, 1_000_000_000), b"/Filter /FlateDecode")
        ),
        "object stream grows": _object_stream_bomb(1_000_000_000),
        "content grows twice": with_content(
            stream(
                zlib.compress(squeezed(b"", b" " * 1_000_000, 50_000_000)),
                b"/Filter [/FlateDecode /FlateDecode]",
            )
        ),
        "tables refer to each other": xref.replace(b"trailer\n<<", b"trailer\n<< /Prev %d " % table)
        + b"startxref\n%d\n%%%%EOF\n" % table,
        "table is far": xref + b"startxref\n99999999999999999999\n%%EOF\n",
        "table is damaged": sound.replace(b"0000000", b"9x 9999", 3),
        "table is huge": xref[:table]
        + b"xref\n0 999999999\n"
        + b"0000000000 65535 f \n" * 3
        + b"trailer\n<< /Size 999999999 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table,
        "length is huge": with_content(stream(b"BT (x) Tj ET", length=10**15)),
        "length is negative": with_content(stream(b"BT (x) Tj ET", length=-5)),
        "numbers are long": assembled({**_CATALOG, 2: b"<< /Count %s >>" % (b"9" * 500_000)}),
        "names are long": assembled({**_CATALOG, 2: b"<< /%s 1 >>" % (b"A" * 2_000_000)}),
        "forms draw forms": slow_pdf(),
        "cut": sound[: len(sound) // 2],
        "end is missing": xref,
    }


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it is this large, with pixels for eight rows of eight."""
    data = bytearray(png(8, 8))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def jpeg_of(segments: int, width: int = 65_535, height: int = 65_535) -> bytes:
    """A JPEG that says it is this large, after so many empty segments."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + b"\xff\xe1\0\x02" * segments + frame + b"\xff\xda" + bytes(20) + b"\xff\xd9"
