#include "node/guards.h"

namespace vision_native {

std::string guard(const c10::OperatorHandle&, const torch::jit::Stack&) { return {}; }

}  // namespace vision_native
