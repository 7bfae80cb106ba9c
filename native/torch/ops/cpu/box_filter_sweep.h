#pragma once
// What the box and the guided filter on the CPU ask of the row functions that are compiled for each instruction set.
//
// A job is a run of rows of one image, worked on from top to bottom. Sums restart at rows and columns that depend on the
// radius alone, so how an image is divided into jobs changes no bit.
#include <atomic>
#include <cstdint>

#include "torch/ops/box_filter_axis.h"

namespace vision_native {

enum class BoxType { kFloat, kDouble, kHalf, kBFloat16 };

/// A plane in memory; strides in elements.
struct BoxPlane {
  const void* data;
  int64_t row_stride;
  int64_t column_stride;
};

/// A contiguous plane that is written.
struct BoxTarget {
  void* data;
  int64_t row_stride;
};

constexpr int kMostGuides = 3;
/// Channels of the input that a forward job takes, so that they share what it computes of their guide: a sweep is compiled
/// for each number.
constexpr int64_t guided_channels(BoxType type) { return type == BoxType::kDouble ? 1 : 3; }

/// Rows y0 … y1 of an image; y0 is a multiple of `box_band`.
struct BoxJob {
  BoxAxis rows, columns;
  BoxType type;
  int64_t y0, y1;
  const std::atomic<bool>* cancelled;  ///< or null
  void* scratch;                       ///< of the size that the job's `…_bytes` names
};

struct BoxFilterJob : BoxJob {
  BoxPlane input;
  BoxTarget output;
  bool adjoint;
};

/// How the coefficients of a guided filter become its result, or get their gradients.
enum class GuidedForm {
  kFilter,    ///< q = (M a)ᵀ I + M b
  kAveraged,  ///< M a and M b
  kPlain,     ///< a and b
};

struct GuidedJob : BoxJob {
  GuidedForm form;
  int guides;        ///< 1 or 3
  int64_t channels;  ///< of the input that share this guide
  double eps;
  const BoxPlane* guide;  ///< `[guides]`
  const BoxPlane* input;  ///< `[channels]`
};

struct GuidedForwardJob : GuidedJob {
  const BoxTarget* output;  ///< `[channels]` of q, or `[channels · (guides + 1)]`: a…, b of each channel
};

struct GuidedBackwardJob : GuidedJob {
  const BoxPlane* grad;          ///< laid out as the forward's output
  const BoxTarget* grad_guide;   ///< `[guides]`
  const BoxTarget* grad_input;   ///< `[channels]`
  double* grad_eps;              ///< `[H]`: a share for each row
};

/// A row of the fine grid between rows of the coarse one.
struct GuidedRow {
  int64_t before, after;
  double weight;
};

/// Rows of q = Σ up(a)·I + up(b).
struct GuidedApplyJob {
  BoxType type;
  int64_t width, low_width;
  int guides;
  int64_t channels;
  const BoxPlane* coefficients;  ///< `[channels · (guides + 1)]`
  const BoxPlane* guide;         ///< `[guides]`
  const BoxTarget* output;       ///< `[channels]`
  int64_t y0, y1;
  const GuidedRow* rows;   ///< `[y1]`
  const int32_t* before;   ///< `[width]`: columns of the coarse grid
  const float* weight;     ///< `[width]`, float32 …
  const double* weight64;  ///< … and float64
  bool finer;              ///< whether neighbours' columns are at most one apart
  bool streamed;
  void* scratch;
};

/// Means of cells of `factor` × `factor` pixels for rows y0 … y1 of them.
struct AreaJob {
  BoxType type;
  int64_t height, width, factor, y0, y1;
  BoxPlane input;
  BoxTarget output;
  void* scratch;
};

/// Columns that may be read or written past those of a row.
constexpr int64_t kBoxSlack = 16;

struct BoxSweeps {
  int64_t (*box_filter_bytes)(const BoxFilterJob& job);
  void (*box_filter)(const BoxFilterJob& job);
  int64_t (*guided_forward_bytes)(const GuidedForwardJob& job);
  void (*guided_forward)(const GuidedForwardJob& job);
  int64_t (*guided_backward_bytes)(const GuidedBackwardJob& job);
  void (*guided_backward)(const GuidedBackwardJob& job);
  int64_t (*guided_apply_bytes)(const GuidedApplyJob& job);
  void (*guided_apply)(const GuidedApplyJob& job);
  int64_t (*area_bytes)(const AreaJob& job);
  void (*area)(const AreaJob& job);
};

/// Rows after which vertical sums restart, and columns after which horizontal ones do. Long windows make a restart dear.
inline int64_t box_restart(int64_t radius, int64_t least, int64_t times) {
  int64_t length = least;
  while (length < 2048 && length < times * radius) length *= 2;
  return length;
}
inline int64_t box_band(int64_t radius) { return box_restart(radius, 64, 4); }
inline int64_t box_tile(int64_t radius) { return box_restart(radius, 256, 16); }

extern const BoxSweeps kBoxSweepsScalar;
extern const BoxSweeps kBoxSweepsAvx2;
extern const BoxSweeps kBoxSweepsAvx512;

/// The functions for `cpu_isa()`.
const BoxSweeps& box_sweeps();
/// Those for a type: float64 has no vectors of its own, it is there to check gradients.
const BoxSweeps& box_sweeps(BoxType type);

}  // namespace vision_native
