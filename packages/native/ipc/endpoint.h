// The two ends of a Unix socket by path. A file left by a dead server is replaced, a served one never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "os/unique_descriptor.h"

namespace nautilus {

UniqueDescriptor connect_socket(const std::string& path);

class SocketServer {
 public:
  SocketServer(const std::string& path, uint32_t mode);
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  int fd() const noexcept { return socket_.get(); }
  // Nothing when nobody waits. When this process has no descriptor left, the waiting connection is closed
  // (its client sees the end at once) instead of waking the event loop for ever.
  std::optional<UniqueDescriptor> accept();

 private:
  void bind_to_path(uint32_t mode);
  bool is_stale() const;

  std::string path_;
  UniqueDescriptor socket_;
  UniqueDescriptor spare_;  // given up for a moment to accept and drop when descriptors are exhausted
  uint64_t device_ = 0;     // of the socket file, so that a successor's file is not removed
  uint64_t inode_ = 0;
};

}  // namespace nautilus
