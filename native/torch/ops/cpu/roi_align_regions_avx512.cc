// Sums of RoIAlign for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "torch/ops/cpu/roi_align_regions.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#pragma GCC optimize("fp-contract=fast")
#define ROI_KERNELS kRoiKernelsAvx512
#include "torch/ops/cpu/roi_align_regions.inl"
