// One ArrayBuffer over mapped memory that the garbage collector does not count as its own.
#pragma once

#include <node_api.h>

#include <cstddef>

namespace nautilus {

// The memory must outlive the buffer: whoever asks keeps the mapping alive for as long as the buffer is.
// Null when this JavaScript engine allows no external memory.
napi_value create_window(void* memory, size_t bytes);

// Makes the buffer and every view of it empty. Nothing else can: JavaScript that transfers or detaches it gets a
// TypeError, because the memory would go with it while the mapping that owns it goes its own way.
void detach_window(napi_value window);

}  // namespace nautilus
