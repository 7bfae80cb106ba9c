// Kernels of TV-L1 flow on whole images: pyramid, resizing, differences, and the single steps that tests call.
// K1 of the design is `shrink_kernel`: all frames of a level in one launch.
#include "cuda/launch.cuh"
#include "cuda/tvl1_flow.h"
#include "cuda/tvl1_flow_median.cuh"
#include "torch/ops/tvl1_flow_math.h"

namespace vision_native::cuda {

namespace {

__global__ void smooth_columns_kernel(const float* in, float* out, int64_t count, Tvl1Size size, Tvl1Gaussian kernel) {
  VISION_NATIVE_IMAGES(n, count) {
    const float* image = in + n * size.area();
    VISION_NATIVE_PIXELS(i, size.area()) {
      const int64_t y = i / size.width, x = i - y * size.width;
      float sum = kernel.weights[0] * image[i];
      for (int j = 1; j <= kernel.radius; ++j) {
        const float above = image[tvl1_clamp(y - j, size.height) * size.width + x];
        const float below = image[tvl1_clamp(y + j, size.height) * size.width + x];
        sum += kernel.weights[j] * (above + below);
      }
      out[n * size.area() + i] = sum;
    }
  }
}

__global__ void smooth_rows_kernel(const float* in, float* out, int64_t count, Tvl1Size size, Tvl1Gaussian kernel) {
  VISION_NATIVE_IMAGES(n, count) {
    const float* image = in + n * size.area();
    VISION_NATIVE_PIXELS(i, size.area()) {
      const int64_t y = i / size.width, x = i - y * size.width;
      const float* row = image + y * size.width;
      float sum = kernel.weights[0] * row[x];
      for (int j = 1; j <= kernel.radius; ++j) {
        sum += kernel.weights[j] * (row[tvl1_clamp(x - j, size.width)] + row[tvl1_clamp(x + j, size.width)]);
      }
      out[n * size.area() + i] = sum;
    }
  }
}

__device__ float shrunk_binomial(const float* image, Tvl1Size size, int64_t x, int64_t y) {
  const float* rows[5];
  for (int j = 0; j < 5; ++j) rows[j] = image + tvl1_reflect(2 * y + j - 2, size.height) * size.width;
  double columns[5];
  for (int j = 0; j < 5; ++j) {
    const int64_t c = tvl1_reflect(2 * x + j - 2, size.width);
    columns[j] = tvl1_binomial(rows[0][c], rows[1][c], rows[2][c], rows[3][c], rows[4][c]);
  }
  return static_cast<float>(tvl1_binomial(columns[0], columns[1], columns[2], columns[3], columns[4]));
}

__global__ void shrink_kernel(const float* in, Tvl1Size in_size, float* out, Tvl1Size out_size, int64_t count,
                              Tvl1Pyramid pyramid, double step, float bicubic_a) {
  VISION_NATIVE_IMAGES(n, count) {
    const float* image = in + n * in_size.area();
    VISION_NATIVE_PIXELS(i, out_size.area()) {
      const int64_t y = i / out_size.width, x = i - y * out_size.width;
      float value;
      if (pyramid == Tvl1Pyramid::kBinomial) {
        value = shrunk_binomial(image, in_size, x, y);
      } else if (pyramid == Tvl1Pyramid::kGaussian) {
        value = tvl1_bicubic(image, in_size.width, tvl1_corner_tap(x, step, in_size.width),
                             tvl1_corner_tap(y, step, in_size.height), in_size, bicubic_a);
      } else {
        value = tvl1_bilinear(image, in_size.width, tvl1_half_pixel_tap(x, step, in_size.width),
                              tvl1_half_pixel_tap(y, step, in_size.height), in_size);
      }
      out[n * out_size.area() + i] = value;
    }
  }
}

__global__ void enlarge_kernel(const float* in, Tvl1Size in_size, float* out, Tvl1Size out_size, int64_t count,
                               float factor, bool cubic, float bicubic_a) {
  const double step_x = static_cast<double>(in_size.width) / static_cast<double>(out_size.width);
  const double step_y = static_cast<double>(in_size.height) / static_cast<double>(out_size.height);
  VISION_NATIVE_IMAGES(n, count) {
    const float* image = in + n * in_size.area();
    VISION_NATIVE_PIXELS(i, out_size.area()) {
      const int64_t y = i / out_size.width, x = i - y * out_size.width;
      const Tvl1Tap column = tvl1_half_pixel_tap(x, step_x, in_size.width);
      const Tvl1Tap row = tvl1_half_pixel_tap(y, step_y, in_size.height);
      const float value = cubic ? tvl1_bicubic(image, in_size.width, column, row, in_size, bicubic_a)
                                : tvl1_bilinear(image, in_size.width, column, row, in_size);
      out[n * out_size.area() + i] = factor * value;
    }
  }
}

__global__ void image_gradient_kernel(const float* in, float* out, int64_t count, Tvl1Size size) {
  VISION_NATIVE_IMAGES(n, count) {
    const float* image = in + n * size.area();
    float* dx = out + 2 * n * size.area();
    float* dy = dx + size.area();
    VISION_NATIVE_PIXELS(i, size.area()) {
      const int64_t y = i / size.width, x = i - y * size.width;
      const float* row = image + y * size.width;
      dx[i] = tvl1_centred(row[tvl1_clamp(x - 1, size.width)], row[tvl1_clamp(x + 1, size.width)]);
      dy[i] = tvl1_centred(image[tvl1_clamp(y - 1, size.height) * size.width + x],
                           image[tvl1_clamp(y + 1, size.height) * size.width + x]);
    }
  }
}

__global__ void gradient_kernel(const float* in, float* out, int64_t count, Tvl1Size size) {
  VISION_NATIVE_IMAGES(n, count) {
    const float* image = in + n * size.area();
    VISION_NATIVE_PIXELS(i, size.area()) {
      const int64_t y = i / size.width, x = i - y * size.width;
      const int64_t right = x + 1 < size.width ? i + 1 : i;
      const int64_t below = y + 1 < size.height ? i + size.width : i;
      out[n * size.area() + i] = image[right] - image[i];
      out[(count + n) * size.area() + i] = image[below] - image[i];
    }
  }
}

__global__ void divergence_kernel(const float* px, const float* py, float* out, int64_t count, Tvl1Size size) {
  VISION_NATIVE_IMAGES(n, count) {
    const float* qx = px + n * size.area();
    const float* qy = py + n * size.area();
    VISION_NATIVE_PIXELS(i, size.area()) {
      const int64_t y = i / size.width, x = i - y * size.width;
      const float left = x > 0 ? qx[i - 1] : 0.0f;
      const float above = y > 0 ? qy[i - size.width] : 0.0f;
      out[n * size.area() + i] = tvl1_divergence(qx[i], left, qy[i], above);
    }
  }
}

__global__ void threshold_kernel(const float* rho, const float* ix, const float* iy, float* out, int64_t count,
                                 Tvl1Step step) {
  VISION_NATIVE_PIXELS(i, count) {
    out[i] = tvl1_threshold(rho[i], ix[i], iy[i], tvl1_inverse(ix[i], iy[i], step.gradient_floor), step.lambda_theta);
  }
}

__global__ void median_kernel(const float* in, float* out, int64_t count, Tvl1Size size) {
  VISION_NATIVE_IMAGES(n, count) { median_tile(in + n * size.area(), out + n * size.area(), size); }
}

dim3 grid(int64_t area, int64_t count) { return {blocks_for(area), rows_for(count), 1}; }

}  // namespace

void launch_smooth(const float* in, float* scratch, float* out, int64_t count, Tvl1Size size, const Tvl1Gaussian& kernel,
                   cudaStream_t stream) {
  if (count == 0) return;
  smooth_columns_kernel<<<grid(size.area(), count), kThreads, 0, stream>>>(in, scratch, count, size, kernel);
  check_launch("tvl1 smooth columns");
  smooth_rows_kernel<<<grid(size.area(), count), kThreads, 0, stream>>>(scratch, out, count, size, kernel);
  check_launch("tvl1 smooth rows");
}

void launch_shrink(const float* in, Tvl1Size in_size, float* out, Tvl1Size out_size, int64_t count, Tvl1Pyramid pyramid,
                   double scale_factor, float bicubic_a, cudaStream_t stream) {
  if (count == 0) return;
  shrink_kernel<<<grid(out_size.area(), count), kThreads, 0, stream>>>(in, in_size, out, out_size, count, pyramid,
                                                                       1.0 / scale_factor, bicubic_a);
  check_launch("tvl1 shrink");
}

void launch_enlarge(const float* in, Tvl1Size in_size, float* out, Tvl1Size out_size, int64_t count, float factor,
                    Tvl1Pyramid pyramid, float bicubic_a, cudaStream_t stream) {
  if (count == 0) return;
  enlarge_kernel<<<grid(out_size.area(), count), kThreads, 0, stream>>>(
      in, in_size, out, out_size, count, factor, pyramid == Tvl1Pyramid::kGaussian, bicubic_a);
  check_launch("tvl1 enlarge");
}

void launch_image_gradient(const float* in, float* out, int64_t count, Tvl1Size size, cudaStream_t stream) {
  if (count == 0) return;
  image_gradient_kernel<<<grid(size.area(), count), kThreads, 0, stream>>>(in, out, count, size);
  check_launch("tvl1 image gradient");
}

void launch_median(const float* in, float* out, int64_t count, Tvl1Size size, cudaStream_t stream) {
  if (count == 0) return;
  median_kernel<<<dim3(median_tiles(size), rows_for(count)), median_threads(), 0, stream>>>(in, out, count, size);
  check_launch("tvl1 median");
}

void launch_gradient(const float* in, float* out, int64_t count, Tvl1Size size, cudaStream_t stream) {
  if (count == 0) return;
  gradient_kernel<<<grid(size.area(), count), kThreads, 0, stream>>>(in, out, count, size);
  check_launch("tvl1 gradient");
}

void launch_divergence(const float* px, const float* py, float* out, int64_t count, Tvl1Size size, cudaStream_t stream) {
  if (count == 0) return;
  divergence_kernel<<<grid(size.area(), count), kThreads, 0, stream>>>(px, py, out, count, size);
  check_launch("tvl1 divergence");
}

void launch_threshold(const float* rho, const float* ix, const float* iy, float* out, int64_t count, const Tvl1Step& step,
                      cudaStream_t stream) {
  if (count == 0) return;
  threshold_kernel<<<blocks_for(count), kThreads, 0, stream>>>(rho, ix, iy, out, count, step);
  check_launch("tvl1 threshold");
}

}  // namespace vision_native::cuda
