// Row functions of labels for every x86-64 CPU.
#include <algorithm>
#include <cstdint>

#include "torch/ops/cpu/connected_components_rows.h"

#define LABEL_ROWS kLabelRowsScalar
#include "torch/ops/cpu/connected_components_rows.inl"
