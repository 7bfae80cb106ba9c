// Connected components on the CPU: runs of equal values, joined by union-find.
//
// Rows are divided into slabs, one for each thread. A slab finds its runs and joins them among themselves; rows that touch
// another slab's are joined afterwards. The root of a component is its first run in raster order, and roots are numbered
// in that order, so that labels depend neither on the slabs nor on the order of joining.
#include "torch/ops/connected_components.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <array>
#include <atomic>
#include <cstring>
#include <limits>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/connected_components_rows.h"

namespace vision_native {

namespace {

constexpr int64_t kMostRuns = std::numeric_limits<int32_t>::max();
// Rows between two looks at whether the call is cancelled.
constexpr int64_t kRowsPerPoll = 64;
// Elements that pay for another thread.
constexpr int64_t kSlabElements = 1 << 16;

const LabelRows& label_rows() { return for_cpu_isa(kLabelRowsScalar, kLabelRowsAvx2); }

/// An array in LibTorch's memory that grows without being cleared.
template <typename T>
class Pile {
 public:
  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t capacity() const { return capacity_; }

  /// Room for `capacity` elements, of which `used` hold something.
  void reserve(int64_t used, int64_t capacity) {
    if (capacity <= capacity_) return;
    capacity = std::max(capacity, capacity_ + capacity_ / 2);
    at::Tensor memory = at::empty({capacity * static_cast<int64_t>(sizeof(T))}, at::kByte);
    T* data = reinterpret_cast<T*>(memory.mutable_data_ptr<uint8_t>());
    if (used > 0) std::memcpy(data, data_, used * sizeof(T));
    memory_ = std::move(memory);
    data_ = data;
    capacity_ = capacity;
  }

 private:
  at::Tensor memory_;
  T* data_ = nullptr;
  int64_t capacity_ = 0;
};

/// Rows of one image or volume in memory.
struct RowSource {
  const char* data;
  int64_t plane_stride, row_stride;  ///< bytes
  int64_t height;

  const char* at(int64_t row) const {
    return data + (row / height) * plane_stride + (row % height) * row_stride;
  }
};

/// A row that was seen before a given one and that touches it.
struct Neighbour {
  int64_t plane, row;  ///< how far behind
  int32_t reach;       ///< 1 where diagonals of the row's axis count
};

std::vector<Neighbour> neighbours_of(int64_t connectivity) {
  switch (connectivity) {
    case 4: return {{0, -1, 0}};
    case 8: return {{0, -1, 1}};
    case 6: return {{-1, 0, 0}, {0, -1, 0}};
    case 18: return {{-1, -1, 0}, {-1, 0, 1}, {-1, 1, 0}, {0, -1, 1}};
    default: return {{-1, -1, 1}, {-1, 0, 1}, {-1, 1, 1}, {0, -1, 1}};
  }
}

int32_t root_of(int32_t* parent, int32_t run) {
  while (parent[run] != run) {
    parent[run] = parent[parent[run]];
    run = parent[run];
  }
  return run;
}

/// The smaller of two roots, now of both.
int32_t join(int32_t* parent, int32_t a, int32_t b) {
  if (a > b) std::swap(a, b);
  parent[b] = a;
  return a;
}

/// Joins runs of two rows that touch and have one value. `a` are the runs of the later row, whose numbers begin at
/// `first_a`. `binary` images have one value only.
template <typename T, bool binary>
void join_rows(int32_t* parent, const LabelRun* a, int64_t count_a, int64_t first_a, const void* values_a,
               const LabelRun* b, int64_t count_b, int64_t first_b, const void* values_b, int32_t reach) {
  const T* row_a = static_cast<const T*>(values_a);
  const T* row_b = static_cast<const T*>(values_b);
  int64_t j = 0;
  for (int64_t i = 0; i < count_a; ++i) {
    const int64_t start = int64_t{a[i].start} - reach, end = int64_t{a[i].end} + reach;
    while (j < count_b && b[j].end <= start) ++j;
    if (j == count_b) return;
    if (b[j].start >= end) continue;
    const int32_t run = static_cast<int32_t>(first_a + i);
    int32_t root = root_of(parent, run);
    while (true) {
      if (binary || row_a[a[i].start] == row_b[b[j].start]) {
        const int32_t other = root_of(parent, static_cast<int32_t>(first_b + j));
        if (other != root) root = join(parent, root, other);
      }
      // The last one that touches may touch the next run too …
      if (j + 1 == count_b || b[j + 1].start >= end) break;
      ++j;
    }
    // … and so may the one before it, where no background is between runs.
    if (!binary && j > 0) --j;
  }
}

using JoinRows = void (*)(int32_t*, const LabelRun*, int64_t, int64_t, const void*, const LabelRun*, int64_t, int64_t,
                          const void*, int32_t);

JoinRows join_for(c10::ScalarType type) {
  if (type == at::kBool) return join_rows<uint8_t, true>;
  switch (c10::elementSize(type)) {
    case 1: return join_rows<uint8_t, false>;
    case 2: return join_rows<uint16_t, false>;
    case 4: return join_rows<uint32_t, false>;
    default: return join_rows<uint64_t, false>;
  }
}

int log2_of_bytes(c10::ScalarType type) {
  const size_t bytes = c10::elementSize(type);
  return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
}

struct Slab {
  int64_t first_row = 0, rows = 0;
  Pile<LabelRun> runs;
  Pile<int32_t> parent;
  std::vector<int64_t> begin;  ///< of each row's runs in `runs`; one more at the end
  int64_t offset = 0;          ///< number of the slab's first run in the image

