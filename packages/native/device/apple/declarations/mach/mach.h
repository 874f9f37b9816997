// For the syntax check on machines without Apple's SDK: of Mach only what our files use, written by us from public
// documentation.
#pragma once

#include <stdint.h>

typedef int kern_return_t;
typedef uint32_t mach_port_t;
typedef uint32_t mach_msg_type_number_t;
typedef int* host_info64_t;
struct vm_statistics64_data_t {
  uint32_t free_count, active_count, inactive_count, wire_count;
};

enum { KERN_SUCCESS = 0, HOST_VM_INFO64 = 4, HOST_VM_INFO64_COUNT = 38 };

extern "C" {
mach_port_t mach_host_self(void);
kern_return_t host_statistics64(mach_port_t host, int flavor, host_info64_t info, mach_msg_type_number_t* count);
}
