// Functions of dense capsule routing for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "torch/ops/cpu/capsule_routing_dense_tiles.h"

#define CAPSULE_DENSE_TILES kCapsuleDenseTilesScalar
#include "torch/ops/cpu/capsule_routing_dense_tiles.inl"