  int64_t runs_of_row(int64_t row) const { return begin[row - first_row]; }
  int64_t count_of_row(int64_t row) const { return begin[row - first_row + 1] - begin[row - first_row]; }
  bool has(int64_t row) const { return row >= first_row && row < first_row + rows; }
};

/// Components of one image or volume.
class Components {
 public:
  Components(const RowSource& source, const LabelGrid& grid, int64_t connectivity, c10::ScalarType type, int64_t slabs)
      : source_(source), grid_(grid), neighbours_(neighbours_of(connectivity)), join_rows_(join_for(type)),
        find_runs_(label_rows().find_runs[log2_of_bytes(type)]), context_(current_run_context()), slabs_(slabs) {
    for (int64_t i = 0; i < slabs; ++i) {
      slabs_[i].first_row = grid.rows() * i / slabs;
      slabs_[i].rows = grid.rows() * (i + 1) / slabs - slabs_[i].first_row;
    }
  }

  /// Writes labels and returns how many there are.
  int64_t label(int32_t* out) {
    for_slabs([&](Slab& slab) { scan(slab); });
    stop_if_asked();
    gather();
    const int64_t count = number();
    for_slabs([&](Slab& slab) { write(slab, out); });
    stop_if_asked();
    return count;
  }

 private:
  template <class Body>
  void for_slabs(Body body) {
    at::parallel_for(0, static_cast<int64_t>(slabs_.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(slabs_[i]);
    });
  }

  void stop_if_asked() const {
    if (is_cancelled(context_)) throw Cancelled();
  }

  /// Calls `body` with every row before `row` that touches it and its reach.
  template <class Body>
  void for_neighbours(int64_t row, Body body) const {
    const int64_t z = row / grid_.height, y = row % grid_.height;
    for (const Neighbour& n : neighbours_) {
      if (z + n.plane < 0 || y + n.row < 0 || y + n.row >= grid_.height) continue;
      body(row + n.plane * grid_.height + n.row, n.reach);
    }
  }

  void join_with(int32_t* parent, const Slab& a, int64_t row_a, const Slab& b, int64_t row_b, int32_t reach,
                 int64_t offset_a, int64_t offset_b) const {
    const int64_t first_a = a.runs_of_row(row_a), first_b = b.runs_of_row(row_b);
    join_rows_(parent, a.runs.data() + first_a, a.count_of_row(row_a), offset_a + first_a, source_.at(row_a),
               b.runs.data() + first_b, b.count_of_row(row_b), offset_b + first_b, source_.at(row_b), reach);
  }

  /// Finds the runs of a slab and joins those that touch inside it.
  void scan(Slab& slab) const {
    slab.begin.assign(slab.rows + 1, 0);
    int64_t count = 0;
    for (int64_t k = 0; k < slab.rows; ++k) {
      if (k % kRowsPerPoll == 0 && is_cancelled(context_)) return;
      const int64_t row = slab.first_row + k;
      // Room for the rest of the slab too, if it is like what was seen.
      const int64_t needed = count + grid_.width + 1, expected = needed + count / (k + 1) * (slab.rows - k);
      if (needed > slab.runs.capacity()) slab.runs.reserve(count, expected);
      if (needed > slab.parent.capacity()) slab.parent.reserve(count, expected);
      const int64_t found = find_runs_(source_.at(row), grid_.width, slab.runs.data() + count);
      TORCH_CHECK(count + found <= kMostRuns, "connected_components: the input has more than ", kMostRuns,
                  " runs of equal values; divide it");
      int32_t* parent = slab.parent.data();
      for (int64_t i = count; i < count + found; ++i) parent[i] = static_cast<int32_t>(i);
      count += found;
      slab.begin[k + 1] = count;
      for_neighbours(row, [&](int64_t other, int32_t reach) {
        if (slab.has(other)) join_with(parent, slab, row, slab, other, reach, 0, 0);
      });
    }
  }

