// Stand-ins for symbols that only new C and C++ libraries have, so that an addon that was compiled on a new Linux loads on an old one.
// test/published.test.ts holds the addon to the floors that result. exports.map keeps all of this inside.
#if defined(__linux__)
#include <new>

// std::shared_ptr asks it (glibc 2.32) whether it may count without atomics: never
extern "C" char __libc_single_threaded;
char __libc_single_threaded = 0;

#if defined(__GLIBCXX__)
namespace std {
/// What containers throw where a size is out of range (GLIBCXX_3.4.29).
void __throw_bad_array_new_length() { throw bad_array_new_length(); }
}  // namespace std
#endif
#endif
