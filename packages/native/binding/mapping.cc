// Windows are ArrayBuffers over the mapping. ts/mapping.ts ties the life of the mapping to theirs, so memory goes
// only when the mapping and all its windows are gone, unless it is closed: then the windows are detached first.
#include "binding/mapping.h"

#include "alloc/ledger.h"
#include "alloc/map_json.h"
#include "binding/functions.h"
#include "binding/values.h"
#include "binding/window.h"
#include "segment/platform.h"

namespace nautilus {

MappedRegion& Mapping::open() const {
  if (region->is_closed()) throw Failure(ErrorCode::kClosed, "mapping: already closed");
  return *region;
}

napi_value mapping_create(const Call& call) {
  MapRequest request;
  request.writable = call.boolean(1);
  request.prefault = call.boolean(2);
  request.lock = call.boolean(3);
  request.allow_unsealed = call.boolean(4);
  auto mapping = std::make_shared<Mapping>();
  mapping->region = MappedRegion::map(call.fd(0), request);
  const MappedRegion& region = *mapping->region;
  return ObjectBuilder(call.env())
      .set("handle", wrap(call.env(), mapping))
      .set("bytes", region.bytes())
      .set("locked", request.lock && !region.lock_reason())
      .set("lockReason", region.lock_reason())
      .done();
}

napi_value mapping_window(const Call& call) {
  const Mapping& mapping = *call.object<Mapping>(0);
  MappedRegion& region = mapping.open();
  const uint64_t offset = call.size(1);
  const uint64_t length = call.size(2);
  if (length > region.bytes() || offset > region.bytes() - length) throw call.wrong(1, "a range inside the mapping");
  napi_value window = create_window(region.base() + offset, length);
  if (window == nullptr) {
    throw Failure(ErrorCode::kUnsupported,
                  "this JavaScript engine allows no external buffers (V8 sandbox), so nothing can be mapped");
  }
  return window;
}

napi_value mapping_resident_bytes(const Call& call) {
  const MappedRegion& region = call.object<Mapping>(0)->open();
  return to_js(call.env(), resident_bytes(region.base(), region.bytes()));
}

napi_value mapping_close(const Call& call) {
  MappedRegion& region = call.object<Mapping>(0)->open();
  uint32_t count = 0;
  check(napi_get_array_length(call.env(), call.value(1), &count));
  for (uint32_t at = 0; at < count; ++at) {
    napi_value window = nullptr;
    check(napi_get_element(call.env(), call.value(1), at, &window));
    detach_window(window);
  }
  region.close();
  return undefined_js();
}

napi_value ledger_read(const Call& call) {
  const MappedRegion& region = call.object<Mapping>(0)->open();
  const std::optional<LedgerFigures> read = read_ledger(region.base(), region.bytes());
  if (!read) return null_js(call.env());
  return ObjectBuilder(call.env())
      .set("segmentBytes", read->segment_bytes)
      .set("liveBlocks", read->arena.live_blocks)
      .set("liveBytes", read->arena.live_bytes)
      .set("cachedBytes", read->arena.cached_bytes)
      .set("allocations", read->arena.allocations)
      .set("frees", read->arena.frees)
      .set("failures", read->arena.failures)
      .set("highWaterBytes", read->arena.high_water_bytes)
      .done();
}

napi_value ledger_map(const Call& call) {
  const MappedRegion& region = call.object<Mapping>(0)->open();
  return to_js(call.env(), map_json(region.base(), region.bytes(), call.size(1)));
}

}  // namespace nautilus
