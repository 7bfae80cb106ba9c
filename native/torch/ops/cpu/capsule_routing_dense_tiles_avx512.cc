// Functions of dense capsule routing for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "torch/ops/cpu/capsule_routing_dense_tiles.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma")
#define CAPSULE_DENSE_TILES kCapsuleDenseTilesAvx512
#include "torch/ops/cpu/capsule_routing_dense_tiles.inl"
