"""The status channel, the third serial port: what init says there when the program has ended (user/init/run.c).

A record is `NONCE WORD NUMBER LENGTH\\n` and LENGTH bytes. What a program may have written to that port has no nonce
before it, and is passed over. A kernel can find the nonce in its memory and write anything: then nothing is believed
but what init could have written.
"""

import re

RECORD = re.compile(rb"(exit|signal|noexec|error|leak|file|nofile|done) (\d{1,9}) (\d{1,9})\n")


def read_records(path, nonce, files):
    """[(word, number, bytes)...] in order, of a machine that was to bring out FILES files; [] unless they are whole."""
    with open(path, "rb") as file:
        data = file.read()
    records = []
    place = data.find(nonce + b" ")
    while place >= 0:
        head = RECORD.match(data, place + len(nonce) + 1)
        if not head or len(data) - head.end() < int(head[3]):
            return []
        end = head.end() + int(head[3])
        records.append((head[1].decode(), int(head[2]), data[head.end():end]))
        place = data.find(nonce + b" ", end)
    words = [word for word, _, _ in records]
    if words[-1:] != ["done"] or words.count("file") + words.count("nofile") > files:
        return []
    return records
