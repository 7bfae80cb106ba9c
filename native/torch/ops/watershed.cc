// Watershed from markers: schema, checks and shape.
#include "torch/ops/watershed.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cmath>

namespace vision_native {

namespace {

constexpr const char* kOp = "watershed";

void check_like_image(const char* name, const at::Tensor& tensor, const at::Tensor& image) {
  TORCH_CHECK(tensor.sym_sizes() == image.sym_sizes(), kOp, ": ", name, " have the image's shape ", image.sym_sizes(),
              ", got ", tensor.sym_sizes());
  TORCH_CHECK_VALUE(tensor.device() == image.device(), kOp, ": the image is on ", image.device(), ", ", name, " on ",
                    tensor.device(), "; move one of them");
}

at::Tensor watershed_meta(const at::Tensor& image, const at::Tensor& markers, const std::optional<at::Tensor>& mask,
                          int64_t connectivity, double compactness) {
  watershed_check(image, markers, mask, connectivity, compactness);
  return at::empty_symint(markers.sym_sizes(), markers.options());
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def(
      "watershed(Tensor image, Tensor markers, Tensor? mask=None, *, int connectivity=4, float compactness=0.) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) { library.impl("watershed", watershed_meta); }

}  // namespace

LabelGrid watershed_check(const at::Tensor& image, const at::Tensor& markers, const std::optional<at::Tensor>& mask,
                          int64_t connectivity, double compactness) {
  const int64_t dims = label_dims_of(kOp, connectivity);
  const c10::ScalarType type = image.scalar_type();
  TORCH_CHECK_TYPE((at::isIntegralType(type, false) || at::isFloatingType(type)) && c10::elementSize(type) <= 8 &&
                       type != at::kUInt32 && type != at::kUInt64 && !c10::isFloat8Type(type),
                   kOp, ": the image is of integers or floating point, got ", type, "; convert it");
  TORCH_CHECK(image.dim() >= dims, kOp, ": connectivity ", connectivity, " is of ", dims, " dimensions, got shape ",
              image.sym_sizes());
  TORCH_CHECK_TYPE(markers.scalar_type() == at::kInt || markers.scalar_type() == at::kLong, kOp,
                   ": markers are int32 or int64, got ", markers.scalar_type(), "; convert them");
  check_like_image("markers", markers, image);
  if (mask.has_value() && mask->defined()) {
    TORCH_CHECK_TYPE(mask->scalar_type() == at::kBool, kOp, ": the mask is bool, got ", mask->scalar_type(),
                     "; compare it, such as x.ne(0)");
    check_like_image("the places of the mask", *mask, image);
  }
  TORCH_CHECK_VALUE(std::isfinite(compactness) && compactness >= 0.0, kOp,
                    ": compactness is a finite number, 0 or more, got ", compactness);
  if (image.is_meta()) return {};
  return label_grid(image, dims);
}

}  // namespace vision_native
