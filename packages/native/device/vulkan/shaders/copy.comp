// Copy and move: words where the target is aligned for them, each from two words of a source that is aligned in another
// way; single bytes at both ends, so that no byte outside the range is written.
#version 450
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_8bit_storage : require

layout(local_size_x = 128) in;

layout(buffer_reference, std430, buffer_reference_align = 1) buffer Bytes { uint8_t at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint at[]; };

layout(push_constant, std430) uniform Parameters {
  Bytes target;
  Bytes source;
  Words target_body;  // the first aligned word of the target
  Words source_body;  // the aligned word that holds the first byte for it
  uint head;          // bytes before it
  uint words;
  uint tail;   // bytes behind the last
  uint shift;  // bits from there to the first byte: 0, 8, 16 or 24
};

void main() {
  const uint all = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  const uint self = gl_GlobalInvocationID.x;
  if (shift == 0u) {
    for (uint i = self; i < words; i += all) target_body.at[i] = source_body.at[i];
  } else {
    for (uint i = self; i < words; i += all) {
      target_body.at[i] = source_body.at[i] >> shift | source_body.at[i + 1u] << (32u - shift);
    }
  }
  if (self < head) target.at[self] = source.at[self];
  const uint behind = head + words * 4u + self;
  if (self < tail) target.at[behind] = source.at[behind];
}
