// Read before every source (build.mjs): exp and log as they were before glibc 2.29, which differ in errno alone. See old-symbols.cc.
#if defined(__linux__) && defined(__x86_64__)
#include <features.h>
#if defined(__GLIBC__)
__asm__(".symver exp, exp@GLIBC_2.2.5");
__asm__(".symver log, log@GLIBC_2.2.5");
#endif
#endif
