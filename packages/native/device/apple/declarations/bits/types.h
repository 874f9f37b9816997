// For the syntax check: on Apple systems uint64_t is unsigned long long and differs from size_t, which is where code
// that only Linux has compiled breaks. So it does here.
#pragma once
#define __int64_t __glibc_int64_t
#define __uint64_t __glibc_uint64_t
#include_next <bits/types.h>
#undef __int64_t
#undef __uint64_t
typedef long long __int64_t;
typedef unsigned long long __uint64_t;
