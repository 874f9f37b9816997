// Files as segments: what is mapped is the page cache itself, checked through the file and against the kernel's page
// map; and what a hostile or careless path, range or writer does.
#include "segment/file_mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "os/failure.h"
#include "os/unique_descriptor.h"
#include "segment/platform.h"
#include "segment/segment.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

struct Folder {
  std::string path = "/tmp/nautilus-file-mapping-XXXXXX";

  Folder() {
    if (::mkdtemp(path.data()) == nullptr) throw std::bad_alloc();
  }
  ~Folder() {
    ::unlink(file().c_str());
    ::rmdir(path.c_str());
  }
  std::string file() const { return path + "/file"; }
};

struct TestFile : Folder {
  UniqueDescriptor descriptor;

  explicit TestFile(uint64_t bytes) : descriptor(::open(file().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    if (::ftruncate(descriptor.get(), static_cast<off_t>(bytes)) != 0) throw std::bad_alloc();
  }
  void write(uint64_t offset, std::string_view bytes) const {
    if (::pwrite(descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(bytes.size())) {
      throw std::bad_alloc();
    }
  }
};

std::string text_at(const FileMapping& mapping, uint64_t offset, size_t bytes) {
  return {reinterpret_cast<const char*>(mapping.region->base() + offset), bytes};
}

void expect_says(const std::string& reason, const std::string& part) {
  if (reason.find(part) == std::string::npos) test::fail(__FILE__, __LINE__, reason + ": does not say " + part);
}

void expect_refused(const FileMapRequest& request, ErrorCode code, const std::string& part) {
  try {
    map_file(request);
  } catch (const Failure& failure) {
    EXPECT(failure.code() == code);
    expect_says(failure.what(), request.path);
    expect_says(failure.what(), part);
    return;
  }
  test::fail(__FILE__, __LINE__, "not refused: " + part);
}

struct End {
  int status;
  std::string said;
};

// What a process that does this says on stderr, and how it ends.
template <typename Body>
End end_of(Body body) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::bad_alloc();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  End end{};
  char some[4096];
  for (ssize_t read; (read = ::read(ends[0], some, sizeof some)) > 0;) end.said.append(some, static_cast<size_t>(read));
  ::close(ends[0]);
  ::waitpid(child, &end.status, 0);
  return end;
}

}  // namespace

TEST("file mapping: read-only is the page cache itself, in both directions of time") {
  const TestFile file(3 * page_bytes() + 5);
  file.write(10, "before");
  const FileMapping mapping = map_file({.path = file.file()});
  EXPECT_EQUAL(mapping.file_bytes, 3 * page_bytes() + 5);
  EXPECT_EQUAL(mapping.region->bytes(), 3 * page_bytes() + 5);
  EXPECT(!mapping.region->is_writable());
  EXPECT_EQUAL(text_at(mapping, 10, 6), "before");
  file.write(10, "after!");
  EXPECT_EQUAL(text_at(mapping, 10, 6), "after!");
  EXPECT_EQUAL(copied_bytes(mapping.region->base(), mapping.region->bytes()), 0U);
}

TEST("file mapping: private writes stay here, cost the written pages only, and cut these off from the file") {
  const TestFile file(8 * page_bytes());
  file.write(page_bytes(), "file");
  const FileMapping mapping = map_file({.path = file.file(), .is_private = true});
  std::byte* base = mapping.region->base();
  EXPECT_EQUAL(text_at(mapping, page_bytes(), 4), "file");
  EXPECT_EQUAL(copied_bytes(base, mapping.region->bytes()), 0U);
  base[page_bytes()] = std::byte{'F'};
  base[5 * page_bytes() + 1] = std::byte{'x'};
  EXPECT_EQUAL(copied_bytes(base, mapping.region->bytes()), 2 * page_bytes());
  char found[4] = {};
  EXPECT_EQUAL(::pread(file.descriptor.get(), found, 4, static_cast<off_t>(page_bytes())), 4);
  EXPECT_EQUAL(std::string(found, 4), "file");
  file.write(page_bytes(), "gone");
  EXPECT_EQUAL(text_at(mapping, page_bytes(), 4), "File");
}

TEST("file mapping: a range of the file, counted from its offset") {
  const TestFile file(4 * page_bytes());
  file.write(2 * page_bytes() + 3, "here");
  const FileMapping mapping = map_file({.path = file.file(), .offset = 2 * page_bytes(), .bytes = 100});
  EXPECT_EQUAL(mapping.region->bytes(), 100U);
  EXPECT_EQUAL(text_at(mapping, 3, 4), "here");
}

TEST("file mapping: stays when the file is removed") {
  const TestFile file(page_bytes());
  file.write(0, "kept");
  const FileMapping mapping = map_file({.path = file.file()});
  EXPECT(::unlink(file.file().c_str()) == 0);
  EXPECT_EQUAL(text_at(mapping, 0, 4), "kept");
}

