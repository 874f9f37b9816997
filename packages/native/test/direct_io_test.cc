// Direct transfers against real file systems: the proof holds where the page cache stays empty, and is denied, with the
// reason, wherever it does not.
#include "segment/direct_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "os/failure.h"
#include "os/unique_descriptor.h"
#include "segment/mapped_region.h"
#include "segment/platform.h"
#include "segment/segment.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

struct Folder {
  std::string path;

  explicit Folder(const std::string& parent) : path(parent + "/nautilus-direct-test-XXXXXX") {
    if (::mkdtemp(path.data()) == nullptr) throw test::Skipped{"no folder can be made in " + parent};
  }
  ~Folder() { ::rmdir(path.c_str()); }
  size_t files() const {
    DIR* listing = ::opendir(path.c_str());
    size_t count = 0;
    while (const dirent* entry = ::readdir(listing)) count += entry->d_name[0] != '.';
    ::closedir(listing);
    return count;
  }
};

constexpr uint64_t kBytes = 128 << 10;

std::shared_ptr<MappedRegion> new_buffer() {
  const Segment segment = segment_kinds()[0].create({.name = "direct", .bytes = kBytes});
  return MappedRegion::map(segment.descriptor.get(), {.writable = true, .prefault = true, .lock = true});
}

void expect_says(const std::string& reason, const std::string& part) {
  if (reason.find(part) == std::string::npos) test::fail(__FILE__, __LINE__, reason + ": does not say " + part);
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

DirectIoProof proof_on_disk(const Folder& folder, std::span<std::byte> scratch) {
  DirectIoProof proof = prove_direct_io(scratch, folder.path);
  const std::string reason = proof.reason.value_or("");
  const bool has_no_disk = reason.ends_with("choose a directory on a disk");
  if (has_no_disk) throw test::Skipped{"/tmp: " + reason};
  return proof;
}

}  // namespace

TEST("direct i/o: proven on a disk, leaves no file and a clean buffer") {
  const Folder folder("/tmp");
  const auto buffer = new_buffer();
  std::fill_n(buffer->base(), kBytes, std::byte{9});
  const DirectIoProof proof = proof_on_disk(folder, {buffer->base(), kBytes});
  EXPECT_EQUAL(proof.reason.value_or(""), "");
  EXPECT(proof.block_bytes >= 512 && (proof.block_bytes & (proof.block_bytes - 1)) == 0);
  EXPECT(proof.via_file.starts_with(folder.path + "/"));
  EXPECT_EQUAL(folder.files(), 0U);
  EXPECT(is_zero({buffer->base(), kBytes}));
}

TEST("direct i/o: only the scratch is touched") {
  const Folder folder("/tmp");
  const auto buffer = new_buffer();
  std::fill_n(buffer->base(), kBytes, std::byte{9});
  const uint64_t page = page_bytes();
  EXPECT(!proof_on_disk(folder, {buffer->base() + page, 4 * page}).reason);
  EXPECT(buffer->base()[page - 1] == std::byte{9} && buffer->base()[5 * page] == std::byte{9});
  EXPECT(is_zero({buffer->base() + page, 4 * page}));
}

TEST("direct i/o: the unit that the kernel tells is one that it takes") {
  const Folder folder("/tmp");
  UniqueDescriptor file(::open(folder.path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.is_open()) throw test::Skipped{"/tmp takes no O_TMPFILE"};
  const auto unit = direct_io_unit(file.get());
  if (!unit) throw test::Skipped{"the kernel does not tell (before 6.1, or a file system that does not)"};
  if (unit->block_bytes == 0 || set_direct(file.get())) throw test::Skipped{"/tmp takes no direct transfers"};
  const auto buffer = new_buffer();
  const auto write = [&](uint64_t bytes, uint64_t offset) {
    return ::pwrite(file.get(), buffer->base(), bytes, static_cast<off_t>(offset));
  };
  EXPECT_EQUAL(write(unit->block_bytes, unit->block_bytes), static_cast<ssize_t>(unit->block_bytes));
  EXPECT_EQUAL(write(unit->block_bytes, unit->block_bytes / 2), -1);
}

TEST("direct i/o: an address or a size that no disk takes is the reason") {
  const Folder folder("/tmp");
  const auto buffer = new_buffer();
  const auto reason_of = [&](uint64_t offset, uint64_t bytes) {
    return proof_on_disk(folder, {buffer->base() + offset, bytes}).reason.value_or("proven");
  };
  expect_says(reason_of(1, kBytes / 2), "buffer does not begin");
  expect_says(reason_of(0, 1000), "blocks");
  expect_says(reason_of(0, 0), "blocks");
  EXPECT_EQUAL(folder.files(), 0U);
}

TEST("direct i/o: memory without a disk proves nothing, whether the kernel refuses the flag or copies") {
  if (::access("/dev/shm", W_OK) != 0) throw test::Skipped{"no /dev/shm here"};
  const Folder folder("/dev/shm");
  const auto buffer = new_buffer();
  const DirectIoProof proof = prove_direct_io({buffer->base(), kBytes}, folder.path);
  EXPECT(proof.reason.has_value());
  const bool is_refused = proof.reason->starts_with("O_DIRECT refused");
  if (!is_refused) expect_says(*proof.reason, std::to_string(kBytes / 2) + " of " + std::to_string(kBytes / 2));
  expect_says(*proof.reason, "choose a directory on a disk");
  EXPECT_EQUAL(folder.files(), 0U);
  EXPECT(is_zero({buffer->base(), kBytes}));
}

TEST("direct i/o: a directory where no file can be made is an error that names it") {
  const auto buffer = new_buffer();
  for (const char* directory : {"/tmp/nautilus-none", "/proc", "/dev/null"}) {
    try {
      prove_direct_io({buffer->base(), kBytes}, directory);
      test::fail(__FILE__, __LINE__, directory);
    } catch (const Failure& failure) {
      expect_says(failure.what(), directory);
      EXPECT(failure.kernel().has_value());
    }
  }
}

TEST("direct i/o: a full disk is the reason, and not an error or a proof") {
  const Folder folder("/tmp");
  const auto buffer = new_buffer();
  static_cast<void>(proof_on_disk(folder, {buffer->base(), kBytes}));
  // A limit on the size of files refuses in the middle as a full disk does; SIGXFSZ would end the process.
  rlimit before{};
  EXPECT(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{kBytes / 4, before.rlim_max};
  EXPECT(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const DirectIoProof proof = prove_direct_io({buffer->base(), kBytes}, folder.path);
  EXPECT(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, old_handler);
  expect_says(proof.reason.value_or("proven"), "a direct write failed");
  EXPECT_EQUAL(folder.files(), 0U);
}
