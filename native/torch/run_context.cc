#include "torch/run_context.h"

namespace vision_native {

namespace {
thread_local RunContext* current = nullptr;
}

RunContext* current_run_context() { return current; }

RunContextGuard::RunContextGuard(RunContext* context) : previous_(current) { current = context; }
RunContextGuard::~RunContextGuard() { current = previous_; }

}  // namespace vision_native
