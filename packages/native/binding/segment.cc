// Creation of segments by kind, and of segments in files.
#include "segment/segment.h"

#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/values.h"
#include "segment/file_segment.h"

namespace nautilus {

napi_value segment_kinds(const Call& call) {
  ArrayBuilder kinds(call.env());
  for (const SegmentKind& kind : segment_kinds()) {
    const std::optional<std::string> reason = kind.unavailable_reason();
    kinds.add(ObjectBuilder(call.env()).set("kind", kind.name).set("available", !reason).set("reason", reason).done());
  }
  return kinds.done();
}

napi_value segment_create(const Call& call) {
  Environment& environment = Environment::require(call.env());
  const std::string name = call.text(0);
  const SegmentKind* kind = find_segment_kind(name);
  if (kind == nullptr) throw Failure(ErrorCode::kInvalidArgument, "kind: no segment kind is named '" + name + "'");
  Segment segment = kind->create({call.text(1), call.size(2), call.boolean(3)});
  std::optional<int> read_only;
  if (segment.read_only.is_open()) read_only = environment.give(std::move(segment.read_only));
  return ObjectBuilder(call.env())
      .set("fd", environment.give(std::move(segment.descriptor)))
      .set("readOnlyFd", read_only)
      .done();
}

napi_value file_segment_create(const Call& call) {
  return to_js(call.env(),
               Environment::require(call.env()).give(create_file_segment(call.text(0), call.size(1))));
}

napi_value file_segment_open(const Call& call) {
  return to_js(call.env(), Environment::require(call.env()).give(open_file_segment(call.text(0), call.boolean(1))));
}

}  // namespace nautilus
