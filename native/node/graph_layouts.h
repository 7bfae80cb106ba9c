#pragma once
// What a fused operator gives may lie in memory in another order than at capture. Most operators do not mind; those that
// do, and whoever called, get the order of capture.
#include <vector>

#include "node/graph.h"

namespace vision_native {

/**
 * Puts values back into the order of capture where that matters.
 *
 * @param fused for each instruction, whether its result may lie in another order
 * @param tensors the tensor that each value was at capture
 * @return false where that would part values that share memory and are written to later
 */
bool keep_layouts(std::vector<Instruction>& instructions, const std::vector<bool>& fused,
                  const std::vector<ValueId>& outputs, const std::vector<at::Tensor>& tensors);

}  // namespace vision_native
