// Facts of the host, the lock file and the limit of open files.
#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/values.h"
#include "os/descriptor_limit.h"
#include "os/lock_file.h"
#include "probe/probe.h"
#include "segment/memfd/memfd_segment.h"

namespace nautilus {
namespace {

napi_value availability(napi_env env, const Availability& found) {
  return ObjectBuilder(env).set("available", found.available).set("reason", found.reason).done();
}

}  // namespace

napi_value lock_file_try(const Call& call) {
  std::optional<UniqueDescriptor> lock = try_lock_file(call.text(0));
  if (!lock) return null_js(call.env());
  return to_js(call.env(), Environment::require(call.env()).give(std::move(*lock)));
}

napi_value probe_host(const Call& call) {
  napi_env env = call.env();
  const HostFacts facts = probe_host();
  const std::optional<std::string> no_memfd = memfd_unavailable_reason();
  return ObjectBuilder(env)
      .set("platform", facts.platform)
      .set("arch", facts.arch)
      .set("kernel", facts.kernel)
      .set("cpuModel", facts.cpu_model)
      .set("cpuCount", facts.cpu_count)
      .set("pageBytes", facts.page_bytes)
      .set("totalBytes", facts.total_bytes)
      .set("totalSource", facts.total_is_cgroup_limit ? "cgroup" : "host")
      .set("bootId", facts.boot_id)
      .set("hugePages", ObjectBuilder(env)
                            .set("available", facts.huge_pages.available)
                            .set("pageBytes", facts.huge_page_bytes)
                            .set("freePages", facts.free_huge_pages)
                            .set("reason", facts.huge_pages.reason)
                            .done())
      .set("psi", availability(env, facts.psi))
      .set("cgroup", ObjectBuilder(env)
                         .set("version", facts.cgroup_version)
                         .set("memoryController", facts.cgroup_memory_controller)
                         .set("reason", facts.cgroup_reason)
                         .done())
      .set("memfd", ObjectBuilder(env).set("available", !no_memfd).set("reason", no_memfd).done())
      .set("unifiedMemory", availability(env, facts.unified_memory))
      .set("gpu", ObjectBuilder(env)
                      .set("available", facts.gpu.available)
                      .set("name", facts.gpu_name)
                      .set("reason", facts.gpu.reason)
                      .done())
      .set("neuralEngine", availability(env, facts.neural_engine))
      .set("bandwidthCounter", ObjectBuilder(env)
                                   .set("available", facts.bandwidth_counter.available)
                                   .set("source", facts.bandwidth_source)
                                   .set("reason", facts.bandwidth_counter.reason)
                                   .done())
      .done();
}

napi_value read_host_memory(const Call& call) {
  const HostMemory memory = read_host_memory();
  return ObjectBuilder(call.env())
      .set("totalBytes", memory.total_bytes)
      .set("availableBytes", memory.available_bytes)
      .set("swapTotalBytes", memory.swap_total_bytes)
      .set("swapFreeBytes", memory.swap_free_bytes)
      .set("majorFaults", memory.major_faults)
      .set("psiSomeTotalUs", memory.psi_some_total_us)
      .set("psiFullTotalUs", memory.psi_full_total_us)
      .set("psiSomeAvg10", memory.psi_some_avg10)
      .set("psiFullAvg10", memory.psi_full_avg10)
      .done();
}

napi_value raise_descriptor_limit(const Call& call) {
  const DescriptorLimit limit = raise_descriptor_limit();
  return ObjectBuilder(call.env()).set("soft", limit.soft).set("hard", limit.hard).done();
}

}  // namespace nautilus
