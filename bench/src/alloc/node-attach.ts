/** In a new process: from two descriptors to the first byte of a block that another process made. */
import { openSync } from 'node:fs';
import { BlockReader, Descriptor, mapSegment } from '@nautilus/native';

const [pid, payloadFd, ledgerFd, handle] = process.argv.slice(2).map(Number);

function open(fd: number | undefined): Descriptor {
  return Descriptor.adopt(openSync(`/proc/${pid}/fd/${fd}`, 'r'));
}

const startedAt = performance.now();
using payload = open(payloadFd);
using ledger = open(ledgerFd);
const bytes = mapSegment(payload, { access: 'read-only' });
const reader = new BlockReader(mapSegment(ledger, { access: 'read-only' }), bytes.bytes);
const place = reader.find(handle ?? 0);
const first = place === null ? null : bytes.view(place.offset, place.length)[0];
console.log(JSON.stringify({ milliseconds: performance.now() - startedAt, first }));
