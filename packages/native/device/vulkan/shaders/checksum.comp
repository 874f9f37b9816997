// CRC32C in parallel: each invocation computes the register over one chunk, each workgroup joins its 128 in a tree.
// Chunks are counted from the end of the range: then the first may be short, because leading zeros leave a register at
// zero, and all joins shift over whole chunks.
#version 450
#extension GL_EXT_buffer_reference : require

layout(local_size_x = 128) in;

layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Words { uint at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) writeonly buffer Results { uint at[]; };

layout(push_constant, std430) uniform Parameters {
  Words source;     // the aligned word that holds the first byte
  Words tables;     // four of 256 words by byte, then for each power of two of bytes 32 words by bit: what it becomes
  Results results;  // one for each workgroup
  uint skip;        // bytes from the word to the first byte: 0 to 3
  uint bytes;
  uint chunk_log2;  // of bytes
};

shared uint registers[128];

uint step_byte(uint value, uint at) {
  const uint byte = source.at[at >> 2] >> ((at & 3u) * 8u) & 255u;
  return value >> 8 ^ tables.at[(value ^ byte) & 255u];
}

uint step_word(uint value, uint word) {
  word ^= value;
  return tables.at[768u + (word & 255u)] ^ tables.at[512u + (word >> 8 & 255u)] ^
         tables.at[256u + (word >> 16 & 255u)] ^ tables.at[word >> 24];
}

uint shifted(uint value, uint bytes_log2) {
  uint result = 0u;
  for (uint bit = 0u; bit < 32u; ++bit) {
    result ^= (value >> bit & 1u) != 0u ? tables.at[1024u + bytes_log2 * 32u + bit] : 0u;
  }
  return result;
}

void main() {
  const uint chunks = gl_NumWorkGroups.x * 128u;
  const uint from_end = chunks - gl_GlobalInvocationID.x;  // 1 for the last
  const uint chunk = 1u << chunk_log2;
  // In the coordinates of the aligned words. The host keeps chunks * chunk below 2^32.
  const uint end_distance = (from_end - 1u) << chunk_log2;
  uint value = 0u;
  if (end_distance < bytes) {
    const uint end = skip + bytes - end_distance;
    uint at = bytes - end_distance > chunk ? end - chunk : skip;
    for (; at < end && (at & 3u) != 0u; ++at) value = step_byte(value, at);
    for (; at + 4u <= end; at += 4u) value = step_word(value, source.at[at >> 2]);
    for (; at < end; ++at) value = step_byte(value, at);
  }
  const uint self = gl_LocalInvocationID.x;
  registers[self] = value;
  // Neighbours, then neighbours of neighbours: the left one is shifted over the bytes of the right one.
  for (uint level = 0u; level < 7u; ++level) {
    barrier();
    const uint distance = 1u << level;
    if ((self & (2u * distance - 1u)) == 0u) {
      registers[self] = shifted(registers[self], chunk_log2 + level) ^ registers[self + distance];
    }
  }
  if (self == 0u) results.at[gl_WorkGroupID.x] = registers[0];
}
