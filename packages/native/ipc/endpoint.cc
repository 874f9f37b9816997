// The permission bits are set on the socket before bind, so that the file never exists with wider ones.
#include "ipc/endpoint.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "ipc/platform.h"
#include "os/failure.h"

namespace nautilus {
namespace {

constexpr int kBacklog = 128;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr size_t kLimit = sizeof address.sun_path - 1;
  if (path.size() > kLimit) {
    throw Failure(ErrorCode::kInvalidArgument, "socket path of " + std::to_string(path.size()) +
                                                   " bytes: the system allows " + std::to_string(kLimit) + " (" +
                                                   path + ")");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

int connect_to(int socket, const sockaddr_un& address) {
  int outcome = 0;
  do {
    outcome = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (outcome != 0 && errno == EINTR);
  return outcome == 0 ? 0 : errno;
}

UniqueDescriptor open_spare() { return UniqueDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

UniqueDescriptor connect_socket(const std::string& path) {
  const sockaddr_un address = address_of(path);
  UniqueDescriptor socket = create_stream_socket();
  const int error_number = connect_to(socket.get(), address);
  if (error_number != 0) throw system_failure("connect", error_number, "socket " + path);
  return socket;
}

SocketServer::SocketServer(const std::string& path, uint32_t mode)
    : path_(path), socket_(create_stream_socket()), spare_(open_spare()) {
  bind_to_path(mode);
  struct stat facts {};
  const bool is_known = ::lstat(path_.c_str(), &facts) == 0;
  if (is_known) {
    device_ = static_cast<uint64_t>(facts.st_dev);
    inode_ = static_cast<uint64_t>(facts.st_ino);
  }
  if (!is_known || ::chmod(path_.c_str(), static_cast<mode_t>(mode)) != 0 || ::listen(socket_.get(), kBacklog) != 0) {
    const int error_number = errno;
    ::unlink(path_.c_str());
    throw system_failure("listen", error_number, "socket " + path_);
  }
}

void SocketServer::bind_to_path(uint32_t mode) {
  const sockaddr_un address = address_of(path_);
  // macOS refuses this on sockets; there chmod after bind is all there is.
  [[maybe_unused]] const int narrowed = ::fchmod(socket_.get(), static_cast<mode_t>(mode));
  const auto try_bind = [&] {
    return ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  };
  int error_number = try_bind();
  if (error_number == EADDRINUSE && is_stale()) {
    ::unlink(path_.c_str());
    error_number = try_bind();
  }
  if (error_number == EADDRINUSE) {
    throw Failure(ErrorCode::kAddressInUse, "socket " + path_ + ": somebody serves it, or it is no socket",
                  KernelError{error_number, "bind"});
  }
  if (error_number != 0) throw system_failure("bind", error_number, "socket " + path_);
}

bool SocketServer::is_stale() const {
  struct stat facts {};
  if (::lstat(path_.c_str(), &facts) != 0) return errno == ENOENT;
  if (!S_ISSOCK(facts.st_mode)) return false;
  const UniqueDescriptor probe = create_stream_socket();
  return connect_to(probe.get(), address_of(path_)) == ECONNREFUSED;
}

SocketServer::~SocketServer() {
  struct stat facts {};
  if (inode_ != 0 && ::lstat(path_.c_str(), &facts) == 0 && static_cast<uint64_t>(facts.st_dev) == device_ &&
      static_cast<uint64_t>(facts.st_ino) == inode_) {
    ::unlink(path_.c_str());
  }
}

std::optional<UniqueDescriptor> SocketServer::accept() {
  UniqueDescriptor accepted = accept_stream_socket(socket_.get());
  if (accepted.is_open()) return accepted;
  if (errno == EMFILE || errno == ENFILE) {
    spare_.reset();
    accept_stream_socket(socket_.get()).reset();
    spare_ = open_spare();
  }
  return std::nullopt;
}

}  // namespace nautilus
