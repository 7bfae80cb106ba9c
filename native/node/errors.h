#pragma once
// What C++ throws, as the `[kind, message]` that lib/native/errors.ts turns into a typed error.
#include <string>

namespace vision_native {

struct Failure {
  std::string kind;
  std::string message;
};

/// Thrown inside the bridge where the kind is known.
class BridgeError : public std::exception {
 public:
  BridgeError(std::string kind, std::string message) : failure_{std::move(kind), std::move(message)} {}
  const char* what() const noexcept override { return failure_.message.c_str(); }
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

/// The failure that the exception now being handled stands for. Call only inside a catch block.
Failure current_failure();

/// Runs `body`; true when it went well, otherwise `failure` says what was thrown.
template <typename Body>
bool guarded(Failure& failure, Body body) {
  try {
    body();
    return true;
  } catch (...) {
    failure = current_failure();
    return false;
  }
}

}  // namespace vision_native