  /// Brings the slabs' runs under one numbering and joins what touches across slabs.
  void gather() {
    int64_t total = 0;
    for (Slab& slab : slabs_) {
      slab.offset = total;
      total += slab.begin.back();
    }
    TORCH_CHECK(total <= kMostRuns, "connected_components: the input has ", total, " runs of equal values, more than ",
                kMostRuns, "; divide it");
    total_ = total;
    if (slabs_.size() == 1) {
      parent_ = std::move(slabs_[0].parent);
      return;
    }
    parent_.reserve(0, total);
    for_slabs([&](Slab& slab) {
      int32_t* parent = parent_.data() + slab.offset;
      for (int64_t i = 0; i < slab.begin.back(); ++i) parent[i] = slab.parent.data()[i] + static_cast<int32_t>(slab.offset);
    });
    const int64_t behind = neighbours_.front().plane < 0 ? grid_.height + 1 : 1;
    for (size_t s = 1; s < slabs_.size(); ++s) {
      const Slab& slab = slabs_[s];
      for (int64_t row = slab.first_row; row < slab.first_row + std::min(slab.rows, behind); ++row) {
        for_neighbours(row, [&](int64_t other, int32_t reach) {
          if (slab.has(other)) return;
          size_t t = s - 1;
          while (!slabs_[t].has(other)) --t;
          join_with(parent_.data(), slab, row, slabs_[t], other, reach, slab.offset, slabs_[t].offset);
        });
      }
    }
  }

  /// Replaces each run's parent by its label. A parent comes before its children, so that one pass does.
  int64_t number() {
    int32_t* parent = parent_.data();
    int32_t count = 0;
    for (int64_t i = 0; i < total_; ++i) parent[i] = parent[i] == i ? ++count : parent[parent[i]];
    return count;
  }

  void write(const Slab& slab, int32_t* out) const {
    const LabelRows& rows = label_rows();
    for (int64_t k = 0; k < slab.rows; ++k) {
      if (k % kRowsPerPoll == 0 && is_cancelled(context_)) return;
      const int64_t left = (slab.rows - 1 - k) * grid_.width;
      rows.fill(out + (slab.first_row + k) * grid_.width, grid_.width, slab.runs.data() + slab.begin[k],
                parent_.data() + slab.offset + slab.begin[k], slab.begin[k + 1] - slab.begin[k], left);
    }
  }

