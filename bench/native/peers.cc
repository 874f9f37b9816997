// A library that replaces malloc may want thread-local memory that only exists at the start of a program; the driver
// asks the loader to set some aside (GLIBC_TUNABLES).
#include "peers.h"

#include <dlfcn.h>

#include <cstdlib>

namespace nautilus::bench {
namespace {

struct Library {
  const char* name;
  std::vector<const char*> files;
  const char* allocate_bytes;
  const char* free_bytes;
  const char* package;
};

const Library kLibraries[] = {
    {"mimalloc", {"libmimalloc.so", "libmimalloc.so.2", "libmimalloc.dylib"}, "mi_malloc", "mi_free", "libmimalloc-dev"},
    {"jemalloc", {"libjemalloc.so", "libjemalloc.so.2", "libjemalloc.dylib"}, "malloc", "free", "libjemalloc-dev"},
    {"tcmalloc",
     {"libtcmalloc_minimal.so", "libtcmalloc_minimal.so.4", "libtcmalloc_minimal.dylib"},
     "tc_malloc",
     "tc_free",
     "libgoogle-perftools-dev"},
};

}  // namespace

std::vector<Peer> find_peers(Report& report) {
  std::vector<Peer> peers;
  for (const Library& library : kLibraries) {
    void* opened = nullptr;
    std::string reason;
    for (const char* file : library.files) {
      opened = dlopen(file, RTLD_NOW | RTLD_LOCAL);
      if (opened != nullptr) break;
      if (reason.empty()) reason = dlerror();
    }
    Peer peer{library.name, nullptr, nullptr};
    if (opened != nullptr) {
      peer.allocate_bytes = reinterpret_cast<void* (*)(size_t)>(dlsym(opened, library.allocate_bytes));
      peer.free_bytes = reinterpret_cast<void (*)(void*)>(dlsym(opened, library.free_bytes));
      if (peer.allocate_bytes == nullptr || peer.free_bytes == nullptr) reason = "the library lacks its functions";
    }
    if (peer.allocate_bytes == nullptr || peer.free_bytes == nullptr) {
      // Installing helps against an absent library only.
      const bool is_absent = reason.find("No such file") != std::string::npos;
      report.skipped(library.name, reason, is_absent ? std::string("sudo apt-get install ") + library.package : "");
    } else {
      peers.push_back(peer);
    }
  }
#if defined(__GLIBC__)
  peers.push_back({"glibc", std::malloc, std::free});
#else
  peers.push_back({"system malloc", std::malloc, std::free});
#endif
  return peers;
}

}  // namespace nautilus::bench
