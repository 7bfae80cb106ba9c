#pragma once
// Fuses what inference leaves apart: a convolution, the batch norm with fixed statistics after it, an addition and an
// activation become one call of oneDNN, with the weights folded and in the order that it computes in.
#include <vector>

#include "node/graph.h"

namespace vision_native {

class GraphOptimizer {
 public:
  /// `tensors` holds the tensor that each value was at capture.
  static void run(Graph& graph, const std::vector<at::Tensor>& tensors) { GraphOptimizer(graph, tensors).run(); }

 private:
  /// A convolution and what is merged into it.
  struct Chain {
    size_t convolution;
    std::vector<size_t> members;
    /// What the chain gives so far.
    ValueId value = kNoValue;
    std::optional<size_t> norm;
    ValueId other = kNoValue;
    std::string activation;
    std::vector<double> bounds;
  };

  GraphOptimizer(Graph& graph, const std::vector<at::Tensor>& tensors);
  void run();
  std::optional<Chain> chain_from(size_t index) const;
  bool extend(Chain& chain, size_t next) const;
  bool add_norm(Chain& chain, const Instruction& norm, size_t index) const;
  bool add_other(Chain& chain, const Instruction& addition) const;
  bool add_activation(Chain& chain, const Instruction& activation) const;
  Instruction fuse(const Chain& chain);

  /// The tensor of an argument that is there before every run and that no run changes; undefined otherwise.
  at::Tensor fixed(const Instruction& instruction, size_t argument) const;
  std::optional<size_t> next_use(ValueId value, size_t after) const;
  bool writes_between(const Chain& chain, size_t end) const;
  void remember(const at::Tensor& tensor);

  Graph& graph_;
  const std::vector<at::Tensor>& tensors_;
  std::vector<int> uses_;
  /// Instructions that a chain has taken; the last of each chain is what it became.
  std::vector<bool> gone_;
};

}  // namespace vision_native
