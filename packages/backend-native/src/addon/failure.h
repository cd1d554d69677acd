// Failures inside the addon: an exception with GradPack's error code. The border (napi-border.h) turns it into a JavaScript error.
#pragma once
#include <stdexcept>
#include <string>

namespace gradpack {

class Failure : public std::runtime_error {
 public:
  Failure(const char* code, const std::string& text) : std::runtime_error(text), code(code) {}
  const char* const code;  // a literal
};

[[noreturn]] inline void fail(const char* code, const std::string& text) { throw Failure(code, text); }

/// A program, handle or argument that a correct caller cannot make.
[[noreturn]] inline void failInternal(const std::string& text) { throw Failure("GRADPACK-INTERNAL", text); }

[[noreturn]] inline void failOutOfMemory(const std::string& text) { throw Failure("GRADPACK-OUT-OF-MEMORY", text); }

/// What was thrown, kept as it crosses threads. std::exception_ptr would need a libstdc++ of 2022 (CXXABI_1.3.13).
struct Caught {
  /// A literal; nullptr where nothing was thrown.
  const char* code = nullptr;
  std::string text;
  [[noreturn]] void rethrow() const { throw Failure(code, text); }
};

/// The exception that is being handled; call it in `catch (...)`.
Caught caught() noexcept;

}  // namespace gradpack
