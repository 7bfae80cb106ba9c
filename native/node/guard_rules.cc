#include "node/guard_rules.h"

#include <ATen/ops/view_as_real.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace vision_native::rules {

namespace {

/// Kernels, paddings and strides beyond this are mistakes; LibTorch walks through them step by step.
constexpr int64_t kLargestWindow = 1 << 24;
/// Degrees of polynomials beyond this are mistakes; LibTorch computes them by recurrence.
constexpr double kLargestDegree = 1 << 20;
/// Each part of a split is a tensor of its own.
constexpr int64_t kMostSections = 1 << 20;
/// A dimension each.
constexpr int64_t kLongestCombination = 64;

/// What is wrong with a vector of one number a channel.
std::string channel_vector(const Arguments& call, const char* name, int64_t channels) {
  const at::Tensor vector = call.tensor(name);
  if (!vector.defined() || vector.numel() == channels) return {};
  return std::string(name) + " must have one element for each of the " + text(channels) + " channels, got " +
         text(vector.sizes());
}

bool is_signed_wide(const at::Tensor& tensor) {
  return tensor.scalar_type() == c10::kInt || tensor.scalar_type() == c10::kLong;
}

double lowest(const at::Tensor& tensor) {
  return tensor.scalar_type() == c10::kInt ? static_cast<double>(std::numeric_limits<int32_t>::min())
                                           : static_cast<double>(std::numeric_limits<int64_t>::min());
}

bool contains(const at::Tensor& tensor, double wanted) {
  if (!readable(tensor) || !is_signed_wide(tensor)) return false;
  const auto values = numbers<int64_t>(tensor);
  return std::find(values.begin(), values.end(), static_cast<int64_t>(wanted)) != values.end();
}

}  // namespace

// ---- Sizes that kernels trust ---------------------------------------------------------------------------------------

std::string batch_norm_sizes(const Arguments& call) {
  const at::Tensor input = call.tensor("input");
  if (!input.defined() || input.dim() < 2) return {};
  for (const char* name : {"weight", "bias", "running_mean", "running_var"}) {
    if (auto wrong = channel_vector(call, name, input.size(1)); !wrong.empty()) return wrong;
  }
  const bool needs_statistics = call.given("training") && !call.boolean("training");
  if (needs_statistics && !(call.tensor("running_mean").defined() && call.tensor("running_var").defined())) {
    return "running_mean and running_var are needed when training is false";
  }
  return {};
}

std::string weight_norm_sizes(const Arguments& call) {
  const at::Tensor v = call.tensor("v");
  const at::Tensor g = call.tensor("g");
  const int64_t dim = call.integer("dim").value_or(0);
  // Along other dims LibTorch composes the norm of checked operators.
  if (!v.defined() || !g.defined() || v.dim() == 0 || (dim != 0 && dim != v.dim() - 1)) return {};
  if (v.numel() == 0) return "v must not be empty, got " + text(v.sizes());
  if (g.numel() != v.size(dim)) {
    return "g must have one element for each of the " + text(v.size(dim)) + " slices of v, got " + text(g.sizes());
  }
  if (!v.is_contiguous() || !g.is_contiguous()) return "v and g must be contiguous";
  return {};
}

namespace {

/// True when walking both memories from the start meets the same elements in turn.
bool same_walk(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || !a.is_non_overlapping_and_dense() || !b.is_non_overlapping_and_dense()) return false;
  for (int64_t dim = 0; dim < a.dim(); ++dim) {
    if (a.size(dim) > 1 && a.stride(dim) != b.stride(dim)) return false;
  }
  return true;
}

}  // namespace

std::string fused_optimiser_sizes(const Arguments& call) {
  const auto parameters = call.tensors("self");
  std::vector<const char*> lists = {"grads", "exp_avgs", "exp_avg_sqs", "state_sums"};
  if (call.boolean("amsgrad")) lists.push_back("max_exp_avg_sqs");
  const bool has_momentum = call.at("momentum").isDouble() && call.at("momentum").toDouble() != 0;
  if (has_momentum) lists.push_back("momentum_buffer_list");
  for (const char* name : lists) {
    if (!call.given(name)) continue;
    const auto states = call.tensors(name);
    if (states.size() != parameters.size()) {
      return std::string(name) + " must have as many tensors as there are parameters, " + text(parameters.size()) +
             ", got " + text(states.size());
    }
    for (size_t i = 0; i < states.size(); ++i) {
      if (same_walk(parameters[i], states[i])) continue;
      return std::string(name) + " " + text(i) + " must lie in memory as its parameter does, shape " +
             text(parameters[i].sizes()) + " and strides " + text(parameters[i].strides()) + ", got " +
             text(states[i].sizes()) + " and " + text(states[i].strides());
    }
  }
  if (call.given("state_steps") && call.tensors("state_steps").size() != parameters.size()) {
    return "state_steps must have as many tensors as there are parameters";
  }
  return {};
}

