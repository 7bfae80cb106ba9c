#pragma once
// Calls that kill the process inside LibTorch itself, refused before they are made (docs/upstream-crashes.md).
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <string>

namespace vision_native {

/// Why the call must not be made, or an empty string.
std::string guard(const c10::OperatorHandle& op, const torch::jit::Stack& stack);

}  // namespace vision_native
