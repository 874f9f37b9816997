// Every exported function, by file, in the order of exports.cc and ts/native.ts.
#pragma once

#include "binding/call.h"

namespace nautilus {

// descriptor.cc
napi_value set_error_factory(const Call& call);
napi_value descriptor_adopt(const Call& call);
napi_value descriptor_duplicate(const Call& call);
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
napi_value ledger_map(const Call& call);

// buffer.cc
napi_value file_map(const Call& call);
napi_value mapping_copied_bytes(const Call& call);
napi_value prove_direct_io(const Call& call);

// arena.cc
napi_value arena_strategies(const Call& call);
napi_value ledger_bytes_for(const Call& call);
napi_value arena_create(const Call& call);
napi_value arena_left_out_blocks(const Call& call);
napi_value arena_threads(const Call& call);
napi_value arena_share(const Call& call);
napi_value arena_attach(const Call& call);
napi_value arena_trim(const Call& call);
napi_value arena_close(const Call& call);

// arena_blocks.cc
napi_value arena_allocate(const Call& call);
napi_value arena_allocate_again(const Call& call);
napi_value arena_allocate_at(const Call& call);
napi_value arena_free(const Call& call);
napi_value arena_allocate_many(const Call& call);
napi_value arena_free_many(const Call& call);
napi_value arena_mark(const Call& call);
napi_value arena_rewind(const Call& call);
napi_value arena_free_bytes(const Call& call);
napi_value arena_largest_free_bytes(const Call& call);
napi_value arena_free_ranges(const Call& call);
napi_value arena_open_magazines(const Call& call);
napi_value arena_reserve(const Call& call);
napi_value arena_give_back(const Call& call);
napi_value arena_ask_flush(const Call& call);

// movable.cc
napi_value movable_allocate(const Call& call);
napi_value movable_free(const Call& call);
napi_value movable_pin(const Call& call);
napi_value movable_drain(const Call& call);
napi_value movable_pass(const Call& call);
napi_value movable_waiting_blocks(const Call& call);

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

// wake.cc
napi_value wake_create(const Call& call);
napi_value wake_keep_alive(const Call& call);
napi_value wake_close(const Call& call);
napi_value wake_check(const Call& call);
napi_value wake_signal(const Call& call);

// device.cc
napi_value devices_detect(const Call& call);
napi_value device_open(const Call& call);
napi_value device_import(const Call& call);
napi_value device_allocate(const Call& call);
napi_value device_submit(const Call& call);
napi_value device_health(const Call& call);
napi_value device_inject(const Call& call);
napi_value device_close(const Call& call);
napi_value device_buffer_read(const Call& call);
napi_value device_buffer_write(const Call& call);
napi_value device_buffer_close(const Call& call);

// host.cc
napi_value lock_file_try(const Call& call);
napi_value probe_host(const Call& call);
napi_value read_host_memory(const Call& call);
napi_value raise_descriptor_limit(const Call& call);

}  // namespace nautilus