  const RowSource source_;
  const LabelGrid grid_;
  const std::vector<Neighbour> neighbours_;
  const JoinRows join_rows_;
  int64_t (*const find_runs_)(const void*, int64_t, LabelRun*);
  RunContext* const context_;
  std::vector<Slab> slabs_;
  Pile<int32_t> parent_;
  int64_t total_ = 0;
};

/// Slabs for one image: threads that its size pays for.
int64_t slabs_for(const LabelGrid& grid) {
  const int64_t worth = grid.voxels() / kSlabElements;
  return std::max<int64_t>(1, std::min({worth, grid.rows(), static_cast<int64_t>(at::get_num_threads())}));
}

/// Items on different threads when there are enough of them; otherwise one after the other, each on all threads.
template <class Body>
void for_items(int64_t count, Body body) {
  if (count < at::get_num_threads()) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  RunContext* const context = current_run_context();
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    const RunContextGuard guard(context);
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

/// `tensor` as `[batch, depth, height, width]` with rows that are contiguous.
at::Tensor rows_of(const at::Tensor& tensor, const LabelGrid& grid) {
  const bool rows_contiguous = grid.width <= 1 || tensor.stride(-1) == 1;
  const std::array<int64_t, 4> sizes{grid.batch, grid.depth, grid.height, grid.width};
  return (rows_contiguous ? tensor : tensor.contiguous()).reshape(sizes);
}

RowSource source_of(const at::Tensor& rows, int64_t item) {
  const int64_t bytes = static_cast<int64_t>(rows.element_size());
  return {static_cast<const char*>(rows.const_data_ptr()) + item * rows.stride(0) * bytes, rows.stride(1) * bytes,
          rows.stride(2) * bytes, rows.size(2)};
}

std::tuple<at::Tensor, at::Tensor> components_cpu(const at::Tensor& input, int64_t connectivity) {
  const LabelGrid grid = components_check(input, connectivity);
  at::Tensor labels = at::empty(input.sizes(), input.options().dtype(at::kInt).memory_format(at::MemoryFormat::Contiguous));
  at::Tensor count = at::empty(input.sizes().slice(0, input.dim() - grid.dims), input.options().dtype(at::kLong));
  int64_t* counts = count.mutable_data_ptr<int64_t>();
  if (grid.voxels() == 0) {
    std::fill_n(counts, count.numel(), int64_t{0});
    return {labels, count};
  }
  const at::Tensor rows = rows_of(input, grid);
  int32_t* out = labels.mutable_data_ptr<int32_t>();
  const int64_t slabs = grid.batch < at::get_num_threads() ? slabs_for(grid) : 1;
  for_items(grid.batch, [&](int64_t item) {
    Components components(source_of(rows, item), grid, connectivity, input.scalar_type(), slabs);
    counts[item] = components.label(out + item * grid.voxels());
  });
  return {labels, count};
}

// ---- Statistics -----------------------------------------------------------------------------------------------------

/// Tables of labels 0 … count. Sums are whole numbers, so that their order does not matter.
struct LabelTable {
  int64_t* area;
  int64_t* box;  ///< lowest and highest place, axis by axis
  int64_t* sum;  ///< of the places
};

template <int dims>
void clear(const LabelTable& table, int64_t labels) {
  std::fill_n(table.area, labels, int64_t{0});
  std::fill_n(table.sum, labels * dims, int64_t{0});
  for (int64_t label = 0; label < labels; ++label) {
    std::fill_n(table.box + label * 2 * dims, dims, std::numeric_limits<int64_t>::max());
    std::fill_n(table.box + label * 2 * dims + dims, dims, int64_t{-1});
  }
}

template <int dims>
void add_run(const LabelTable& table, int64_t label, int64_t z, int64_t y, int64_t start, int64_t end) {
  const int64_t length = end - start;
  int64_t* box = table.box + label * 2 * dims;
  int64_t* sum = table.sum + label * dims;
  const auto add = [&](int axis, int64_t low, int64_t high, int64_t total) {
    box[axis] = std::min(box[axis], low);
    box[dims + axis] = std::max(box[dims + axis], high);
    sum[axis] += total;
  };
  table.area[label] += length;
  if constexpr (dims == 3) add(0, z, z, z * length);
  add(dims - 2, y, y, y * length);
  add(dims - 1, start, end - 1, (start + end - 1) * length / 2);
}

template <int dims>
void merge(const LabelTable& to, const LabelTable& from, int64_t labels) {
  for (int64_t label = 0; label < labels; ++label) {
    to.area[label] += from.area[label];
    for (int64_t axis = 0; axis < dims; ++axis) {
      const int64_t low = label * 2 * dims + axis, high = low + dims;
      to.box[low] = std::min(to.box[low], from.box[low]);
      to.box[high] = std::max(to.box[high], from.box[high]);
      to.sum[label * dims + axis] += from.sum[label * dims + axis];
    }
  }
}

/// Adds up the rows `first` … `last` − 1; false when a label is out of range. What lies between runs is label 0.
template <int dims>
bool add_rows(const RowSource& source, const LabelGrid& grid, int64_t first, int64_t last, int64_t count,
              const LabelTable& table, LabelRun* runs, const RunContext* context) {
  const auto find_runs = label_rows().find_runs[2];
  for (int64_t row = first; row < last; ++row) {
    if (row % kRowsPerPoll == 0 && is_cancelled(context)) return true;
    const int32_t* values = reinterpret_cast<const int32_t*>(source.at(row));
    const int64_t z = row / grid.height, y = row % grid.height;
    const int64_t found = find_runs(values, grid.width, runs);
    int64_t place = 0;
    for (int64_t k = 0; k < found; ++k) {
      const int32_t label = values[runs[k].start];
      if (label < 0 || label > count) return false;
      if (place < runs[k].start) add_run<dims>(table, 0, z, y, place, runs[k].start);
      add_run<dims>(table, label, z, y, runs[k].start, runs[k].end);
      place = runs[k].end;
    }
    if (place < grid.width) add_run<dims>(table, 0, z, y, place, grid.width);
  }
  return true;
}

/// From lowest and highest places and sums to boxes, in place, and centroids. A label that no place has is empty.
template <int dims>
void finish(const LabelTable& table, double* centroid, int64_t labels) {
  for (int64_t label = 0; label < labels; ++label) {
    for (int64_t axis = 0; axis < dims; ++axis) {
      int64_t& low = table.box[label * 2 * dims + axis];
      int64_t& high = table.box[label * 2 * dims + dims + axis];
      if (table.area[label] == 0) low = 0;
      ++high;
      centroid[label * dims + axis] =
          static_cast<double>(table.sum[label * dims + axis]) / static_cast<double>(table.area[label]);
    }
  }
}

template <int dims>
void statistics(const at::Tensor& labels, const LabelGrid& grid, int64_t count, at::Tensor& area, at::Tensor& box,
                at::Tensor& centroid) {
  const int64_t table_labels = count + 1;
  // A table for each slab has to be cheaper than what the slab reads.
  const int64_t slabs = std::max<int64_t>(1, std::min(slabs_for(grid), grid.voxels() / (16 * table_labels)));
  constexpr int64_t numbers = 1 + 3 * dims;
  at::Tensor memory = at::empty({(slabs - 1) * table_labels * numbers}, at::kLong);
  at::Tensor sums = at::empty({table_labels * dims}, at::kLong);
  at::Tensor run_memory = at::empty({slabs * (grid.width + 1) * static_cast<int64_t>(sizeof(LabelRun))}, at::kByte);
  auto* runs = reinterpret_cast<LabelRun*>(run_memory.mutable_data_ptr<uint8_t>());
  const at::Tensor rows = grid.voxels() * grid.batch > 0 ? rows_of(labels, grid) : labels;
  RunContext* const context = current_run_context();
  for (int64_t item = 0; item < grid.batch; ++item) {
    double* centroids = centroid.mutable_data_ptr<double>() + item * table_labels * dims;
    std::vector<LabelTable> tables(slabs);
    tables[0] = {area.mutable_data_ptr<int64_t>() + item * table_labels,
                 box.mutable_data_ptr<int64_t>() + item * table_labels * 2 * dims, sums.mutable_data_ptr<int64_t>()};
    for (int64_t s = 1; s < slabs; ++s) {
      int64_t* at = memory.mutable_data_ptr<int64_t>() + (s - 1) * table_labels * numbers;
      tables[s] = {at, at + table_labels, at + table_labels * (1 + 2 * dims)};
    }
    std::atomic<bool> in_range{true};
    at::parallel_for(0, slabs, 1, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        clear<dims>(tables[s], table_labels);
        if (grid.voxels() == 0) continue;
        if (!add_rows<dims>(source_of(rows, item), grid, grid.rows() * s / slabs, grid.rows() * (s + 1) / slabs, count,
                            tables[s], runs + s * (grid.width + 1), context))
          in_range = false;
      }
    });
    check_cancelled();
    TORCH_CHECK_VALUE(in_range, "label_statistics: a label is not in 0 to ", count, ", the count that was given");
    for (int64_t s = 1; s < slabs; ++s) merge<dims>(tables[0], tables[s], table_labels);
    finish<dims>(tables[0], centroids, table_labels);
  }
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> statistics_cpu(const at::Tensor& labels, int64_t count, int64_t dims) {
  const LabelGrid grid = statistics_check(labels, count, dims);
  std::vector<int64_t> sizes(labels.sizes().begin(), labels.sizes().end() - dims);
  sizes.push_back(count + 1);
  const auto with = [&](int64_t last) {
    auto all = sizes;
    all.push_back(last);
    return all;
  };
  const auto longs = labels.options().dtype(at::kLong);
  at::Tensor area = at::empty(sizes, longs);
  at::Tensor box = at::empty(with(2 * dims), longs);
  at::Tensor centroid = at::empty(with(dims), labels.options().dtype(at::kDouble));
  dims == 2 ? statistics<2>(labels, grid, count, area, box, centroid)
            : statistics<3>(labels, grid, count, area, box, centroid);
  return {area, box, centroid};
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("connected_components", components_cpu);
  library.impl("label_statistics", statistics_cpu);
}

}  // namespace vision_native
