#pragma once
// Images of the CPU solver: planes with ghost columns, row-parallel loops, resizing.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <atomic>

#include "torch/ops/cpu/tvl1_flow_rows.h"
#include "torch/ops/tvl1_flow_math.h"
#include "torch/run_context.h"

namespace vision_native {

/// Counts the threads that take part in a call and tells the loops when to stop.
/// Made on the calling thread, shared with the others.
class Tvl1Call {
 public:
  Tvl1Call();
  ~Tvl1Call();
  Tvl1Call(const Tvl1Call&) = delete;
  Tvl1Call& operator=(const Tvl1Call&) = delete;

  /// Notes that this thread works for the call; throws `Cancelled` when the call should stop.
  /// LibTorch carries the exception out of a parallel region.
  void poll();

  /// Threads that worked for the call that ended last.
  static int64_t threads_of_last_call();

 private:
  const RunContext* context_;
  int64_t id_;
  std::atomic<int64_t> threads_{0};
};

/// Pixels that are worth a thread: handing out smaller parts of an image costs more than it gains.
constexpr int64_t kTvl1PixelsPerTask = 32768;

/// Rows of an image that are worth a thread.
inline int64_t tvl1_grain(int64_t width) { return std::max<int64_t>(1, kTvl1PixelsPerTask / std::max<int64_t>(1, width)); }

/// Runs `body(y)` for every row.
template <class Body>
void tvl1_for_rows(Tvl1Call& call, int64_t height, int64_t width, Body body) {
  at::parallel_for(0, height, tvl1_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      call.poll();
      body(y);
    }
  });
}

/// A view of one image: `at(y)` is its row y.
template <class T>
struct Tvl1Plane {
  T* data;
  int64_t stride;
  T* at(int64_t y) const { return data + y * stride; }
};

void tvl1_smooth(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Plane<float> out, Tvl1Size size, const Tvl1Gaussian& kernel);

void tvl1_shrink(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Size in_size, Tvl1Plane<float> out, Tvl1Size out_size,
                 const Tvl1Params& params);

void tvl1_enlarge(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Size in_size, Tvl1Plane<float> out, Tvl1Size out_size,
                  float factor, const Tvl1Params& params);

/// Floats that a packed image of this size takes.
int64_t tvl1_packed_size(Tvl1Size size);

/// An image with its centred differences, as the warp reads it; `memory` has room for `tvl1_packed_size`.
Tvl1Packed tvl1_pack(Tvl1Call& call, Tvl1Plane<const float> in, Tvl1Size size, bool zero_border, float* memory);

}  // namespace vision_native
