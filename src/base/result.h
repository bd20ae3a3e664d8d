// Errors as values. Our code does not throw: a function that can fail returns Status or Result<T>, both
// [[nodiscard]]. The code of an error says what a *caller* does with it; the text is for people and reads
// "cannot <verb> <object>: <cause>". Each layer adds its context once (with_context); an error is logged once,
// where it stops.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace logboom {

enum class ErrorCode {
  kInvalidArgument,  // the request is wrong; the same request fails again
  kNotFound,         // what was named does not exist
  kCorrupt,          // stored bytes are damaged; their neighbours may be fine
  kIo,               // the operating system refused; see Error::os_error
  kUnavailable,      // not now: retry later
  kRejected,         // the other side refused these bytes for good: do not retry
  kFull,             // no space, or over a limit
  kCancelled,        // a stop was requested or a deadline passed
  kUnsupported,      // a version or feature this program does not have
  kInternal,         // a bug of ours or of a library
};

// "invalid argument", "not found", ...: for logs and the API.
std::string_view error_code_name(ErrorCode code);

class Error {
 public:
  Error(ErrorCode code, std::string message, int os_error = 0)
      : code_(code), os_error_(os_error), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // errno of the failed call, or 0.
  int os_error() const { return os_error_; }
  // The same error with "context: " before its message.
  Error with_context(std::string_view context) const;

 private:
  ErrorCode code_;
  int os_error_;
  std::string message_;
};

// kIo (kFull for ENOSPC and EDQUOT, kNotFound for ENOENT, kCorrupt never): "cannot <what>: <strerror>".
Error os_error(std::string_view what, int error_number);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : value_(tl::unexpected<Error>(std::move(error))) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  // Only when ok(). Of a temporary the value comes by value, so that `for (x : *f())` and `const auto& x = *f()` keep
  // it alive.
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  // Only when not ok().
  const Error& error() const& { return value_.error(); }
  Error&& error() && { return std::move(value_.error()); }

 private:
  tl::expected<T, Error> value_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : value_(tl::unexpected<Error>(std::move(error))) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return value_.error(); }
  Error&& error() && { return std::move(value_.error()); }

 private:
  tl::expected<void, Error> value_;
};

using Status = Result<void>;

inline Status ok_status() {
  return {};
}

}  // namespace logboom

#define LB_CONCAT_INNER(a, b) a##b
#define LB_CONCAT(a, b) LB_CONCAT_INNER(a, b)

// LB_TRY(expr): returns the error of a failed Status or Result from the enclosing function.
#define LB_TRY(expr)                                                  \
  do {                                                                \
    auto lb_try_result = (expr);                                      \
    if (!lb_try_result.ok()) return std::move(lb_try_result).error(); \
  } while (false)

// LB_ASSIGN(auto x, expr): binds x to the value, or returns the error.
#define LB_ASSIGN(declaration, expr) LB_ASSIGN_INNER(LB_CONCAT(lb_result_, __LINE__), declaration, expr)
#define LB_ASSIGN_INNER(result, declaration, expr)    \
  auto result = (expr);                               \
  if (!result.ok()) return std::move(result).error(); \
  declaration = std::move(result).value()
