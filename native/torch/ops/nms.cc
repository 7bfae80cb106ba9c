// Non-maximum suppression: schemas, checks and shapes. torchvision's `nms` and `batched_nms`; soft-NMS is Bodla et al.,
// "Soft-NMS -- Improving Object Detection With One Line of Code", ICCV 2017.
#include "torch/ops/nms.h"

#include <torch/library.h>

namespace vision_native {

namespace {

void check_floating(std::string_view op, const char* name, const at::Tensor& tensor) {
  const c10::ScalarType type = tensor.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, op, ": ",
                   name, " are float32, float64, float16 or bfloat16, got ", type, "; convert them");
}

[[noreturn]] void refuse_meta(const char* op) {
  TORCH_CHECK_NOT_IMPLEMENTED(false, op, ": how many boxes stay depends on their values, which tensors on the meta ",
                              "device do not have; pass real ones");
}

at::Tensor nms_meta(const at::Tensor&, const at::Tensor&, double) { refuse_meta("nms"); }
at::Tensor batched_nms_meta(const at::Tensor&, const at::Tensor&, const at::Tensor&, double) {
  refuse_meta("batched_nms");
}
std::tuple<at::Tensor, at::Tensor> soft_nms_meta(const at::Tensor&, const at::Tensor&, double, double, double,
                                                 c10::string_view) {
  refuse_meta("soft_nms");
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  const std::vector<at::Tag> tags{at::Tag::dynamic_output_shape};
  library.def("nms(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor", tags);
  library.def("batched_nms(Tensor boxes, Tensor scores, Tensor idxs, float iou_threshold) -> Tensor", tags);
  library.def(
      "soft_nms(Tensor boxes, Tensor scores, *, float iou_threshold=0.3, float sigma=0.5, "
      "float score_threshold=0.001, str method='linear') -> (Tensor keep, Tensor scores)",
      tags);
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("nms", nms_meta);
  library.impl("batched_nms", batched_nms_meta);
  library.impl("soft_nms", soft_nms_meta);
}

}  // namespace

void nms_check(std::string_view op, const at::Tensor& boxes, const at::Tensor& scores) {
  check_floating(op, "boxes", boxes);
  check_floating(op, "scores", scores);
  TORCH_CHECK(boxes.dim() == 2 && boxes.size(1) == 4, op, ": boxes are [N, 4] as (x1, y1, x2, y2), got shape ",
              boxes.sizes());
  TORCH_CHECK(scores.dim() == 1 && scores.size(0) == boxes.size(0), op, ": scores are [", boxes.size(0),
              "], one for each box, got shape ", scores.sizes());
  TORCH_CHECK(scores.device() == boxes.device(), op, ": boxes are on ", boxes.device(), " and scores on ",
              scores.device(), "; move one");
  TORCH_CHECK_VALUE(boxes.size(0) <= kMostBoxes, op, ": at most ", kMostBoxes, " boxes, got ", boxes.size(0));
}

void nms_check_threshold(std::string_view op, const char* name, double value) {
  TORCH_CHECK_VALUE(std::isfinite(value), op, ": ", name, " is a finite number, got ", value);
}

void nms_check_classes(const at::Tensor& boxes, const at::Tensor& idxs) {
  TORCH_CHECK_TYPE(idxs.scalar_type() == at::kLong, "batched_nms: idxs are int64, got ", idxs.scalar_type(),
                   "; convert them");
  TORCH_CHECK(idxs.dim() == 1 && idxs.size(0) == boxes.size(0), "batched_nms: idxs are [", boxes.size(0),
              "], the class of each box, got shape ", idxs.sizes());
  TORCH_CHECK(idxs.device() == boxes.device(), "batched_nms: boxes are on ", boxes.device(), " and idxs on ",
              idxs.device(), "; move one");
}

SoftNmsOptions soft_nms_options(double iou_threshold, double sigma, double score_threshold, std::string_view method) {
  nms_check_threshold("soft_nms", "iou_threshold", iou_threshold);
  nms_check_threshold("soft_nms", "score_threshold", score_threshold);
  TORCH_CHECK_VALUE(std::isfinite(sigma) && sigma > 0, "soft_nms: sigma is a number above 0, got ", sigma);
  TORCH_CHECK_VALUE(method == "linear" || method == "gaussian", "soft_nms: method is 'linear' or 'gaussian', got '",
                    method, "'");
  return {iou_threshold, sigma, score_threshold,
          method == "linear" ? SoftNmsDecay::kLinear : SoftNmsDecay::kGaussian};
}

}  // namespace vision_native
