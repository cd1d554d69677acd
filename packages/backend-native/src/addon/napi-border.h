// The border to JavaScript: arguments are read and checked here, and no C++ exception passes it.
#pragma once
#include <node_api.h>

#include <cstddef>
#include <string>

#include "dtype.h"
#include "failure.h"

namespace gradpack {

/// A wrong argument, which becomes a TypeError.
class WrongArgument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// A JavaScript exception is already on its way.
class Pending {};

inline void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw Pending{};
  failInternal("Node-API said " + std::to_string(static_cast<int>(status)));
}

struct Numbers {
  void* data = nullptr;
  std::size_t length = 0;
  Dtype dtype = Dtype::float64;
};

/// The arguments of one call.
template <std::size_t count> class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    std::size_t given = count;
    check(env, napi_get_cb_info(env, info, &given, values_, nullptr, nullptr));
    if (given < count) throw WrongArgument("expected " + std::to_string(count) + " arguments, got " + std::to_string(given));
  }
  napi_value value(std::size_t i) const { return values_[i]; }
  double number(std::size_t i) const {
    double x = 0;
    if (napi_get_value_double(env_, values_[i], &x) != napi_ok) throw WrongArgument("argument " + std::to_string(i) + " is not a number");
    return x;
  }
  /// A whole number in [0, most].
  double whole(std::size_t i, double most) const {
    const double x = number(i);
    if (!(x >= 0 && x <= most) || x != static_cast<double>(static_cast<std::int64_t>(x))) throw WrongArgument("argument " + std::to_string(i) + " is out of range");
    return x;
  }
  /// A Float32Array, Float64Array or Int32Array; the pointer is good until JavaScript runs again.
  Numbers numbers(std::size_t i) const {
    bool is = false;
    check(env_, napi_is_typedarray(env_, values_[i], &is));
    if (!is) throw WrongArgument("argument " + std::to_string(i) + " is not a typed array");
    Numbers numbers;
    napi_typedarray_type type{};
    check(env_, napi_get_typedarray_info(env_, values_[i], &type, &numbers.length, &numbers.data, nullptr, nullptr));
    if (type == napi_float32_array) numbers.dtype = Dtype::float32;
    else if (type == napi_float64_array) numbers.dtype = Dtype::float64;
    else if (type == napi_int32_array) numbers.dtype = Dtype::int32;
    else throw WrongArgument("argument " + std::to_string(i) + " is a typed array of another kind");
    return numbers;
  }

 private:
  napi_env env_;
  napi_value values_[count > 0 ? count : 1];
};

inline napi_value numberValue(napi_env env, double x) {
  napi_value value = nullptr;
  check(env, napi_create_double(env, x, &value));
  return value;
}

/// Runs `body` and throws its failure as a JavaScript error with GradPack's code.
template <class F> napi_value guarded(napi_env env, const F& body) noexcept {
  try {
    return body();
  } catch (const Pending&) {
  } catch (const WrongArgument& wrong) {
    napi_throw_type_error(env, nullptr, wrong.what());
  } catch (...) {
    const Caught failure = caught();
    napi_throw_error(env, failure.code, failure.text.c_str());
  }
  return nullptr;
}

}  // namespace gradpack