std::string attention_heads(const Arguments& call) {
  const int64_t heads = call.integer("num_head").value_or(call.integer("num_heads").value_or(1));
  if (heads < 1) return "the number of heads must be at least 1, got " + text(heads);
  const at::Tensor projected = call.tensor("qkv");
  const at::Tensor bias = call.tensor("qkv_bias");
  if (!projected.defined() || !bias.defined() || projected.dim() != 3) return {};
  if (bias.numel() != projected.size(2)) {
    return "qkv_bias must have " + text(projected.size(2)) + " elements, got " + text(bias.sizes());
  }
  if (projected.size(2) % (3 * heads) != 0) {
    return "qkv must have three times a multiple of " + text(heads) + " channels, got " + text(projected.sizes());
  }
  return {};
}

std::string attention_sizes(const Arguments& call) {
  const at::Tensor query = call.tensor("query");
  const at::Tensor key = call.tensor("key");
  const at::Tensor value = call.tensor("value");
  if (!query.defined() || !key.defined() || !value.defined()) return {};
  const bool ranks = query.dim() == 4 && key.dim() == 4 && value.dim() == 4;
  const bool fits = ranks && key.sizes().slice(0, 3) == value.sizes().slice(0, 3) && query.size(0) == key.size(0) &&
                    query.size(1) == key.size(1) && query.size(3) == key.size(3);
  if (fits) return {};
  return "query, key and value must be [batch, heads, length, features] of equal batch and heads, got " +
         text(query.sizes()) + ", " + text(key.sizes()) + " and " + text(value.sizes());
}

std::string attention_lengths(const Arguments& call) {
  const at::Tensor key = call.tensor("key");
  const at::Tensor value = call.tensor("value");
  if (!key.defined() || !value.defined() || key.dim() < 2 || value.dim() < 2) return {};
  if (key.is_nested() || value.is_nested() || key.size(-2) == value.size(-2)) return {};
  return "key and value must have as many positions, got " + text(key.sizes()) + " and " + text(value.sizes());
}

std::string rrelu_noise(const Arguments& call) {
  const at::Tensor self = call.tensor("self");
  const at::Tensor noise = call.tensor("noise");
  if (!call.boolean("training") || !self.defined() || !noise.defined()) return {};
  if (noise.sizes() == self.sizes() && noise.layout() == c10::kStrided && noise.is_contiguous()) return {};
  return "noise must be contiguous and of the input's shape " + text(self.sizes()) + ", got " + text(noise.sizes());
}

std::string median_input(const Arguments& call) {
  const at::Tensor self = call.tensor("self");
  const auto dim = call.integer("dim");
  if (!self.defined() || !dim || self.layout() != c10::kStrided || self.dim() == 0) return {};
  const int64_t axis = *dim < 0 ? *dim + self.dim() : *dim;
  if (axis < 0 || axis >= self.dim() || self.size(axis) < 2 || self.stride(axis) != 0) return {};
  return "the input is expanded along dim " + text(*dim) + ", for which the result would be memory that nobody wrote; pass x.contiguous()";
}

std::string sparse_into_view(const Arguments& call) {
  if (call.size() < 2 || !call.at(size_t{0}).isTensor() || !call.at(size_t{1}).isTensor()) return {};
  const auto* other = call.at(size_t{1}).unsafeToTensorImpl();
  const auto* self = call.at(size_t{0}).unsafeToTensorImpl();
  if (other->layout() == c10::kStrided || self->layout() != c10::kStrided || self->storage_offset() == 0) return {};
  return "a sparse tensor cannot be added to or multiplied into a view that does not start at its memory's start; use the "
         "form that is not in place";
}

std::string copy_layouts(const Arguments& call) {
  const at::Tensor self = call.tensor("self");
  const at::Tensor source = call.tensor("src");
  if (!self.defined() || !source.defined() || self.layout() == source.layout()) return {};
  return "both tensors must have one layout; convert with to_dense() or to_sparse()";
}

// ---- Windows and padding --------------------------------------------------------------------------------------------

namespace {

std::string window(const Arguments& call, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    for (const int64_t number : call.integers(name)) {
      if (number >= -kLargestWindow && number <= kLargestWindow) continue;
      return std::string(name) + " must be within ±" + text(kLargestWindow) + ", got " + text(number);
    }
  }
  return {};
}

std::string padding(const Arguments& call, size_t length) {
  const auto amounts = call.integers("padding");
  if (amounts.size() != length) {
    return "padding must have " + text(static_cast<int64_t>(length)) + " numbers, got " + text(amounts);
  }
  return window(call, {"padding"});
}

}  // namespace

