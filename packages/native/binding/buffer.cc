// Files as segments, and the proof that a disk reads and writes a buffer in place.
#include "binding/functions.h"
#include "binding/mapping.h"
#include "binding/values.h"
#include "segment/direct_io.h"
#include "segment/file_mapping.h"

namespace nautilus {

napi_value file_map(const Call& call) {
  FileMapRequest request;
  request.path = call.text(0);
  request.is_private = call.boolean(1);
  request.offset = call.size(2);
  if (!call.is_null(3)) request.bytes = call.size(3);
  FileMapping file = map_file(request);
  auto mapping = std::make_shared<Mapping>();
  mapping->region = std::move(file.region);
  return ObjectBuilder(call.env())
      .set("handle", wrap(call.env(), mapping))
      .set("bytes", mapping->region->bytes())
      .set("locked", false)
      .set("lockReason", null_js(call.env()))
      .set("fileBytes", file.file_bytes)
      .set("shrinkRisk", file.shrink_risk)
      .done();
}

napi_value mapping_copied_bytes(const Call& call) {
  const MappedRegion& region = call.object<Mapping>(0)->open();
  return to_js(call.env(), copied_bytes(region.base(), region.bytes()));
}

napi_value prove_direct_io(const Call& call) {
  const MappedRegion& region = call.object<Mapping>(0)->open();
  if (!region.is_writable()) throw call.wrong(0, "a writable mapping");
  const uint64_t offset = call.size(1);
  const uint64_t bytes = call.size(2);
  if (bytes > region.bytes() || offset > region.bytes() - bytes) throw call.wrong(1, "a range inside the mapping");
  const DirectIoProof proof = prove_direct_io({region.base() + offset, bytes}, call.text(3));
  std::optional<uint64_t> block_bytes;
  std::optional<std::string> block_source;
  if (proof.block_bytes > 0) {
    block_bytes = proof.block_bytes;
    block_source = proof.block_is_told ? "told" : "tried";
  }
  return ObjectBuilder(call.env())
      .set("proven", !proof.reason)
      .set("reason", proof.reason)
      .set("blockBytes", block_bytes)
      .set("blockSource", block_source)
      .set("viaFile", proof.via_file)
      .done();
}

}  // namespace nautilus
