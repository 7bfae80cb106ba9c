// Exact searches among rows on CUDA: tensors to raw pointers. The kernels are in the .cu file.
#include "cuda/topk_cosine.h"

#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <algorithm>

#include "torch/ops/topk_cosine.h"

namespace vision_native {

namespace {

using Pair = std::tuple<at::Tensor, at::Tensor>;

/// Ranks that are stored at once.
constexpr int64_t kRanks = int64_t{1} << 24;

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

/// Searches contiguous rows; inverses are undefined for bits.
Pair search(cuda::RowType type, const at::Tensor& queries, const at::Tensor& base, const at::Tensor& query_inverses,
            const at::Tensor& base_inverses, int64_t k, at::ScalarType score_type) {
  const bool wide = type == cuda::RowType::kDouble;
  const int64_t count = queries.size(0), rows = base.size(0);
  const int64_t chunk = std::min(std::max<int64_t>(kRanks / count / 64 * 64, 4096), (rows + 63) / 64 * 64);
  const at::TensorOptions bytes = queries.options().dtype(at::kByte);
  const at::Tensor ranks = at::empty({count * chunk * (wide ? 8 : 4)}, bytes);
  const at::Tensor keys = at::empty({count * cuda::kSearchPass * (wide ? 16 : 8)}, bytes);
  at::Tensor scores = at::empty({count, k}, queries.options().dtype(score_type));
  at::Tensor indices = at::empty({count, k}, queries.options().dtype(at::kLong));
  cuda::launch_row_search({type, queries.const_data_ptr(), base.const_data_ptr(),
                           query_inverses.defined() ? query_inverses.const_data_ptr() : nullptr,
                           base_inverses.defined() ? base_inverses.const_data_ptr() : nullptr, count, rows,
                           base.size(1), k, ranks.mutable_data_ptr(), chunk, keys.mutable_data_ptr(),
                           scores.mutable_data_ptr(), indices.mutable_data_ptr<int64_t>()},
                          stream());
  return {scores, indices};
}

at::Tensor inverses_of(cuda::RowType type, const at::Tensor& rows, const at::Tensor& norms) {
  const at::ScalarType kind = type == cuda::RowType::kDouble ? at::kDouble : at::kFloat;
  at::Tensor inverses = at::empty({rows.size(0)}, rows.options().dtype(kind));
  cuda::launch_row_inverses(type, rows.const_data_ptr(), norms.defined() ? norms.const_data_ptr() : nullptr,
                            rows.size(0), rows.size(1), inverses.mutable_data_ptr(), stream());
  return inverses;
}

Pair topk_cosine(const at::Tensor& queries, const at::Tensor& base, int64_t k,
                 const std::optional<at::Tensor>& base_norms) {
  topk_cosine_check(queries, base, k, base_norms);
  const c10::cuda::CUDAGuard guard(base.device());
  const at::ScalarType given = base.scalar_type();
  const cuda::RowType type = given == at::kChar     ? cuda::RowType::kCodes
                             : given == at::kDouble ? cuda::RowType::kDouble
                                                    : cuda::RowType::kFloat;
  const at::ScalarType kind = type == cuda::RowType::kFloat ? at::kFloat : given;
  const at::ScalarType score_type = given == at::kChar ? at::kFloat : kind;
  if (queries.size(0) == 0) {
    return {at::empty({0, k}, queries.options().dtype(given == at::kChar ? at::kFloat : given)),
            at::empty({0, k}, queries.options().dtype(at::kLong))};
  }
  const at::Tensor a = queries.to(kind).contiguous(), b = base.to(kind).contiguous();
  const at::Tensor norms = base_norms.has_value() ? base_norms->contiguous() : at::Tensor();
  const at::Tensor a_inverses = inverses_of(type, a, at::Tensor()), b_inverses = inverses_of(type, b, norms);
  const auto [scores, indices] = search(type, a, b, a_inverses, b_inverses, k, score_type);
  return {given == at::kChar ? scores : scores.to(given), indices};
}

Pair topk_hamming(const at::Tensor& queries, const at::Tensor& base, int64_t k) {
  topk_hamming_check(queries, base, k);
  const c10::cuda::CUDAGuard guard(base.device());
  if (queries.size(0) == 0) {
    return {at::empty({0, k}, queries.options().dtype(at::kInt)), at::empty({0, k}, queries.options())};
  }
  return search(cuda::RowType::kBits, queries.contiguous(), base.contiguous(), at::Tensor(), at::Tensor(), k, at::kInt);
}

cuda::InputType input_type(const at::Tensor& input) {
  switch (input.scalar_type()) {
    case at::kHalf: return cuda::InputType::kHalf;
    case at::kBFloat16: return cuda::InputType::kBFloat16;
    case at::kDouble: return cuda::InputType::kDouble;
    default: return cuda::InputType::kFloat;
  }
}

Pair quantize_rows(const at::Tensor& input) {
  topk_cosine_check_rows("quantize_rows", input);
  const c10::cuda::CUDAGuard guard(input.device());
  const at::Tensor source = input.contiguous();
  at::Tensor codes = at::empty(input.sizes(), input.options().dtype(at::kChar));
  at::Tensor scales = at::empty({input.size(0)}, input.options().dtype(at::kFloat));
  cuda::launch_quantize_rows(source.const_data_ptr(), input_type(input), input.size(0), input.size(1),
                             codes.mutable_data_ptr<int8_t>(), scales.mutable_data_ptr<float>(), stream());
  return {codes, scales};
}

at::Tensor pack_bits(const at::Tensor& input) {
  topk_cosine_check_rows("pack_bits", input);
  const c10::cuda::CUDAGuard guard(input.device());
  const at::Tensor source = input.contiguous();
  at::Tensor words = at::empty({input.size(0), (input.size(1) + 63) / 64}, input.options().dtype(at::kLong));
  cuda::launch_pack_bits(source.const_data_ptr(), input_type(input), input.size(0), input.size(1),
                         reinterpret_cast<uint64_t*>(words.mutable_data_ptr<int64_t>()), stream());
  return words;
}

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("topk_cosine", topk_cosine);
  library.impl("topk_hamming", topk_hamming);
  library.impl("quantize_rows", quantize_rows);
  library.impl("pack_bits", pack_bits);
}

}  // namespace

}  // namespace vision_native
