// The one place that speaks to V8 itself and not to Node-API. napi_create_external_arraybuffer registers a
// deleter, and V8 counts memory with a deleter as heap that a collection could free: each lease of 64 MiB then
// cost a full mark-compact (9 ms measured, 295 in 300 leases). A backing store with V8's empty deleter is not
// counted, because freeing it frees nothing, which is the truth here. Source: BackingStore in v8-array-buffer.h.
// The price: the addon belongs to one major version of Node, so it is built where it runs.
#include "binding/window.h"

#include <v8.h>

#include <cstring>

namespace nautilus {

napi_value create_window(void* memory, size_t bytes) {
#ifdef V8_ENABLE_SANDBOX
  static_cast<void>(memory);
  static_cast<void>(bytes);
  return nullptr;
#else
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  std::unique_ptr<v8::BackingStore> store =
      v8::ArrayBuffer::NewBackingStore(memory, bytes, v8::BackingStore::EmptyDeleter, nullptr);
  const v8::Local<v8::Value> window = v8::ArrayBuffer::New(isolate, std::move(store));
  // A napi_value is a Local by another name; Node itself converts them so (js_native_api_v8.h).
  static_assert(sizeof(napi_value) == sizeof(window));
  napi_value value = nullptr;
  std::memcpy(&value, &window, sizeof(value));
  return value;
#endif
}

}  // namespace nautilus
