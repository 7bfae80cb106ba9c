// Content-aware upsampling: schemas, checks and shapes. Wang et al., CARAFE, ICCV 2019, as used by "Feature Enhancement
// and Reconstruction for Small Object Detection", MMM 2023.
#include "torch/ops/content_aware_upsample.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

namespace vision_native {

namespace {

constexpr int64_t kLargestScale = 64;
constexpr int64_t kLargestWindow = 63;

void check_floating(std::string_view op, const char* name, const at::Tensor& tensor) {
  const c10::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ",
                   name, " are float32, float64, float16 or bfloat16, got ", type, "; convert them");
}

at::Tensor upsample_meta(const at::Tensor& features, const at::Tensor& logits, int64_t scale, int64_t window,
                         int64_t groups, c10::string_view border) {
  return cau_empty_result(features, cau_check("content_aware_upsample", features, logits, scale, window, groups, border));
}

std::tuple<at::Tensor, at::Tensor> backward_meta(const at::Tensor& grad, const at::Tensor& features,
                                                 const at::Tensor& logits, int64_t scale, int64_t window,
                                                 int64_t groups, c10::string_view border, bool features_grad,
                                                 bool logits_grad) {
  const CauOptions options =
      cau_check("_content_aware_upsample_backward", features, logits, scale, window, groups, border);
  cau_check_grad(grad, features, options);
  return cau_empty_gradients(features, logits, features_grad, logits_grad);
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "content_aware_upsample(Tensor features, Tensor logits, *, int scale=2, int window=5, int groups=1, "
      "str border='zeros') -> Tensor");
  library.def(
      "_content_aware_upsample_backward(Tensor grad, Tensor features, Tensor logits, int scale, int window, "
      "int groups, str border, bool features_grad, bool logits_grad) -> (Tensor features_grad, Tensor logits_grad)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("content_aware_upsample", upsample_meta);
  library.impl("_content_aware_upsample_backward", backward_meta);
}

// Sums are made in float32 whatever comes in, and the map and the logits may differ in type: nothing is to be cast.
TORCH_LIBRARY_IMPL(vision_native, AutocastCPU, library) {
  library.impl("content_aware_upsample", torch::CppFunction::makeFallthrough());
}
TORCH_LIBRARY_IMPL(vision_native, AutocastCUDA, library) {
  library.impl("content_aware_upsample", torch::CppFunction::makeFallthrough());
}

}  // namespace

CauOptions cau_check(std::string_view op, const at::Tensor& features, const at::Tensor& logits, int64_t scale,
                     int64_t window, int64_t groups, std::string_view border) {
  check_floating(op, "features", features);
  check_floating(op, "logits", logits);
  TORCH_CHECK_TYPE((logits.scalar_type() == at::kDouble) <= (features.scalar_type() == at::kDouble), op,
                   ": float64 logits need float64 features, got ", features.scalar_type());
  TORCH_CHECK_VALUE(scale >= 1 && scale <= kLargestScale, op, ": scale is 1 to ", kLargestScale, ", got ", scale);
  TORCH_CHECK_VALUE(window >= 1 && window <= kLargestWindow && window % 2 == 1, op, ": window is odd and 1 to ",
                    kLargestWindow, ", got ", window);
  TORCH_CHECK_VALUE(border == "zeros" || border == "replicate", op, ": border is 'zeros' or 'replicate', got '",
                    border, "'");
  TORCH_CHECK(features.dim() == 4, op, ": features are [B, C, H, W], got shape ", features.sym_sizes());
  TORCH_CHECK_VALUE(groups >= 1 && groups <= (1 << 20) && features.sym_size(1) % groups == 0, op,
                    ": groups divide the channels, of which there are ", features.sym_size(1), ", got ", groups);
  const int64_t channels = groups * scale * scale * window * window;
  TORCH_CHECK(logits.dim() == 4 && logits.sym_size(0) == features.sym_size(0) && logits.sym_size(1) == channels &&
                  logits.sym_size(2) == features.sym_size(2) && logits.sym_size(3) == features.sym_size(3),
              op, ": logits are [B, ", channels, ", H, W] for features ", features.sym_sizes(), ", got shape ",
              logits.sym_sizes());
  TORCH_CHECK(logits.device() == features.device(), op, ": features are on ", features.device(), " and logits on ",
              logits.device(), "; move one");
  return {scale, window, groups, border == "replicate"};
}

void cau_check_grad(const at::Tensor& grad, const at::Tensor& features, const CauOptions& options) {
  constexpr const char* op = "_content_aware_upsample_backward";
  check_floating(op, "gradients", grad);
  TORCH_CHECK(grad.dim() == 4 && grad.sym_size(0) == features.sym_size(0) &&
                  grad.sym_size(1) == features.sym_size(1) &&
                  grad.sym_size(2) == features.sym_size(2) * options.scale &&
                  grad.sym_size(3) == features.sym_size(3) * options.scale,
              op, ": the gradient is [B, C, rH, rW] for features ", features.sym_sizes(), ", got shape ",
              grad.sym_sizes());
  TORCH_CHECK(grad.device() == features.device(), op, ": features are on ", features.device(),
              " and the gradient on ", grad.device());
}

at::Tensor cau_empty_result(const at::Tensor& features, const CauOptions& options) {
  return at::empty_symint({features.sym_size(0), features.sym_size(1), features.sym_size(2) * options.scale,
                           features.sym_size(3) * options.scale},
                          features.options(), features.suggest_memory_format());
}

std::tuple<at::Tensor, at::Tensor> cau_empty_gradients(const at::Tensor& features, const at::Tensor& logits,
                                                       bool features_grad, bool logits_grad) {
  const auto empty_or_none = [](const at::Tensor& like, bool wanted) {
    return wanted ? at::empty_symint(like.sym_sizes(), like.options(), like.suggest_memory_format())
                  : at::empty({0}, like.options());
  };
  return {empty_or_none(features, features_grad), empty_or_none(logits, logits_grad)};
}

}  // namespace vision_native
