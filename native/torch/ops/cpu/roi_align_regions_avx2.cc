// Sums of RoIAlign for CPUs with AVX2 and FMA. Shared headers come before the instruction set is raised.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "torch/ops/cpu/roi_align_regions.h"

#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")
#define ROI_KERNELS kRoiKernelsAvx2
#include "torch/ops/cpu/roi_align_regions.inl"
