"""A client in a second language, to show that the contracts are the interface: NATS over a socket, the agent's Unix socket
with descriptors, and mmap. Standard library only, so it knows no nkeys: a server that wants those needs a NATS library.
The subjects stand in docs/reference/subjects.md, the frames of the socket in packages/contracts/src/capability.ts."""

import array
import json
import mmap
import os
import socket
import struct
import urllib.parse

LARGEST_FRAME_BYTES = 16 * 1024
MOST_DESCRIPTORS = 16


class NautilusError(Exception):
    """A fault with the stable code of docs/reference/errors.md."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Nats:
    """One connection that asks and waits for the answer; nothing else of the protocol is needed here."""

    def __init__(self, url, name, timeout_s=5.0):
        address = urllib.parse.urlsplit(url if "://" in url else f"nats://{url}")
        self._socket = socket.create_connection((address.hostname, address.port or 4222), timeout_s)
        self._file = self._socket.makefile("rb")
        self._inbox = f"_INBOX.{name}.{os.urandom(8).hex()}"
        self._asked = 0
        if not self._line().startswith(b"INFO "):
            raise NautilusError("unavailable", f"{url} does not speak NATS")
        options = {"verbose": False, "pedantic": False, "name": name, "lang": "python", "version": "1",
                   "protocol": 1, "headers": True, "no_responders": True}
        if address.username is not None:
            options["user"] = urllib.parse.unquote(address.username)
            options["pass"] = urllib.parse.unquote(address.password or "")
        self._socket.sendall(f"CONNECT {json.dumps(options)}\r\nPING\r\n".encode())
        self._next_of({b"PONG"})
        self._socket.sendall(f"SUB {self._inbox}.* 1\r\n".encode())

    def request(self, subject, body):
        self._asked += 1
        reply_to = f"{self._inbox}.{self._asked}"
        data = json.dumps(body).encode()
        self._socket.sendall(f"PUB {subject} {reply_to} {len(data)}\r\n".encode() + data + b"\r\n")
        while True:
            words = self._next_of({b"MSG", b"HMSG"})
            header_bytes = int(words[-2]) if words[0] == b"HMSG" else 0
            payload = self._exactly(int(words[-1]) + 2)[:-2]
            if words[1].decode() != reply_to:
                continue  # Late: whoever asked has given up.
            return self._answer(subject, payload[:header_bytes].decode(), payload[header_bytes:])

    def _answer(self, subject, header, body):
        first, *lines = header.split("\r\n")
        if first.startswith("NATS/1.0 503"):
            raise NautilusError("unavailable", f"nobody answers on {subject}")
        fields = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if colon:
                fields[name.strip().lower()] = value.strip()
        code = fields.get("nautilus-error-code")
        if code is not None:
            raise NautilusError(code, fields.get("nats-service-error", ""))
        return json.loads(body)

    def _next_of(self, kinds):
        while True:
            words = self._line().split()
            if words and words[0] == b"PING":
                self._socket.sendall(b"PONG\r\n")
            elif words and words[0] == b"-ERR":
                raise NautilusError("permission_denied", b" ".join(words[1:]).decode())
            elif words and words[0] in kinds:
                return words

    def _line(self):
        line = self._file.readline(1024 * 1024)
        if not line.endswith(b"\n"):
            raise NautilusError("unavailable", "NATS closed the connection")
        return line

    def _exactly(self, count):
        data = self._file.read(count)
        if len(data) != count:
            raise NautilusError("unavailable", "NATS closed the connection")
        return data

    def close(self):
        self._file.close()
        self._socket.close()


class AgentSocket:
    """The agent's Unix socket. While it is open, what was redeemed on it lives; a frame is u32 length, u8 descriptors, 000."""

    def __init__(self, path, timeout_s=5.0):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._socket.connect(path)
        self._bytes = b""
        self._descriptors = []
        self._asked = 0

    def ask(self, message):
        """Answers the reply and its descriptors, which the caller closes."""
        self._asked += 1
        data = json.dumps({**message, "id": self._asked}).encode()
        self._socket.sendall(struct.pack("<IB3x", len(data), 0) + data)
        while True:
            reply, descriptors = self._frame()
            if reply.get("id") == self._asked:
                break
            for descriptor in descriptors:
                os.close(descriptor)
        if reply["type"] == "error":
            raise NautilusError(reply["fault"]["code"], reply["fault"]["message"])
        return reply, descriptors

    def _frame(self):
        length, count = struct.unpack("<IB3x", self._exactly(8))
        if length > LARGEST_FRAME_BYTES or count > MOST_DESCRIPTORS:
            raise NautilusError("protocol_violation", f"a frame of {length} bytes with {count} descriptors")
        payload = self._exactly(length)
        descriptors, self._descriptors = self._descriptors[:count], self._descriptors[count:]
        return json.loads(payload), descriptors

    def _exactly(self, count):
        while len(self._bytes) < count:
            room = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
            data, ancillary, _flags, _address = self._socket.recvmsg(4096, room)
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    received = array.array("i")
                    received.frombytes(content[: len(content) - len(content) % received.itemsize])
                    self._descriptors.extend(received)
            if not data:
                raise NautilusError("unavailable", "the agent closed its socket")
            self._bytes += data
        found, self._bytes = self._bytes[:count], self._bytes[count:]
        return found

    def close(self):
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._socket.close()


class Segment:
    """A segment mapped in place: `memory` is a buffer over the very bytes, writable for its owner alone."""

    def __init__(self, client, about, agent):
        self._client = client
        self._agent = agent
        self.id = about["segment"]
        reply, descriptors = agent.ask({"type": "redeem", "container": client.container, "ticket": about["ticket"]})
        try:
            self.is_owner = reply["access"] == "read-write"
            protection = mmap.PROT_READ | (mmap.PROT_WRITE if self.is_owner else 0)
            self.memory = mmap.mmap(descriptors[0], reply["bytes"], mmap.MAP_SHARED, protection)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)  # The mapping lives without them.
        if self.is_owner:
            agent.ask({"type": "mapped", "segment": self.id})

    def grant(self, to):
        return self._client.ask("segment.grant", {"segment": self.id, "to": to})

    def close(self):
        self.memory.close()
        if self.is_owner:
            self._client.ask("segment.release", {"segment": self.id})
        else:
            self._agent.ask({"type": "closed", "segment": self.id})
        self._agent.close()


class Client:
    """A container: `Client("portfolio").lease("temporary", 65536)` maps memory, `open(segment)` what it was granted."""

    def __init__(self, container, host="h1", nats="nats://127.0.0.1:4222"):
        self.container = container
        self.host = host
        self._nats = Nats(nats, container)

    def ask(self, what, body):
        return self._nats.request(f"nautilus.v1.req.{self.host}.{self.container}.{what}", body)

    def lease(self, pool, size_bytes):
        return self._map(self.ask("segment.lease", {"pool": pool, "bytes": size_bytes}))

    def open(self, segment):
        return self._map(self.ask("segment.open", {"segment": segment}))

    def _map(self, about):
        agent = AgentSocket(about["socketPath"])
        try:
            return Segment(self, about, agent)
        except BaseException:
            agent.close()
            raise

    def close(self):
        self._nats.close()
