// The only program in the test containers: holds memory as it is told, so that limits have something to bind on.
// Steps run in order: anon:MIB  file:MIB  sleep:MS  exit:CODE; after the last one it waits.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kMiB = size_t{1} << 20;

void hold_anonymous(size_t mebibytes) {
  for (size_t i = 0; i < mebibytes; ++i) {
    void* page = mmap(nullptr, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) _exit(3);
    memset(page, 0x5a, kMiB);
  }
}

void fill_page_cache(size_t mebibytes) {
  static char block[kMiB];
  const int file = open("/cache", O_CREAT | O_RDWR | O_TRUNC, 0600);
  if (file < 0) _exit(4);
  for (size_t i = 0; i < mebibytes; ++i) {
    if (write(file, block, sizeof block) != static_cast<ssize_t>(sizeof block)) _exit(5);
  }
  fsync(file);
  close(file);
}

void run(const char* step) {
  const char* colon = strchr(step, ':');
  if (colon == nullptr) _exit(2);
  const size_t length = static_cast<size_t>(colon - step);
  const char* value = colon + 1;
  const auto is = [&](const char* name) { return strlen(name) == length && strncmp(step, name, length) == 0; };
  if (is("anon")) return hold_anonymous(strtoul(value, nullptr, 10));
  if (is("file")) return fill_page_cache(strtoul(value, nullptr, 10));
  if (is("sleep")) {
    usleep(static_cast<useconds_t>(strtoul(value, nullptr, 10) * 1000));
    return;
  }
  if (is("exit")) _exit(atoi(value));
  _exit(2);
}

}  // namespace

int main(int count, char** steps) {
  // The first process of a container ignores what it has no handler for.
  signal(SIGTERM, [](int) { _exit(0); });
  for (int i = 1; i < count; ++i) run(steps[i]);
  for (;;) pause();
}