std::string padding_1d(const Arguments& call) { return padding(call, 2); }
std::string padding_2d(const Arguments& call) { return padding(call, 4); }
std::string padding_3d(const Arguments& call) { return padding(call, 6); }

std::string column_geometry(const Arguments& call) {
  return window(call, {"kernel_size", "dilation", "padding", "stride"});
}

std::string fractional_kernel(const Arguments& call) {
  for (const int64_t number : call.integers("kernel_size")) {
    if (number < 1) return "kernel_size must be at least 1, got " + text(number);
  }
  return window(call, {"kernel_size", "output_size"});
}

std::string pool_geometry(const Arguments& call) {
  return window(call, {"kernel_size", "stride", "padding", "dilation"});
}

// ---- Numbers that are counts, indices or degrees --------------------------------------------------------------------

std::string positive_groups(const Arguments& call) {
  const int64_t groups = call.integer("groups").value_or(1);
  return groups >= 1 ? std::string() : "groups must be at least 1, got " + text(groups);
}

std::string combination_length(const Arguments& call) {
  const int64_t length = call.integer("r").value_or(2);
  if (length <= kLongestCombination) return {};
  return "r must be at most " + text(kLongestCombination) + ", got " + text(length);
}

std::string matrix_power_exponent(const Arguments& call) {
  if (call.integer("n").value_or(0) != std::numeric_limits<int64_t>::min()) return {};
  return "n must be greater than −2^63, whose negative is no int64";
}

std::string split_sections(const Arguments& call) {
  int64_t sections = call.integer("sections").value_or(1);
  const at::Tensor tensor = call.tensor("tensor_indices_or_sections");
  if (readable(tensor) && tensor.dim() == 0 && tensor.scalar_type() == c10::kLong) sections = numbers<int64_t>(tensor)[0];
  // An empty tensor has no fewer chunks than were asked for.
  const at::Tensor self = call.tensor("self");
  if (self.defined() && self.numel() == 0) sections = std::max(sections, call.integer("chunks").value_or(1));
  if (sections <= kMostSections) return {};
  return "there may be at most " + text(kMostSections) + " parts, got " + text(sections);
}

std::string polynomial_degree(const Arguments& call) {
  const c10::IValue& n = call.at("n");
  double degree = 0;
  if (n.isScalar()) {
    degree = n.toScalar().isComplex() ? 0 : n.toScalar().toDouble();
  } else if (n.isTensor() && readable(n.toTensor()) && !n.toTensor().is_complex()) {
    for (const double value : numbers<double>(n.toTensor())) degree = std::max(degree, value);
  }
  if (degree <= kLargestDegree) return {};
  return "n must be at most " + text(static_cast<int64_t>(kLargestDegree)) + ", got " + std::to_string(degree);
}

std::string binomial_counts(const Arguments& call) {
  for (const char* name : {"count", "prob"}) {
    const at::Tensor tensor = call.tensor(name);
    if (!readable(tensor) || !tensor.is_floating_point()) continue;
    for (const double value : numbers<double>(tensor)) {
      if (std::isnan(value)) return std::string(name) + " must not be NaN";
    }
  }
  return {};
}

std::string integer_division(const Arguments& call) {
  if (call.text("rounding_mode") != "trunc") return {};
  const at::Tensor self = call.tensor("self");
  if (!self.defined() || !is_signed_wide(self) || !contains(self, lowest(self))) return {};
  const c10::IValue& other = call.at("other");
  const bool by_minus_one = other.isTensor()  ? contains(other.toTensor(), -1)
                            : other.isScalar() ? other.toScalar().isIntegral(false) && other.toScalar().toLong() == -1
                                               : false;
  return by_minus_one ? "the smallest integer divided by −1 is no integer of its type" : std::string();
}

std::string finite_matrix(const Arguments& call) {
  const at::Tensor matrix = call.tensor("self");
  if (!readable(matrix) || !(matrix.is_floating_point() || matrix.is_complex())) return {};
  const at::Tensor parts = matrix.is_complex() ? at::view_as_real(matrix.detach().resolve_conj()) : matrix;
  for (const double value : numbers<double>(parts)) {
    if (!std::isfinite(value)) return "the matrix must hold neither NaN nor infinity";
  }
  return {};
}

std::string lcm_values(const Arguments& call) {
  for (const char* name : {"self", "other"}) {
    const at::Tensor tensor = call.tensor(name);
    if (!tensor.defined() || !contains(tensor, lowest(tensor))) continue;
    return std::string(name) + " must not hold the smallest integer of its type, whose absolute value is none";
  }
  return {};
}

}  // namespace vision_native::rules
