// Fill and scrub: quads of 16 bytes where the target is aligned for them, single bytes at both ends, so that no byte
// outside the range is written.
#version 450
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_8bit_storage : require

layout(local_size_x = 128) in;

layout(buffer_reference, std430, buffer_reference_align = 1) writeonly buffer Bytes { uint8_t at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer Quads { uvec4 at[]; };

layout(push_constant, std430) uniform Parameters {
  Bytes target;
  Quads body;  // the first aligned quad of the target
  uint head;   // bytes before it
  uint quads;
  uint tail;  // bytes behind the last
  uint value;
};

void main() {
  const uint all = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  const uint self = gl_GlobalInvocationID.x;
  const uvec4 quad = uvec4(value * 0x01010101u);
  for (uint i = self; i < quads; i += all) body.at[i] = quad;
  if (self < head) target.at[self] = uint8_t(value);
  if (self < tail) target.at[head + quads * 16u + self] = uint8_t(value);
}
