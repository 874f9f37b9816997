// The addon's table of contents, in the order and with the names of ts/native.ts (a test compares them).
#include "binding/environment.h"
#include "binding/functions.h"

namespace nautilus {
namespace {

struct Export {
  const char* name;
  napi_callback function;
};

constexpr Export kExports[] = {
    {"setErrorFactory", entry<set_error_factory>},

    {"descriptorAdopt", entry<descriptor_adopt>},
    {"descriptorDuplicate", entry<descriptor_duplicate>},
    {"descriptorClose", entry<descriptor_close>},
    {"descriptorInspect", entry<descriptor_inspect>},
    {"descriptorReopenReadOnly", entry<descriptor_reopen_read_only>},
    {"descriptorSealFutureWrites", entry<descriptor_seal_future_writes>},

    {"segmentKinds", entry<segment_kinds>},
    {"segmentCreate", entry<segment_create>},
    {"fileSegmentCreate", entry<file_segment_create>},
    {"fileSegmentOpen", entry<file_segment_open>},

    {"mappingCreate", entry<mapping_create>},
    {"mappingWindow", entry<mapping_window>},
    {"mappingResidentBytes", entry<mapping_resident_bytes>},
    {"mappingClose", entry<mapping_close>},

    {"ledgerRead", entry<ledger_read>},
    {"ledgerMap", entry<ledger_map>},

    {"fileMap", entry<file_map>},
    {"mappingCopiedBytes", entry<mapping_copied_bytes>},
    {"proveDirectIo", entry<prove_direct_io>},

    {"arenaStrategies", entry<arena_strategies>},
    {"ledgerBytesFor", entry<ledger_bytes_for>},
    {"arenaCreate", entry<arena_create>},
    {"arenaLeftOutBlocks", entry<arena_left_out_blocks>},
    {"arenaThreads", entry<arena_threads>},
    {"arenaShare", entry<arena_share>},
    {"arenaAttach", entry<arena_attach>},
    {"arenaTrim", entry<arena_trim>},
    {"arenaClose", entry<arena_close>},

    {"arenaAllocate", entry<arena_allocate>},
    {"arenaAllocateAgain", entry<arena_allocate_again>},
    {"arenaAllocateAt", entry<arena_allocate_at>},
    {"arenaFree", entry<arena_free>},
    {"arenaAllocateMany", entry<arena_allocate_many>},
    {"arenaFreeMany", entry<arena_free_many>},
    {"arenaMark", entry<arena_mark>},
    {"arenaRewind", entry<arena_rewind>},
    {"arenaFreeBytes", entry<arena_free_bytes>},
    {"arenaLargestFreeBytes", entry<arena_largest_free_bytes>},
    {"arenaFreeRanges", entry<arena_free_ranges>},
    {"arenaOpenMagazines", entry<arena_open_magazines>},
    {"arenaReserve", entry<arena_reserve>},
    {"arenaGiveBack", entry<arena_give_back>},
    {"arenaAskFlush", entry<arena_ask_flush>},

    {"movableAllocate", entry<movable_allocate>},
    {"movableFree", entry<movable_free>},
    {"movablePin", entry<movable_pin>},
    {"movableDrain", entry<movable_drain>},
    {"movablePass", entry<movable_pass>},
    {"movableWaitingBlocks", entry<movable_waiting_blocks>},

    {"socketConnect", entry<socket_connect>},
    {"socketListen", entry<socket_listen>},
    {"listenerClose", entry<listener_close>},
    {"listenerKeepAlive", entry<listener_keep_alive>},
    {"connectionStart", entry<connection_start>},
    {"connectionResume", entry<connection_resume>},
    {"connectionPeer", entry<connection_peer>},
    {"connectionSend", entry<connection_send>},
    {"connectionKeepAlive", entry<connection_keep_alive>},
    {"connectionClose", entry<connection_close>},

    {"wakeCreate", entry<wake_create>},
    {"wakeKeepAlive", entry<wake_keep_alive>},
    {"wakeClose", entry<wake_close>},
    {"wakeCheck", entry<wake_check>},
    {"wakeSignal", entry<wake_signal>},

    {"devicesDetect", entry<devices_detect>},
    {"deviceOpen", entry<device_open>},
    {"deviceImport", entry<device_import>},
    {"deviceAllocate", entry<device_allocate>},
    {"deviceSubmit", entry<device_submit>},
    {"deviceHealth", entry<device_health>},
    {"deviceInject", entry<device_inject>},
    {"deviceClose", entry<device_close>},
    {"deviceBufferRead", entry<device_buffer_read>},
    {"deviceBufferWrite", entry<device_buffer_write>},
    {"deviceBufferClose", entry<device_buffer_close>},

    {"lockFileTry", entry<lock_file_try>},

    {"probeHost", entry<probe_host>},
    {"readHostMemory", entry<read_host_memory>},
    {"raiseDescriptorLimit", entry<raise_descriptor_limit>},
};

napi_value initialise(napi_env env, napi_value exports) {
  try {
    Environment::create(env);
    for (const Export& exported : kExports) {
      napi_value function = nullptr;
      check(napi_create_function(env, exported.name, NAPI_AUTO_LENGTH, exported.function, nullptr, &function));
      check(napi_set_named_property(env, exports, exported.name, function));
    }
  } catch (...) {
    throw_to_javascript(env);
  }
  return exports;
}

}  // namespace
}  // namespace nautilus

NAPI_MODULE_INIT() { return nautilus::initialise(env, exports); }
