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

    {"arenaStrategies", entry<arena_strategies>},
    {"arenaCreate", entry<arena_create>},
    {"arenaAllocate", entry<arena_allocate>},
    {"arenaAllocateAt", entry<arena_allocate_at>},
    {"arenaOffsetOf", entry<arena_offset_of>},
    {"arenaLengthOf", entry<arena_length_of>},
    {"arenaFree", entry<arena_free>},
    {"arenaMark", entry<arena_mark>},
    {"arenaRewind", entry<arena_rewind>},
    {"arenaStats", entry<arena_stats>},
    {"arenaClose", entry<arena_close>},

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
