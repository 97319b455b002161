"""What an uploaded file is, and what it may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.model.attachment import HEAD_BYTES, LONGEST_NAME, Attachment, clean_name, media_type
from outrider.model.ids import AttachmentId


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ada\\shot.png", "shot.png"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("a\nb\u202e.txt", "a_b_.txt"),
        ("über alles.md", "über alles.md"),
        ('"; rm.txt', "__ rm.txt"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".png", "x" * (LONGEST_NAME - 4) + ".png"),
    ],
)
def test_a_name_is_one_harmless_part_of_a_path(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@given(st.text(max_size=400))
def test_any_name_becomes_a_safe_one_and_stays_it(name: str) -> None:
    kept = clean_name(name)
    assert 0 < len(kept) <= LONGEST_NAME
    assert not set(kept) & set("/\\\n\r\0\"';")
    assert kept[0] not in ".-"
    assert clean_name(kept) == kept
    Attachment(id=AttachmentId("f-aaaaaaaa"), name=kept, media_type="text/plain", size=1)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "application/octet-stream"),
        (b"%PDF-1.7", "application/pdf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"latin \xe9", "application/octet-stream"),
        ("ä".encode() * 2047 + b"xx" + "ä".encode()[:0], "text/plain"),
        (b"x" * (HEAD_BYTES - 1) + "ä".encode()[:1], "text/plain"),
    ],
)
def test_a_type_is_told_by_the_bytes(head: bytes, kind: str) -> None:
    assert media_type(head) == kind
