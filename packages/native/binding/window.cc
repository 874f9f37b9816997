// The one place that speaks to V8 itself and not to Node-API. napi_create_external_arraybuffer registers a
// deleter, and V8 counts memory with a deleter as heap that a collection could free: each lease of 64 MiB then
// cost a full mark-compact (9 ms measured, 295 in 300 leases). A backing store with V8's empty deleter is not
// counted, because freeing it frees nothing, which is the truth here. Source: BackingStore in v8-array-buffer.h.
// The price: the addon belongs to one major version of Node, so it is built where it runs.
#include "binding/window.h"

#include <v8.h>

#include <cstring>

namespace nautilus {

namespace {

// Known to V8's embedder only: no JavaScript can name it.
v8::Local<v8::Value> detach_key(v8::Isolate* isolate) {
  return v8::Symbol::ForApi(isolate, v8::String::NewFromUtf8Literal(isolate, "nautilus.window"));
}

}  // namespace

napi_value create_window(void* memory, size_t bytes) {
#ifdef V8_ENABLE_SANDBOX
  static_cast<void>(memory);
  static_cast<void>(bytes);
  return nullptr;
#else
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  std::unique_ptr<v8::BackingStore> store =
      v8::ArrayBuffer::NewBackingStore(memory, bytes, v8::BackingStore::EmptyDeleter, nullptr);
  const v8::Local<v8::ArrayBuffer> buffer = v8::ArrayBuffer::New(isolate, std::move(store));
  buffer->SetDetachKey(detach_key(isolate));
  const v8::Local<v8::Value> window = buffer;
  // A napi_value is a Local by another name; Node itself converts them so (js_native_api_v8.h).
  static_assert(sizeof(napi_value) == sizeof(window));
  napi_value value = nullptr;
  std::memcpy(&value, &window, sizeof(value));
  return value;
#endif
}

void detach_window(napi_value window) {
  v8::Local<v8::Value> value;
  std::memcpy(static_cast<void*>(&value), &window, sizeof(window));
  if (!value->IsArrayBuffer()) return;
  const v8::Local<v8::ArrayBuffer> buffer = value.As<v8::ArrayBuffer>();
  // Newer versions of Node put a key of their own in place of ours when they mark a buffer as untransferable.
  const v8::Local<v8::Value> key = detach_key(v8::Isolate::GetCurrent());
  buffer->SetDetachKey(key);
  const v8::Maybe<bool> detached = buffer->Detach(key);
  static_cast<void>(detached);
}

}  // namespace nautilus
