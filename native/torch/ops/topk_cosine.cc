// Exact searches among rows by cosine and by bits that differ: schemas, checks and shapes.
#include "torch/ops/topk_cosine.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

using Pair = std::tuple<at::Tensor, at::Tensor>;

constexpr int64_t kMostRows = (int64_t{1} << 32) - 2;

void check_pair(const char* op, const at::Tensor& queries, const at::Tensor& base, int64_t k) {
  TORCH_CHECK(queries.dim() == 2 && base.dim() == 2 && queries.sym_size(1) == base.sym_size(1), op,
              ": queries are [Q, D] and base is [N, D], got shapes ", queries.sym_sizes(), " and ", base.sym_sizes());
  TORCH_CHECK(base.sym_size(1) >= 1, op, ": rows have 1 or more elements, got shape ", base.sym_sizes());
  TORCH_CHECK_TYPE(queries.scalar_type() == base.scalar_type(), op, ": queries are ", queries.scalar_type(),
                   " and base is ", base.scalar_type(), "; convert one");
  TORCH_CHECK_VALUE(queries.device() == base.device(), op, ": queries are on ", queries.device(), " and base on ",
                    base.device(), "; move one");
  TORCH_CHECK_VALUE(k >= 1, op, ": k is 1 or more, got ", k);
  TORCH_CHECK_VALUE(base.sym_size(0) >= k, op, ": k is at most ", base.sym_size(0), ", the rows of base, got ", k);
  TORCH_CHECK_VALUE(base.sym_size(0) <= kMostRows, op, ": base has at most ", kMostRows, " rows, got ",
                    base.sym_size(0), "; split it");
}

at::ScalarType score_type(const at::Tensor& queries) {
  return queries.scalar_type() == at::kChar ? at::kFloat : queries.scalar_type();
}

Pair cosine_meta(const at::Tensor& queries, const at::Tensor& base, int64_t k,
                 const std::optional<at::Tensor>& base_norms) {
  topk_cosine_check(queries, base, k, base_norms);
  const c10::SymInt sizes[] = {queries.sym_size(0), k};
  return {at::empty_symint(sizes, queries.options().dtype(score_type(queries))),
          at::empty_symint(sizes, queries.options().dtype(at::kLong))};
}

Pair hamming_meta(const at::Tensor& queries, const at::Tensor& base, int64_t k) {
  topk_hamming_check(queries, base, k);
  const c10::SymInt sizes[] = {queries.sym_size(0), k};
  return {at::empty_symint(sizes, queries.options().dtype(at::kInt)),
          at::empty_symint(sizes, queries.options().dtype(at::kLong))};
}

Pair quantize_meta(const at::Tensor& input) {
  topk_cosine_check_rows("quantize_rows", input);
  return {at::empty_symint(input.sym_sizes(), input.options().dtype(at::kChar)),
          at::empty_symint({input.sym_size(0)}, input.options().dtype(at::kFloat))};
}

at::Tensor pack_meta(const at::Tensor& input) {
  topk_cosine_check_rows("pack_bits", input);
  return at::empty_symint({input.sym_size(0), (input.sym_size(1) + 63) / 64}, input.options().dtype(at::kLong));
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "topk_cosine(Tensor queries, Tensor base, int k, *, Tensor? base_norms=None) -> (Tensor scores, Tensor indices)");
  library.def("topk_hamming(Tensor queries, Tensor base, int k) -> (Tensor distances, Tensor indices)");
  library.def("quantize_rows(Tensor input) -> (Tensor codes, Tensor scales)");
  library.def("pack_bits(Tensor input) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("topk_cosine", cosine_meta);
  library.impl("topk_hamming", hamming_meta);
  library.impl("quantize_rows", quantize_meta);
  library.impl("pack_bits", pack_meta);
}

// Neither codes nor scales have a gradient.
TORCH_LIBRARY_IMPL(vision_native, Autograd, library) {
  library.impl("quantize_rows", torch::CppFunction::makeFallthrough());
}

}  // namespace

void topk_cosine_check_rows(const char* op, const at::Tensor& input) {
  const c10::ScalarType type = input.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op,
                   ": rows are float32, float64, float16 or bfloat16, got ", type, "; convert them");
  TORCH_CHECK(input.dim() == 2 && input.sym_size(1) >= 1, op,
              ": input is [N, D] with 1 or more elements a row, got shape ", input.sym_sizes());
}

void topk_cosine_check(const at::Tensor& queries, const at::Tensor& base, int64_t k,
                       const std::optional<at::Tensor>& base_norms) {
  constexpr const char* op = "topk_cosine";
  const c10::ScalarType type = base.scalar_type();
  TORCH_CHECK_TYPE(
      type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16 || type == at::kChar, op,
      ": rows are int8, float32, float64, float16 or bfloat16, got ", type, "; convert them");
  check_pair(op, queries, base, k);
  TORCH_CHECK_VALUE(type != at::kChar || base.sym_size(1) <= kMostCodes, op, ": rows of int8 have at most ", kMostCodes,
                    " elements, got ", base.sym_size(1));
  if (!base_norms.has_value()) return;
  const c10::ScalarType wanted = type == at::kDouble ? at::kDouble : at::kFloat;
  TORCH_CHECK_TYPE(base_norms->scalar_type() == wanted, op, ": base_norms are ", wanted, " for rows of ", type,
                   ", got ", base_norms->scalar_type());
  TORCH_CHECK(base_norms->dim() == 1 && base_norms->sym_size(0) == base.sym_size(0), op, ": base_norms are [",
              base.sym_size(0), "], a length for each row, got shape ", base_norms->sym_sizes());
  TORCH_CHECK_VALUE(base_norms->device() == base.device(), op, ": base_norms are on ", base_norms->device(),
                    " and base on ", base.device(), "; move one");
}

void topk_hamming_check(const at::Tensor& queries, const at::Tensor& base, int64_t k) {
  constexpr const char* op = "topk_hamming";
  TORCH_CHECK_TYPE(base.scalar_type() == at::kLong, op, ": rows are int64 words of 64 bits, got ", base.scalar_type(),
                   "; pack them by pack_bits");
  check_pair(op, queries, base, k);
  TORCH_CHECK_VALUE(base.sym_size(1) <= (int64_t{1} << 24), op, ": rows have at most 2^24 words, got ",
                    base.sym_size(1));
}

}  // namespace vision_native
