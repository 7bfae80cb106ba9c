// Coefficients sampled where they meet the guide, and cell means; included after box_filter_stage.inl.

namespace vision_native {
namespace {

/// A row of a plane as T: where it lies, or converted into `room`.
template <class T>
inline const T* row_of(const BoxPlane& plane, BoxType type, int64_t y, int64_t width, T* room) {
  const bool direct = plane.column_stride == 1 && (type == BoxType::kFloat || type == BoxType::kDouble);
  if (direct) return static_cast<const T*>(plane.data) + y * plane.row_stride;
  read_row(type, plane.data, y * plane.row_stride, plane.column_stride, room, width);
  return room;
}

/// Elements `at` of a vector.
template <class T>
inline Vector<T> permute(Vector<T> v, typename Lanes<T>::Mask at) {
  return __builtin_shuffle(v, at);
}

template <class T>
int64_t guided_apply_sweep(const GuidedApplyJob& job, Arena arena) {
  constexpr int kCount = kLanes<T>;
  const int fields = job.guides + 1;
  const int64_t line_size = job.low_width + 1 + kBoxSlack;
  // Of each field: a row between two rows of the coarse grid, and the steps from column to column.
  T* lines = arena.take<T>(fields * line_size);
  T* steps = arena.take<T>(fields * line_size);
  T* room = arena.take<T>(2 * job.low_width);
  T* guide_room = arena.take<T>(job.guides * job.width);
  T* q = arena.take<T>(job.width + kBoxSlack);
  if (arena.counts_only()) return arena.used();
  const T* weight;
  if constexpr (sizeof(T) == 8) {
    weight = job.weight64;
  } else {
    weight = job.weight;
  }
  const int32_t* before = job.before;
  for (int64_t i = 0; i < fields * line_size; ++i) lines[i] = steps[i] = T(0);
  for (int64_t y = job.y0; y < job.y1; ++y) {
    const GuidedRow& between = job.rows[y];
    const T share = static_cast<T>(between.weight);
    const T* guide[kMostGuides];
    for (int k = 0; k < job.guides; ++k) guide[k] = row_of(job.guide[k], job.type, y, job.width, guide_room + k * job.width);
    for (int64_t c = 0; c < job.channels; ++c) {
      for (int f = 0; f < fields; ++f) {
        const BoxPlane& plane = job.coefficients[c * fields + f];
        const T* __restrict above = row_of(plane, job.type, between.before, job.low_width, room);
        const T* __restrict below = row_of(plane, job.type, between.after, job.low_width, room + job.low_width);
        T* __restrict line = lines + f * line_size;
        T* __restrict step = steps + f * line_size;
        for (int64_t x = 0; x < job.low_width; ++x) line[x] = above[x] + share * (below[x] - above[x]);
        line[job.low_width] = line[job.low_width - 1];
        for (int64_t x = 0; x < job.low_width; ++x) step[x] = line[x + 1] - line[x];
      }
      int64_t x = 0;
      if constexpr (kCount >= 8 && sizeof(T) == 4) {
        // The columns that a vector of the fine grid lies between fit in a vector.
        for (; job.finer && x + kCount <= job.width; x += kCount) {
          const int64_t first = before[x];
          typename Lanes<T>::Mask at;
          __builtin_memcpy(&at, before + x, sizeof(at));
          at = at - static_cast<int32_t>(first);
          const Vector<T> w = load(weight + x);
          const auto field = [&](int f) BOX_ISA_LAMBDA __attribute__((always_inline)) {
            const int64_t place = f * line_size + first;
            return permute<T>(load(lines + place), at) + w * permute<T>(load(steps + place), at);
          };
          Vector<T> sum = field(job.guides);
          for (int k = 0; k < job.guides; ++k) sum = sum + field(k) * load(guide[k] + x);
          store(q + x, sum);
        }
      }
      for (; x < job.width; ++x) {
        const auto field = [&](int f) BOX_ISA_LAMBDA {
          const int64_t place = f * line_size + before[x];
          return lines[place] + weight[x] * steps[place];
        };
        T sum = field(job.guides);
        for (int k = 0; k < job.guides; ++k) sum = sum + field(k) * guide[k][x];
        q[x] = sum;
      }
      write_row(job.type, q, job.output[c].data, y * job.output[c].row_stride, job.width, job.streamed);
    }
  }
  return arena.used();
}

template <class T>
int64_t area_sweep(const AreaJob& job, Arena arena) {
  const int64_t low_width = (job.width + job.factor - 1) / job.factor;
  T* room = arena.take<T>(job.width);
  T* sum = arena.take<T>(job.width);
  T* low = arena.take<T>(low_width);
  if (arena.counts_only()) return arena.used();
  for (int64_t j = job.y0; j < job.y1; ++j) {
    const int64_t from = j * job.factor, to = job.height - from < job.factor ? job.height : from + job.factor;
    for (int64_t y = from; y < to; ++y) {
      const T* __restrict row = row_of(job.input, job.type, y, job.width, room);
      if (y == from) {
        for (int64_t x = 0; x < job.width; ++x) sum[x] = row[x];
      } else {
        for (int64_t x = 0; x < job.width; ++x) sum[x] += row[x];
      }
    }
    const int64_t whole = job.width / job.factor;
    const T cells = static_cast<T>(job.factor * (to - from));
    if (job.factor == 4) {
      for (int64_t i = 0; i < whole; ++i) low[i] = (((sum[4 * i] + sum[4 * i + 1]) + sum[4 * i + 2]) + sum[4 * i + 3]) / cells;
    } else {
      for (int64_t i = 0; i < whole; ++i) {
        T total = T(0);
        for (int64_t x = i * job.factor; x < (i + 1) * job.factor; ++x) total += sum[x];
        low[i] = total / cells;
      }
    }
    if (whole < low_width) {
      T total = T(0);
      for (int64_t x = whole * job.factor; x < job.width; ++x) total += sum[x];
      low[whole] = total / static_cast<T>((job.width - whole * job.factor) * (to - from));
    }
    write_row(job.type, low, job.output.data, j * job.output.row_stride, low_width, false);
  }
  return arena.used();
}

int64_t guided_apply_run(const GuidedApplyJob& job, void* memory) {
#ifdef BOX_WITH_DOUBLE
  if (job.type == BoxType::kDouble) return guided_apply_sweep<double>(job, Arena(memory));
#endif
  return guided_apply_sweep<float>(job, Arena(memory));
}

int64_t area_run(const AreaJob& job, void* memory) {
#ifdef BOX_WITH_DOUBLE
  if (job.type == BoxType::kDouble) return area_sweep<double>(job, Arena(memory));
#endif
  return area_sweep<float>(job, Arena(memory));
}

}  // namespace
}  // namespace vision_native
