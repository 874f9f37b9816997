// The compute kernels of the Metal device. The language is Metal's, in the part that is also C++: the device compiles
// the text, and a test of this repository compiles the same lines as C++ and runs them against a model, so that their
// arithmetic is proven without a Mac. NAUTILUS_KERNELS, defined by who includes this, makes text or code of them;
// NAUTILUS_BUFFER and NAUTILUS_THREAD stand for attributes. No directives can stand inside.
//
// A thread owns 16 bytes that lie at a multiple of 16, and writes them at once where all of them are wanted. Bytes
// outside the range belong to others, who may be writing them now, so the ends are written one by one.
NAUTILUS_KERNELS(

struct FillCall {
  ulong offset;
  ulong bytes;
  uint value;
  uint unused;
};

struct CopyCall {
  ulong target;
  ulong source;
  ulong bytes;
};

struct ChecksumCall {
  ulong offset;
  ulong bytes;
  ulong chunk_bytes;
  uint first_chunk;
  uint unused;
};

kernel void nautilus_fill(device uchar* target NAUTILUS_BUFFER(0), constant FillCall& call NAUTILUS_BUFFER(1),
                          uint thread_number NAUTILUS_THREAD) {
  const ulong end = call.offset + call.bytes;
  const ulong granule = (call.offset & ~ulong(15)) + ulong(thread_number) * 16;
  if (granule >= end) return;
  if (granule >= call.offset && end - granule >= 16) {
    const uint word = call.value * 0x01010101u;
    *reinterpret_cast<device uint4*>(target + granule) = uint4(word, word, word, word);
    return;
  }
  const ulong last = end - granule < 16 ? end : granule + 16;
  for (ulong at = granule < call.offset ? call.offset : granule; at < last; ++at) target[at] = uchar(call.value);
}

kernel void nautilus_copy(device uchar* target NAUTILUS_BUFFER(0), constant CopyCall& call NAUTILUS_BUFFER(1),
                          const device uchar* source NAUTILUS_BUFFER(2), uint thread_number NAUTILUS_THREAD) {
  const ulong end = call.target + call.bytes;
  const ulong granule = (call.target & ~ulong(15)) + ulong(thread_number) * 16;
  if (granule >= end) return;
  if (granule >= call.target && end - granule >= 16 && ((call.source ^ call.target) & 15) == 0) {
    *reinterpret_cast<device uint4*>(target + granule) =
        *reinterpret_cast<const device uint4*>(source + (call.source + (granule - call.target)));
    return;
  }
  const ulong last = end - granule < 16 ? end : granule + 16;
  for (ulong at = granule < call.target ? call.target : granule; at < last; ++at) {
    target[at] = source[call.source + (at - call.target)];
  }
}

constant uint nautilus_crc_of_nibble[16] = {0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u,
                                            0x417B1DBCu, 0x5125DAD3u, 0x61C69362u, 0x7198540Du,
                                            0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u,
                                            0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u};

kernel void nautilus_checksum(device uint* checksums NAUTILUS_BUFFER(0), constant ChecksumCall& call NAUTILUS_BUFFER(1),
                              const device uchar* source NAUTILUS_BUFFER(2), uint thread_number NAUTILUS_THREAD) {
  const ulong begin = ulong(thread_number) * call.chunk_bytes;
  if (begin >= call.bytes) return;
  const ulong left = call.bytes - begin;
  const ulong last = begin + (left < call.chunk_bytes ? left : call.chunk_bytes);
  uint crc = 0xFFFFFFFFu;
  for (ulong at = begin; at < last; ++at) {
    crc ^= source[call.offset + at];
    crc = (crc >> 4) ^ nautilus_crc_of_nibble[crc & 15];
    crc = (crc >> 4) ^ nautilus_crc_of_nibble[crc & 15];
  }
  checksums[call.first_chunk + thread_number] = ~crc;
}

)
