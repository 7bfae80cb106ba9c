// Rules about numbers in tensors that kernels use as indices without looking.
#include <algorithm>

#include "node/guard_rules.h"

namespace vision_native::rules {

std::string lu_pivots(const Arguments& call) {
  const at::Tensor factors = call.tensor("LU_data");
  const at::Tensor pivots = call.tensor("LU_pivots");
  if (!factors.defined() || !pivots.defined() || factors.dim() < 2) return {};
  const auto batch = factors.sizes().slice(0, factors.dim() - 2);
  const int64_t steps = std::min(factors.size(-2), factors.size(-1));
  const bool fits = pivots.dim() == factors.dim() - 1 && pivots.size(-1) == steps &&
                    pivots.sizes().slice(0, pivots.dim() - 1) == batch;
  if (fits) return {};
  return "LU_pivots must have the batch sizes of LU_data and " + text(steps) + " numbers each, got " +
         text(pivots.sizes()) + " for LU_data " + text(factors.sizes());
}

std::string ldl_pivots(const Arguments& call) {
  const at::Tensor factors = call.tensor("LD");
  const at::Tensor pivots = call.tensor("pivots");
  if (!factors.defined() || factors.dim() < 2 || !readable(pivots) || pivots.dim() < 1) return {};
  if (!c10::isIntegralType(pivots.scalar_type(), false)) return {};
  const int64_t size = factors.size(-1);
  if (pivots.size(-1) != size) return {};
  const auto values = numbers<int64_t>(pivots);
  for (size_t start = 0; size > 0 && start < values.size(); start += static_cast<size_t>(size)) {
    // LAPACK's encoding: a positive number for a 1×1 block, the same negative number twice for a 2×2 block.
    for (int64_t k = 0; k < size; ++k) {
      const int64_t pivot = values[start + static_cast<size_t>(k)];
      bool valid = pivot >= 1 && pivot <= size;
      if (pivot < 0) {
        valid = -pivot <= size && k + 1 < size && values[start + static_cast<size_t>(k) + 1] == pivot;
        ++k;
      }
      if (!valid) return "pivots must be those that linalg_ldl_factor gave; " + text(pivot) + " is none for this size";
    }
  }
  return {};
}

std::string ctc_targets(const Arguments& call) {
  const at::Tensor scores = call.tensor("log_probs");
  const at::Tensor targets = call.tensor("targets");
  if (!scores.defined() || scores.dim() < 2 || !readable(targets) || targets.dim() < 1 || targets.dim() > 2) return {};
  if (!c10::isIntegralType(targets.scalar_type(), false)) return {};
  std::vector<int64_t> lengths = call.integers("target_lengths");
  if (const at::Tensor given = call.tensor("target_lengths"); readable(given) && !given.is_complex()) {
    lengths = numbers<int64_t>(given);
  }
  const int64_t labels = scores.size(-1);
  const auto values = numbers<int64_t>(targets);
  const int64_t width = targets.dim() == 2 ? targets.size(1) : 0;
  size_t start = 0;
  for (size_t row = 0; row < lengths.size(); ++row) {
    if (width > 0) start = row * static_cast<size_t>(width);
    if (lengths[row] < 0) return "target_lengths must not be negative, got " + text(lengths[row]);
    for (int64_t i = 0; i < lengths[row] && start + static_cast<size_t>(i) < values.size(); ++i) {
      const int64_t label = values[start + static_cast<size_t>(i)];
      if (label >= 0 && label < labels) continue;
      return "targets must be labels from 0 to " + text(labels - 1) + ", got " + text(label);
    }
    if (width == 0) start += static_cast<size_t>(lengths[row]);
  }
  return {};
}

std::string embedding_bags(const Arguments& call) {
  const int64_t mode = call.integer("mode").value_or(0);
  if (mode < 0 || mode > 2) return "mode must be 0 (sum), 1 (mean) or 2 (max), got " + text(mode);
  const at::Tensor indices = call.tensor("indices");
  const at::Tensor offsets = call.tensor("offsets");
  if (!indices.defined() || !readable(offsets) || !c10::isIntegralType(offsets.scalar_type(), false)) return {};
  const auto starts = numbers<int64_t>(offsets);
  const int64_t count = indices.numel();
  if (starts.empty() && count > 0) return "offsets must not be empty when there are indices";
  for (size_t i = 0; i < starts.size(); ++i) {
    const bool valid = starts[i] >= (i > 0 ? starts[i - 1] : 0) && starts[i] <= count;
    if (!valid) return "offsets must stay within the " + text(count) + " indices and never go back, got " + text(starts[i]);
  }
  if (call.boolean("include_last_offset") && !starts.empty() && starts.back() != count) {
    return "the last of the offsets must be the number of indices, " + text(count) + ", got " + text(starts.back());
  }
  return {};
}

std::string segments(const Arguments& call) {
  const at::Tensor data = call.tensor("data");
  const int64_t axis = call.integer("axis").value_or(0);
  if (!data.defined() || axis < 0 || axis >= data.dim()) return {};
  const int64_t size = data.size(axis);
  for (const char* name : {"offsets", "lengths"}) {
    const at::Tensor bounds = call.tensor(name);
    if (!readable(bounds) || !c10::isIntegralType(bounds.scalar_type(), false)) continue;
    if (bounds.dim() != axis + 1 || bounds.sizes().slice(0, axis) != data.sizes().slice(0, axis)) {
      return std::string(name) + " must have the sizes of data before axis " + text(axis) + " and one more dimension, got " +
             text(bounds.sizes()) + " for data " + text(data.sizes());
    }
    const bool is_lengths = std::string(name) == "lengths";
    const auto values = numbers<int64_t>(bounds);
    const auto width = static_cast<size_t>(bounds.size(-1));
    for (size_t start = 0; width > 0 && start < values.size(); start += width) {
      int64_t reached = 0;
      for (size_t i = start; i < start + width; ++i) {
        const int64_t next = is_lengths ? reached + values[i] : values[i];
        const bool valid = values[i] >= 0 && values[i] <= size && next >= reached && next <= size;
        if (!valid) return std::string(name) + " must stay within the " + text(size) + " rows of data and never go back";
        reached = next;
      }
    }
  }
  return {};
}

}  // namespace vision_native::rules