TEST("file mapping: more than 4 GiB of a sparse file cost what is touched") {
  constexpr uint64_t kFar = uint64_t{5} << 30;
  const TestFile file(kFar + 100);
  file.write(kFar + 96, "end.");
  const FileMapping mapping = map_file({.path = file.file()});
  EXPECT_EQUAL(text_at(mapping, kFar + 96, 4), "end.");
  EXPECT(mapping.region->base()[kFar / 2] == std::byte{0});
  EXPECT(resident_bytes(mapping.region->base(), kFar) < 64 << 20);
}

TEST("file mapping: paths and ranges that are none are refused by name") {
  const TestFile file(2 * page_bytes());
  const std::string path = file.file();
  const uint64_t page = page_bytes();
  expect_refused({.path = path + ".none"}, ErrorCode::kNotFound, "No such file");
  expect_refused({.path = file.path}, ErrorCode::kInvalidArgument, "a directory");
  expect_refused({.path = "/dev/zero"}, ErrorCode::kInvalidArgument, "no regular file");
  expect_refused({.path = path, .offset = 1}, ErrorCode::kInvalidArgument, "not a multiple of the page");
  expect_refused({.path = path, .offset = 2 * page}, ErrorCode::kInvalidArgument, "not inside");
  expect_refused({.path = path, .offset = uint64_t{0} - page}, ErrorCode::kInvalidArgument, "not inside");
  expect_refused({.path = path, .bytes = 0}, ErrorCode::kInvalidArgument, "0 bytes asked");
  expect_refused({.path = path, .offset = page, .bytes = page + 1}, ErrorCode::kInvalidArgument, "bytes asked");
  expect_refused({.path = path, .offset = page, .bytes = ~uint64_t{0}}, ErrorCode::kInvalidArgument, "bytes asked");
  EXPECT(::ftruncate(file.descriptor.get(), 0) == 0);
  expect_refused({.path = path}, ErrorCode::kInvalidArgument, "empty");
  EXPECT(::unlink(path.c_str()) == 0);
  EXPECT(::mkfifo(path.c_str(), 0600) == 0);
  expect_refused({.path = path}, ErrorCode::kInvalidArgument, "no regular file");
}

TEST("file mapping: a file that can be cut short says so, a sealed one does not") {
  const TestFile file(page_bytes());
  expect_says(map_file({.path = file.file()}).shrink_risk.value_or(""), "SIGBUS");
  const Segment segment = segment_kinds()[0].create({.name = "sealed", .bytes = page_bytes()});
  if (!read_seals(segment.descriptor.get()).shrink) throw test::Skipped{"no seals here"};
  const std::string path = "/proc/self/fd/" + std::to_string(segment.descriptor.get());
  EXPECT(!map_file({.path = path}).shrink_risk);
}

TEST("file mapping: pages that are cut off end the process with one line that names the file") {
  for (const bool is_private : {false, true}) {
    const TestFile file(3 * page_bytes());
    const FileMapping mapping = map_file({.path = file.file(), .is_private = is_private});
    const End end = end_of([&] {
      if (::ftruncate(file.descriptor.get(), 100) != 0) ::_exit(9);
      // The rest of the last page is zero, beyond it is nothing.
      if (mapping.region->base()[page_bytes() - 1] != std::byte{0}) ::_exit(8);
      const volatile std::byte* lost = mapping.region->base() + page_bytes() + 7;
      static_cast<void>(*lost);
    });
    EXPECT(end.status != 0);
    EXPECT(!WIFEXITED(end.status) || (WEXITSTATUS(end.status) != 8 && WEXITSTATUS(end.status) != 9));
    expect_says(end.said, "nautilus: lost page of the mapped file " + file.file() + " at mapped offset " +
                              std::to_string(page_bytes() + 7) + " of " + std::to_string(3 * page_bytes()));
  }
}

TEST("file mapping: a write through a read-only mapping names the file, and a hostile name forges no line") {
  const TestFile file(page_bytes());
  const std::string other = file.path + "/a\nb";
  EXPECT(::rename(file.file().c_str(), other.c_str()) == 0);
  const FileMapping mapping = map_file({.path = other});
  EXPECT(::unlink(other.c_str()) == 0);
  const End end = end_of([&] { *const_cast<volatile std::byte*>(mapping.region->base() + 3) = std::byte{1}; });
  EXPECT(end.status != 0);
  expect_says(end.said, "nautilus: write into the mapped file " + file.path + "/a?b at mapped offset 3 of ");
}

TEST("file mapping: a long path is shown by its end") {
  const TestFile file(page_bytes());
  std::string path = file.file();
  while (path.size() < 600) path.insert(file.path.size(), "/.");
  const FileMapping mapping = map_file({.path = path});
  const End end = end_of([&] { *const_cast<volatile std::byte*>(mapping.region->base()) = std::byte{1}; });
  expect_says(end.said, "write into the mapped file " + path.substr(path.size() - 200) + " at mapped offset 0 of ");
}
