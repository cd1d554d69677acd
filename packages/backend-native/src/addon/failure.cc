#include "failure.h"

#include <new>

namespace gradpack {
namespace {

Caught keep(const char* code, const char* text) noexcept {
  Caught result;
  result.code = code;
  try {
    result.text = text;
  } catch (...) {  // no memory for the words: the code says enough
  }
  return result;
}

}  // namespace

Caught caught() noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    return keep(failure.code, failure.what());
  } catch (const std::bad_alloc&) {
    return keep("GRADPACK-OUT-OF-MEMORY", "the system has no more memory");
  } catch (const std::exception& other) {
    return keep("GRADPACK-INTERNAL", other.what());
  } catch (...) {
    return keep("GRADPACK-INTERNAL", "an unknown failure in the native addon");
  }
}

}  // namespace gradpack
