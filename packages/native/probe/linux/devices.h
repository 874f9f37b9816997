// Devices beside the processor, and counters of the memory bus.
#pragma once

#include "probe/probe.h"

namespace nautilus {

void probe_devices(HostFacts& facts);

}  // namespace nautilus
