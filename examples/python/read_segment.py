"""Leases a segment and reads a granted one, a JSON line for each step. Usage: read_segment.py URL HOST CONTAINER SEGMENT READER."""

import json
import sys
import zlib

from nautilus_client import Client, NautilusError


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def main(url, host, container, granted, reader):
    client = Client(container, host, url)
    try:
        client.lease("nowhere", 4096)
    except NautilusError as error:
        say("refused", code=error.code)

    foreign = client.open(granted)
    say("opened", owner=foreign.is_owner, bytes=len(foreign.memory), crc32=zlib.crc32(foreign.memory[:4096]))
    try:
        foreign.memory[0] = 1
        say("wrote")
    except TypeError:
        say("read-only")
    # The writer changes a byte now: it arrives without a message, because it is the same memory.
    sys.stdin.readline()
    say("seen", byte=foreign.memory[0])
    foreign.close()

    own = client.lease("temporary", 65536)
    own.memory[:5] = b"hello"
    say("leased", segment=own.id, granted=own.grant(reader))
    sys.stdin.readline()
    own.close()
    client.close()
    say("done")


main(*sys.argv[1:])
