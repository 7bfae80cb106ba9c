#include "node/guards.h"

#include <ATen/Context.h>

#include <cstring>
#include <unordered_map>

#include "node/guard_rules.h"

namespace vision_native {

namespace {

using Rule = std::string (*)(const Arguments&);

struct Guarded {
  /// Name of the operator; all its overloads, and those of its in-place form.
  const char* name;
  Rule rule;
};

constexpr Guarded kGuarded[] = {
    {"aten::_batch_norm_impl_index", rules::batch_norm_sizes},
    {"aten::_batch_norm_no_update", rules::batch_norm_sizes},
    {"aten::_batch_norm_with_update", rules::batch_norm_sizes},
    {"aten::_ctc_loss", rules::ctc_targets},
    {"aten::_embedding_bag", rules::embedding_bags},
    {"aten::_embedding_bag_forward_only", rules::embedding_bags},
    {"aten::_fused_adagrad_", rules::fused_optimiser_sizes},
    {"aten::_fused_adam_", rules::fused_optimiser_sizes},
    {"aten::_fused_adamw_", rules::fused_optimiser_sizes},
    {"aten::_fused_sgd_", rules::fused_optimiser_sizes},
    {"aten::_native_batch_norm_legit", rules::batch_norm_sizes},
    {"aten::_native_multi_head_attention", rules::attention_heads},
    {"aten::_scaled_dot_product_flash_attention_for_cpu", rules::attention_sizes},
    {"aten::_transform_bias_rescale_qkv", rules::attention_heads},
    {"aten::_weight_norm", rules::weight_norm_sizes},
    {"aten::_weight_norm_interface", rules::weight_norm_sizes},
    {"aten::add_", rules::sparse_into_view},
    {"aten::binomial", rules::binomial_counts},
    {"aten::channel_shuffle", rules::positive_groups},
    {"aten::chunk", rules::split_sections},
    {"aten::col2im", rules::column_geometry},
    {"aten::combinations", rules::combination_length},
    {"aten::copy", rules::copy_layouts},
    {"aten::copy_", rules::copy_layouts},
    {"aten::ctc_loss", rules::ctc_targets},
    {"aten::div", rules::integer_division},
    {"aten::div_", rules::integer_division},
    {"aten::divide", rules::integer_division},
    {"aten::divide_", rules::integer_division},
    {"aten::dsplit", rules::split_sections},
    {"aten::embedding_bag", rules::embedding_bags},
    {"aten::fractional_max_pool2d", rules::fractional_kernel},
    {"aten::fractional_max_pool3d", rules::fractional_kernel},
    {"aten::gru", rules::recurrent_sizes},
    {"aten::hsplit", rules::split_sections},
    {"aten::im2col", rules::column_geometry},
    {"aten::lcm", rules::lcm_values},
    {"aten::lcm_", rules::lcm_values},
    {"aten::linalg_eigvals", rules::finite_matrix},
    {"aten::linalg_ldl_solve", rules::ldl_pivots},
    {"aten::linalg_matrix_power", rules::matrix_power_exponent},
    {"aten::lstm", rules::recurrent_sizes},
    {"aten::lu_unpack", rules::lu_pivots},
    {"aten::matrix_power", rules::matrix_power_exponent},
    {"aten::max_pool1d", rules::pool_geometry},
    {"aten::max_pool1d_with_indices", rules::pool_geometry},
    {"aten::max_pool2d", rules::pool_geometry},
    {"aten::max_pool2d_with_indices", rules::pool_geometry},
    {"aten::max_pool3d", rules::pool_geometry},
    {"aten::max_pool3d_with_indices", rules::pool_geometry},
    {"aten::median", rules::median_input},
    {"aten::mul_", rules::sparse_into_view},
    {"aten::multiply_", rules::sparse_into_view},
    {"aten::nanmedian", rules::median_input},
    {"aten::native_batch_norm", rules::batch_norm_sizes},
    {"aten::native_channel_shuffle", rules::positive_groups},
    {"aten::reflection_pad1d", rules::padding_1d},
    {"aten::reflection_pad2d", rules::padding_2d},
    {"aten::reflection_pad3d", rules::padding_3d},
    {"aten::replication_pad1d", rules::padding_1d},
    {"aten::replication_pad2d", rules::padding_2d},
    {"aten::replication_pad3d", rules::padding_3d},
    {"aten::rnn_relu", rules::recurrent_sizes},
    {"aten::rnn_tanh", rules::recurrent_sizes},
    {"aten::rrelu_with_noise", rules::rrelu_noise},
    {"aten::rrelu_with_noise_", rules::rrelu_noise},
    {"aten::scaled_dot_product_attention", rules::attention_lengths},
    {"aten::segment_reduce", rules::segments},
    {"aten::special_chebyshev_polynomial_t", rules::polynomial_degree},
    {"aten::special_chebyshev_polynomial_u", rules::polynomial_degree},
    {"aten::special_chebyshev_polynomial_v", rules::polynomial_degree},
    {"aten::special_chebyshev_polynomial_w", rules::polynomial_degree},
    {"aten::special_hermite_polynomial_h", rules::polynomial_degree},
    {"aten::special_hermite_polynomial_he", rules::polynomial_degree},
    {"aten::special_laguerre_polynomial_l", rules::polynomial_degree},
    {"aten::special_legendre_polynomial_p", rules::polynomial_degree},
    {"aten::special_shifted_chebyshev_polynomial_t", rules::polynomial_degree},
    {"aten::special_shifted_chebyshev_polynomial_u", rules::polynomial_degree},
    {"aten::special_shifted_chebyshev_polynomial_v", rules::polynomial_degree},
    {"aten::special_shifted_chebyshev_polynomial_w", rules::polynomial_degree},
    {"aten::sub_", rules::sparse_into_view},
    {"aten::subtract_", rules::sparse_into_view},
    {"aten::tensor_split", rules::split_sections},
    {"aten::unsafe_chunk", rules::split_sections},
    {"aten::vsplit", rules::split_sections},
};

Rule rule_of(const c10::OperatorHandle& op) {
  for (const auto& guarded : kGuarded) {
    if (op.operator_name().name == guarded.name) return guarded.rule;
  }
  return nullptr;
}

}  // namespace

std::string guard(const c10::OperatorHandle& op, const torch::jit::Stack& stack) {
  // Without this, sparse tensors may be made whose indices lead their kernels out of bounds.
  static const bool checked = [] {
    at::globalContext().setCheckSparseTensorInvariants(true);
    return true;
  }();
  (void)checked;

  // An operator's schema lives as long as the operator, so its address stands for it: comparing names would cost every
  // call as much as a small kernel.
  thread_local std::unordered_map<const void*, Rule> known;
  const c10::FunctionSchema& schema = op.schema();
  const auto [entry, fresh] = known.try_emplace(&schema, nullptr);
  if (fresh) entry->second = rule_of(op);
  if (entry->second == nullptr) return {};

  std::string wrong = entry->second(Arguments(schema, stack));
  if (wrong.empty()) return wrong;
  return wrong + "; LibTorch itself fails badly on this (docs/upstream-crashes.md)";
}

}  // namespace vision_native
