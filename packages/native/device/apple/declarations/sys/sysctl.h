// For the syntax check on machines without Apple's SDK: what our files use, written by us from the manual page.
#pragma once

#include <stddef.h>

extern "C" int sysctlbyname(const char* name, void* old_value, size_t* old_length, void* new_value, size_t new_length);
