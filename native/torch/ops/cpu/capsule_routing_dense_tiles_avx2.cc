// Functions of dense capsule routing for CPUs with AVX2 and FMA. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "torch/ops/cpu/capsule_routing_dense_tiles.h"

#pragma GCC target("avx2,fma")
#define CAPSULE_DENSE_TILES kCapsuleDenseTilesAvx2
#include "torch/ops/cpu/capsule_routing_dense_tiles.inl"
