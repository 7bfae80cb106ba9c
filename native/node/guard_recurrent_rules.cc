// Recurrent networks: kernels take the sizes of states and weights on trust.
#include <limits>

#include "node/guard_rules.h"

namespace vision_native::rules {

namespace {

/// What is wrong with the steps of a packed sequence.
std::string packed_steps(const Arguments& call) {
  const at::Tensor sizes = call.tensor("batch_sizes");
  const at::Tensor data = call.tensor("data");
  if (!readable(sizes) || sizes.scalar_type() != c10::kLong || sizes.dim() != 1 || sizes.numel() == 0) {
    return "batch_sizes must be a CPU tensor of one or more int64 numbers";
  }
  const auto steps = numbers<int64_t>(sizes);
  int64_t rows = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] < 1 || (i > 0 && steps[i] > steps[i - 1])) return "batch_sizes must be positive and never grow";
    rows += steps[i];
    if (rows > std::numeric_limits<int32_t>::max()) return "batch_sizes are too large";
  }
  if (!data.defined() || data.dim() < 1 || data.size(0) == rows) return {};
  return "batch_sizes sum up to " + text(rows) + " rows, data has " + text(data.size(0));
}

std::string expect_sizes(const std::string& what, const at::Tensor& tensor, std::vector<int64_t> sizes) {
  if (tensor.sizes() == at::IntArrayRef(sizes)) return {};
  return what + " must have the shape " + text(sizes) + ", got " + text(tensor.sizes());
}

int64_t gates(const std::string& name) { return name == "aten::lstm" ? 4 : name == "aten::gru" ? 3 : 1; }

}  // namespace

std::string recurrent_sizes(const Arguments& call) {
  const bool packed = call.given("batch_sizes");
  const at::Tensor input = call.tensor(packed ? "data" : "input");
  // An LSTM has a hidden and a cell state, the others one state.
  std::vector<at::Tensor> states = call.tensors("hx");
  const bool is_lstm = call.operator_name() == "aten::lstm";
  if (!is_lstm) states = {call.tensor("hx")};
  if (states.size() != (is_lstm ? 2u : 1u)) return "hx must be the hidden and the cell state";
  if (!input.defined()) return {};
  if (input.dim() != (packed ? 2 : 3)) {
    return std::string(packed ? "data must be [rows, features]" : "input must be [length, batch, features]") + ", got " +
           text(input.sizes());
  }
  if (packed) {
    if (auto wrong = packed_steps(call); !wrong.empty()) return wrong;
  }

  const auto parameters = call.tensors("params");
  const int64_t layers = call.integer("num_layers").value_or(1);
  if (layers < 1 || layers > static_cast<int64_t>(parameters.size())) {
    return "num_layers must be at least 1 and no more than there are parameters, " +
           text(static_cast<int64_t>(parameters.size())) + ", got " + text(layers);
  }
  const int64_t directions = call.boolean("bidirectional") ? 2 : 1;
  const int64_t batch = packed ? numbers<int64_t>(call.tensor("batch_sizes"))[0] : input.size(call.boolean("batch_first") ? 0 : 1);
  for (const auto& state : states) {
    const bool fits = state.dim() == 3 && state.size(0) == layers * directions && state.size(1) == batch;
    if (fits) continue;
    return "states must have the shape [" + text(layers * directions) + ", " + text(batch) + ", features], got " +
           text(state.sizes());
  }

  const int64_t output = states[0].size(2);
  const int64_t hidden = states.back().size(2);
  const bool projected = output != hidden;
  const bool biased = call.boolean("has_biases");
  const size_t each = (biased ? 4 : 2) + (projected ? 1 : 0);
  const auto cells = static_cast<size_t>(layers * directions);
  if (parameters.size() != cells * each) {
    return "there must be " + text(static_cast<int64_t>(cells * each)) + " parameters, got " +
           text(static_cast<int64_t>(parameters.size()));
  }
  const int64_t rows = gates(call.operator_name()) * hidden;
  for (size_t cell = 0; cell < cells; ++cell) {
    const at::Tensor* own = &parameters[cell * each];
    const bool first = cell < static_cast<size_t>(directions);
    const std::string of = " of cell " + text(static_cast<int64_t>(cell));
    std::string wrong = expect_sizes("the input weight" + of, own[0], {rows, first ? input.size(-1) : directions * output});
    if (wrong.empty()) wrong = expect_sizes("the hidden weight" + of, own[1], {rows, output});
    if (wrong.empty() && biased) wrong = expect_sizes("the input bias" + of, own[2], {rows});
    if (wrong.empty() && biased) wrong = expect_sizes("the hidden bias" + of, own[3], {rows});
    if (wrong.empty() && projected) wrong = expect_sizes("the projection" + of, own[each - 1], {output, hidden});
    if (!wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace vision_native::rules
