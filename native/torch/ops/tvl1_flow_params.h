#pragma once
// Settings of the TV-L1 solver, free of ATen so that CUDA kernels can include them.
#include <cstdint>
#include <vector>

namespace vision_native {

/// How a level of the image pyramid is made from the one below, and with it how flow is carried up again.
enum class Tvl1Pyramid : int32_t {
  kBilinear = 0,  ///< bilinear resize, size round(W·η), no low-pass (OpenCV's CPU code)
  kBinomial = 1,  ///< (1 4 6 4 1)/16, then every second pixel, size (W + 1)/2 (OpenCV 2.4's GPU code)
  kGaussian = 2,  ///< Gaussian, then bicubic sampling at x/η, size ⌊W·η + ½⌋ (Sánchez et al., IPOL 2013)
};

/// Bicubic sampling at a moved position.
struct Tvl1Sampling {
  float a;               ///< constant of the cubic: −0.5, or −0.75 as OpenCV
  bool zero_border;      ///< neighbours outside the image are 0 instead of the border pixel
  int32_t coordinate_steps;  ///< positions are rounded to 1/steps px; 0: not rounded
};

/// Constants of one inner iteration.
struct Tvl1Step {
  float lambda_theta;  ///< λθ, the largest step of the threshold in units of the image gradient
  float theta;
  float tau_over_theta;
  float gamma;           ///< weight of the illumination term; 0: off
  float gradient_floor;  ///< squared gradients up to this switch the data term off
};

struct Tvl1Size {
  int64_t height;
  int64_t width;
  constexpr int64_t area() const { return height * width; }
};

struct Tvl1Params {
  Tvl1Step step;
  Tvl1Sampling sampling;
  Tvl1Pyramid pyramid;
  double scale_factor;
  double epsilon;
  int64_t warps;
  int64_t outer_iterations;
  int64_t inner_iterations;
  int64_t block_size;  ///< inner iterations between two tests of the error; 0: the device's own choice
  bool median_filter;
  bool stretch_input;
  double presmoothing_sigma;
  std::vector<Tvl1Size> levels;  ///< finest first

  bool illumination() const { return step.gamma != 0.0f; }
  /// Unknowns per pixel: u, v and, with the illumination term, the brightness change.
  int64_t unknowns() const { return illumination() ? 3 : 2; }
};

/// Half a symmetric Gaussian, normalised: `weights[i]` belongs to the offsets ±i.
struct Tvl1Gaussian {
  static constexpr int kMaxRadius = 63;
  int32_t radius;
  float weights[kMaxRadius + 1];
};

}  // namespace vision_native
