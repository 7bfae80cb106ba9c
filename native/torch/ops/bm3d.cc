// Block matching and 3D filtering (BM3D): schema, checks, shape and tables. Dabov, Foi, Katkovnik, Egiazarian, IEEE TIP
// 2007; constants of the normal profile as in Lebrun, IPOL 2012.
#include "torch/ops/bm3d.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <array>
#include <cmath>
#include <utility>

namespace vision_native {

namespace {

constexpr const char* kOp = "bm3d";
// Above this much noise blocks are compared less strictly; on the scale of 0–255.
constexpr double kStrongNoise = 40.0;

using Matrix = std::array<std::array<double, kBm3dSide>, kBm3dSide>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (int i = 0; i < kBm3dSide; ++i) {
    for (int j = 0; j < kBm3dSide; ++j) {
      for (int k = 0; k < kBm3dSide; ++k) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

/// By elimination, with the largest pivot.
Matrix inverse_of(Matrix a) {
  Matrix b{};
  for (int i = 0; i < kBm3dSide; ++i) b[i][i] = 1.0;
  for (int column = 0; column < kBm3dSide; ++column) {
    int pivot = column;
    for (int i = column; i < kBm3dSide; ++i) {
      if (std::abs(a[i][column]) > std::abs(a[pivot][column])) pivot = i;
    }
    std::swap(a[column], a[pivot]);
    std::swap(b[column], b[pivot]);
    for (int i = 0; i < kBm3dSide; ++i) {
      if (i == column) continue;
      const double factor = a[i][column] / a[column][column];
      for (int j = 0; j < kBm3dSide; ++j) {
        a[i][j] -= factor * a[column][j];
        b[i][j] -= factor * b[column][j];
      }
    }
  }
  for (int i = 0; i < kBm3dSide; ++i) {
    for (int j = 0; j < kBm3dSide; ++j) b[i][j] /= a[i][i];
  }
  return b;
}

/// Three levels of bior1.5 on a period of 8. Rows: mean, coarsest detail, two of the middle, four of the finest.
Matrix wavelet() {
  constexpr std::array<double, 10> low{3, -3, -22, 22, 128, 128, 22, -22, -3, 3};
  Matrix total{};
  for (int i = 0; i < kBm3dSide; ++i) total[i][i] = 1.0;
  for (int size = kBm3dSide; size > 1; size /= 2) {
    Matrix level{};
    for (int i = 0; i < kBm3dSide; ++i) level[i][i] = i < size ? 0.0 : 1.0;
    for (int i = 0; i < size / 2; ++i) {
      for (int tap = 0; tap < 10; ++tap) level[i][(2 * i + tap - 4 + 2 * size) % size] += low[tap] / 256;
      level[size / 2 + i][2 * i] += 1.0;
      level[size / 2 + i][2 * i + 1] -= 1.0;
    }
    total = product(level, total);
  }
  for (auto& row : total) {
    double norm = 0.0;
    for (const double value : row) norm += value * value;
    for (double& value : row) value /= std::sqrt(norm);
  }
  return total;
}

Matrix cosine() {
  Matrix matrix;
  for (int k = 0; k < kBm3dSide; ++k) {
    for (int i = 0; i < kBm3dSide; ++i) {
      matrix[k][i] = std::sqrt((k == 0 ? 1.0 : 2.0) / kBm3dSide) * std::cos(M_PI * (2 * i + 1) * k / (2.0 * kBm3dSide));
    }
  }
  return matrix;
}

/// The modified Bessel function I₀.
double bessel(double x) {
  double sum = 1.0, term = 1.0;
  for (int k = 1; k < 40; ++k) sum += term *= x * x / (4.0 * k * k);
  return sum;
}

Bm3dTransform with_inverse(const Matrix& forward) {
  const Matrix inverse = inverse_of(forward);
  Bm3dTransform transform;
  for (int i = 0; i < kBm3dArea; ++i) {
    transform.forward[i] = static_cast<float>(forward[i / kBm3dSide][i % kBm3dSide]);
    transform.inverse[i] = static_cast<float>(inverse[i / kBm3dSide][i % kBm3dSide]);
  }
  return transform;
}

Bm3dTables make_tables() {
  Bm3dTables tables{with_inverse(wavelet()), with_inverse(cosine()), {}};
  constexpr double beta = 2.0;
  const auto kaiser = [](int i) {
    const double t = 2.0 * i / (kBm3dSide - 1) - 1.0;
    return bessel(beta * std::sqrt(1.0 - t * t)) / bessel(beta);
  };
  for (int i = 0; i < kBm3dArea; ++i) {
    tables.window[i] = static_cast<float>(kaiser(i / kBm3dSide) * kaiser(i % kBm3dSide));
  }
  return tables;
}

at::Tensor bm3d_meta(const at::Tensor& image, double sigma, c10::string_view stages, int64_t search) {
  bm3d_check(image, sigma, stages, search);
  return at::empty_symint(image.sym_sizes(), image.options().memory_format(at::MemoryFormat::Contiguous));
}

/// The result needs no gradient: which blocks are alike has none.
at::Tensor bm3d_without_gradient(const at::Tensor& image, double sigma, c10::string_view stages, int64_t search) {
  const at::AutoDispatchBelowADInplaceOrView guard;
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("vision_native::bm3d", "").typed<decltype(bm3d_meta)>();
  return op.call(image, sigma, stages, search);
}

void check_blocks(const at::Tensor& blocks, c10::string_view kind) {
  TORCH_CHECK(blocks.dim() == 3 && blocks.sym_size(1) == kBm3dSide && blocks.sym_size(2) == kBm3dSide,
              "_bm3d_transform: blocks are [N, 8, 8], got shape ", blocks.sym_sizes());
  TORCH_CHECK_TYPE(blocks.scalar_type() == at::kFloat, "_bm3d_transform: blocks are float32, got ", blocks.scalar_type());
  TORCH_CHECK_VALUE(kind == "wavelet" || kind == "cosine", "_bm3d_transform: kind is 'wavelet' or 'cosine', got '", kind,
                    "'");
}

at::Tensor transform_meta(const at::Tensor& blocks, c10::string_view kind, bool inverse) {
  check_blocks(blocks, kind);
  return at::empty_symint(blocks.sym_sizes(), blocks.options().memory_format(at::MemoryFormat::Contiguous));
}

/// For tests: coefficients of blocks `[N, 8, 8]`, or the blocks again.
at::Tensor transform_cpu(const at::Tensor& blocks, c10::string_view kind, bool inverse) {
  check_blocks(blocks, kind);
  const Bm3dTransform& transform = kind == "wavelet" ? bm3d_tables().wavelet : bm3d_tables().cosine;
  const float* matrix = inverse ? transform.inverse : transform.forward;
  const at::Tensor input = blocks.contiguous();
  at::Tensor out = at::empty(input.sizes(), input.options());
  for (int64_t n = 0; n < input.size(0); ++n) {
    const float* x = input.const_data_ptr<float>() + n * kBm3dArea;
    float* y = out.mutable_data_ptr<float>() + n * kBm3dArea;
    for (int i = 0; i < kBm3dArea; ++i) {
      float sum = 0.0f;
      for (int k = 0; k < kBm3dArea; ++k) {
        sum += matrix[i / kBm3dSide * kBm3dSide + k / kBm3dSide] * x[k] * matrix[i % kBm3dSide * kBm3dSide + k % kBm3dSide];
      }
      y[i] = sum;
    }
  }
  return out;
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def("bm3d(Tensor image, float sigma, *, str stages='both', int search=39) -> Tensor");
  library.def("_bm3d_transform(Tensor blocks, str kind, bool inverse) -> Tensor");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("bm3d", bm3d_meta);
  library.impl("_bm3d_transform", transform_meta);
}
TORCH_LIBRARY_IMPL(vision_native, Autograd, library) { library.impl("bm3d", bm3d_without_gradient); }
TORCH_LIBRARY_IMPL(vision_native, CPU, library) { library.impl("_bm3d_transform", transform_cpu); }

}  // namespace

Bm3dPlan bm3d_check(const at::Tensor& image, double sigma, c10::string_view stages, int64_t search) {
  const c10::ScalarType type = image.scalar_type();
  TORCH_CHECK_TYPE(type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kBFloat16, kOp,
                   ": the image is float32, float64, float16 or bfloat16 in 0-1, got ", type,
                   "; convert it and divide by 255");
  TORCH_CHECK(image.dim() == 4 && (image.sym_size(1) == 1 || image.sym_size(1) == 3), kOp,
              ": the image is [B, 1, H, W] or RGB [B, 3, H, W], got shape ", image.sym_sizes());
  TORCH_CHECK(image.sym_size(2) >= kBm3dSide && image.sym_size(3) >= kBm3dSide, kOp, ": the image is ", kBm3dSide, " x ",
              kBm3dSide, " pixels or larger, the size of a block, got shape ", image.sym_sizes());
  TORCH_CHECK_VALUE(std::isfinite(sigma) && sigma >= 0.0, kOp,
                    ": sigma is a finite number, 0 or more, on the image's scale of 0-1, got ", sigma);
  TORCH_CHECK_VALUE(stages == "both" || stages == "hard", kOp, ": stages is 'both' or 'hard', got '", stages, "'");
  TORCH_CHECK_VALUE(search >= 1 && search <= 2 * kBm3dMostReach + 1 && search % 2 == 1, kOp, ": search is odd and 1 to ",
                    2 * kBm3dMostReach + 1, ", got ", search);
  const bool strong = sigma * 255.0 > kStrongNoise;
  const auto stage = [&](bool wiener, int32_t blocks, double limit) {
    Bm3dStage made{wiener, static_cast<int32_t>(search / 2), blocks, static_cast<float>(limit * kBm3dArea / (255.0 * 255.0)), {}};
    // Of Y = (R + G + B)/3, U = (R − B)/2 and V = (R − 2G + B)/4, or of a grey image.
    const std::array<double, 3> gains{std::sqrt(1.0 / 3), std::sqrt(0.5), std::sqrt(6.0) / 4};
    for (int c = 0; c < 3; ++c) made.sigma[c] = static_cast<float>(sigma * (image.sym_size(1) == 3 ? gains[c] : 1.0));
    return made;
  };
  return {stage(false, 16, strong ? 5000.0 : 2500.0), stage(true, 32, strong ? 3500.0 : 400.0), stages == "both"};
}

const Bm3dTables& bm3d_tables() {
  static const Bm3dTables tables = make_tables();
  return tables;
}

}  // namespace vision_native
