#pragma once
// One rule for each kind of call that kills the process, corrupts its memory, or never ends inside LibTorch. A rule
// returns what is wrong, or an empty string; it lets pass what LibTorch rejects properly by itself.
#include <string>

#include "node/guard_arguments.h"

namespace vision_native::rules {

std::string attention_heads(const Arguments& call);
std::string attention_lengths(const Arguments& call);
std::string attention_sizes(const Arguments& call);
std::string batch_norm_sizes(const Arguments& call);
std::string binomial_counts(const Arguments& call);
std::string column_geometry(const Arguments& call);
std::string combination_length(const Arguments& call);
std::string copy_layouts(const Arguments& call);
std::string ctc_targets(const Arguments& call);
std::string embedding_bags(const Arguments& call);
std::string finite_matrix(const Arguments& call);
std::string fractional_kernel(const Arguments& call);
std::string fused_optimiser_sizes(const Arguments& call);
std::string integer_division(const Arguments& call);
std::string lcm_values(const Arguments& call);
std::string ldl_pivots(const Arguments& call);
std::string lu_pivots(const Arguments& call);
std::string matrix_power_exponent(const Arguments& call);
std::string median_input(const Arguments& call);
std::string padding_1d(const Arguments& call);
std::string padding_2d(const Arguments& call);
std::string padding_3d(const Arguments& call);
std::string polynomial_degree(const Arguments& call);
std::string pool_geometry(const Arguments& call);
std::string positive_groups(const Arguments& call);
std::string recurrent_sizes(const Arguments& call);
std::string rrelu_noise(const Arguments& call);
std::string segments(const Arguments& call);
std::string sparse_into_view(const Arguments& call);
std::string split_sections(const Arguments& call);
std::string weight_norm_sizes(const Arguments& call);

}  // namespace vision_native::rules
