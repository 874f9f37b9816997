// Every exported function, by file, in the order of exports.cc and ts/native.ts.
#pragma once

#include "binding/call.h"

namespace nautilus {

// descriptor.cc
napi_value set_error_factory(const Call& call);
napi_value descriptor_adopt(const Call& call);
napi_value descriptor_close(const Call& call);
napi_value descriptor_inspect(const Call& call);
napi_value descriptor_reopen_read_only(const Call& call);
napi_value descriptor_seal_future_writes(const Call& call);

// segment.cc
napi_value segment_kinds(const Call& call);
napi_value segment_create(const Call& call);
napi_value file_segment_create(const Call& call);
napi_value file_segment_open(const Call& call);

// mapping.cc
napi_value mapping_create(const Call& call);
napi_value mapping_window(const Call& call);
napi_value mapping_resident_bytes(const Call& call);
napi_value mapping_close(const Call& call);
napi_value ledger_read(const Call& call);

// arena.cc
napi_value arena_strategies(const Call& call);
napi_value arena_create(const Call& call);
napi_value arena_allocate(const Call& call);
napi_value arena_allocate_at(const Call& call);
napi_value arena_offset_of(const Call& call);
napi_value arena_length_of(const Call& call);
napi_value arena_free(const Call& call);
napi_value arena_mark(const Call& call);
napi_value arena_rewind(const Call& call);
napi_value arena_stats(const Call& call);
napi_value arena_close(const Call& call);

// connection.cc, listener.cc
napi_value socket_connect(const Call& call);
napi_value socket_listen(const Call& call);
napi_value listener_close(const Call& call);
napi_value listener_keep_alive(const Call& call);
napi_value connection_start(const Call& call);
napi_value connection_resume(const Call& call);
napi_value connection_peer(const Call& call);
napi_value connection_send(const Call& call);
napi_value connection_keep_alive(const Call& call);
napi_value connection_close(const Call& call);

// host.cc
napi_value lock_file_try(const Call& call);
napi_value probe_host(const Call& call);
napi_value read_host_memory(const Call& call);
napi_value raise_descriptor_limit(const Call& call);

}  // namespace nautilus
