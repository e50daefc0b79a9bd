"""make_text.py PACKAGES OUT BYTES: one file of real English text, the same bytes on every machine.

PACKAGES is a folder of unpacked Debian packages: GCIDE, WordNet, FOLDOC, the Jargon file and the
Debian reference, 79 MB of text. Lines are kept whole, blank ones dropped, and every byte that is
not printable ASCII becomes a space. The first copy has the lines in order; each further copy has
blocks of 64 lines shuffled, seeded by the copy's number; the file is cut at BYTES on a line end.
"""

import glob
import gzip
import random
import sys

BLOCK_LINES = 64
PRINTABLE = bytes(byte if 32 <= byte < 127 else 32 for byte in range(256))


def read_lines(packages):
    dictionaries = sorted(glob.glob(packages + "/**/*.dict.dz", recursive=True))
    reference = sorted(glob.glob(packages + "/**/debian-reference.en.txt.gz", recursive=True))
    lines = []
    for path in dictionaries + reference:
        with gzip.open(path, "rb") as file:
            text = file.read()
        cleaned = (line.translate(PRINTABLE).rstrip() for line in text.split(b"\n"))
        lines += [line for line in cleaned if line]
    return lines


def main(packages, out_path, size_bytes):
    lines = read_lines(packages)
    if not lines:
        sys.exit(f"no text found below {packages}")
    blocks = [
        b"\n".join(lines[start : start + BLOCK_LINES]) + b"\n"
        for start in range(0, len(lines), BLOCK_LINES)
    ]
    written = 0
    copy_index = 0
    with open(out_path, "wb") as out:
        while written < size_bytes:
            if copy_index > 0:
                random.Random(copy_index).shuffle(blocks)
            text = b"".join(blocks)
            if written + len(text) > size_bytes:
                text = text[: size_bytes - written]
                text = text[: text.rfind(b"\n") + 1]
                out.write(text)
                break
            out.write(text)
            written += len(text)
            copy_index += 1


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
