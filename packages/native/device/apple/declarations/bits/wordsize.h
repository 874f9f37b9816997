// For the syntax check: glibc takes the target for a 32-bit one, because it knows no Apple processor.
#define __WORDSIZE 64
#define __WORDSIZE_TIME64_COMPAT32 0
