// Watershed from markers on the CPU: a flood in order of level, then of age.
//
// Images are copied into a frame one place wide, so that neighbours need no look at the border. Levels of more than 16 bits
// are replaced by their ranks, found by a radix sort; the queue then has a line for each rank. Each place enters the queue
// once, so that the time grows with the number of places.
#include "torch/ops/watershed.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <queue>
#include <type_traits>
#include <utility>
#include <vector>

#include "torch/ops/cpu/watershed_queue.h"

namespace vision_native {

namespace {

constexpr int64_t kPlacesPerPoll = 1 << 16;

/// An array in LibTorch's memory.
template <typename T>
class Room {
 public:
  explicit Room(int64_t count)
      : memory_(at::empty({std::max<int64_t>(count, 1) * static_cast<int64_t>(sizeof(T))}, at::kByte)),
        data_(reinterpret_cast<T*>(memory_.mutable_data_ptr<uint8_t>())) {}

  T* data() const { return data_; }
  T& operator[](int64_t i) const { return data_[i]; }

 private:
  at::Tensor memory_;
  T* data_;
};

/// The grid with a frame around it, a place wide on the axes of space.
struct Frame {
  explicit Frame(const LabelGrid& grid)
      : grid(grid), rim(grid.dims == 3 ? 1 : 0), row(grid.width + 2), plane(row * (grid.height + 2)),
        places(plane * (grid.depth + 2 * rim)) {}

  int64_t at(int64_t z, int64_t y, int64_t x) const { return (z + rim) * plane + (y + 1) * row + x + 1; }

  LabelGrid grid;
  int64_t rim, row, plane, places;
};

struct Step {
  int dz, dy, dx;
  int length() const { return std::abs(dz) + std::abs(dy) + std::abs(dx); }
};

/// Nearest first, then in raster order, as scikit-image has them.
std::vector<Step> steps_of(int64_t connectivity) {
  const int far = connectivity == 4 || connectivity == 6 ? 1 : connectivity == 26 ? 3 : 2;
  const int deep = connectivity == 4 || connectivity == 8 ? 0 : 1;
  std::vector<Step> steps;
  for (int dz = -deep; dz <= deep; ++dz) {
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        const Step step{dz, dy, dx};
        if (step.length() >= 1 && step.length() <= far) steps.push_back(step);
      }
    }
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.length() < b.length(); });
  return steps;
}

std::vector<int64_t> offsets_of(const std::vector<Step>& steps, const Frame& frame) {
  std::vector<int64_t> offsets;
  for (const Step& s : steps) offsets.push_back(s.dz * frame.plane + s.dy * frame.row + s.dx);
  return offsets;
}

/// Calls `body(row of the grid, first place of it in the frame)`.
template <class Body>
void for_rows(const Frame& frame, Body body) {
  for (int64_t z = 0; z < frame.grid.depth; ++z) {
    for (int64_t y = 0; y < frame.grid.height; ++y) body(z * frame.grid.height + y, frame.at(z, y, 0));
  }
}

// ---- Levels ---------------------------------------------------------------------------------------------------------

/// Whole numbers in the order of the values; −0 is 0. NaN has none.
template <typename T>
auto key_of(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    const T positive = value + T{0};
    Bits bits;
    std::memcpy(&bits, &positive, sizeof bits);
    constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
    return bits & sign ? ~bits : bits | sign;
  } else {
    using Bits = std::make_unsigned_t<T>;
    constexpr Bits lowest = static_cast<Bits>(std::numeric_limits<T>::min());
    return static_cast<Bits>(static_cast<Bits>(value) - lowest);
  }
}

template <typename Key, typename Index>
struct Entry {
  Key key;
  Index place;
};

/// Sorts by key, keeping the order of equal ones. `spare` is as large as `entries`; returns whichever holds the result.
template <typename Key, typename Index>
Entry<Key, Index>* radix_sort(Entry<Key, Index>* entries, Entry<Key, Index>* spare, int64_t count) {
  constexpr int bits = 11, digits = (8 * sizeof(Key) + bits - 1) / bits;
  constexpr int64_t values = 1 << bits;
  std::vector<int64_t> counts(digits * values, 0);
  for (int64_t i = 0; i < count; ++i) {
    for (int d = 0; d < digits; ++d) ++counts[d * values + ((entries[i].key >> (bits * d)) & (values - 1))];
  }
  for (int d = 0; d < digits; ++d) {
    int64_t* place = counts.data() + d * values;
    // A digit that all have changes nothing.
    if (std::find(place, place + values, count) != place + values) continue;
    int64_t sum = 0;
    for (int64_t v = 0; v < values; ++v) sum += std::exchange(place[v], sum);
    for (int64_t i = 0; i < count; ++i) spare[place[(entries[i].key >> (bits * d)) & (values - 1)]++] = entries[i];
    std::swap(entries, spare);
  }
  return entries;
}

/// The level of each place of the frame, `kBlocked` where the flood may not go, and the number of levels.
template <typename Level>
constexpr Level kBlocked = std::numeric_limits<Level>::max();

/// One image with its mask, or null, in rows of the grid.
template <typename T>
struct Image {
  const T* values;
  const bool* mask;

  bool open(int64_t place) const { return mask == nullptr || mask[place]; }
};

template <typename T>
void refuse_nan(const Image<T>& image, int64_t first, int64_t count) {
  if constexpr (std::is_floating_point_v<T>) {
    bool found = false;
    for (int64_t i = first; i < first + count; ++i) found |= std::isnan(image.values[i]) && image.open(i);
    TORCH_CHECK_VALUE(!found, "watershed: the image holds NaN, which has no level; replace it or mask it out");
  }
}

/// The values themselves are levels.
template <typename Level, typename T>
int64_t copy_levels(const Image<T>& image, const Frame& frame, Level* levels) {
  const int64_t width = frame.grid.width;
  for_rows(frame, [&](int64_t row, int64_t first) {
    for (int64_t x = 0; x < width; ++x) {
      if (image.open(row * width + x)) levels[first + x] = key_of(image.values[row * width + x]);
    }
  });
  return int64_t{1} << (8 * sizeof(T));
}

/// Levels are the ranks of the values.
template <typename Index, typename Level, typename T>
int64_t rank_levels(const Image<T>& image, const Frame& frame, Level* levels) {
  using Key = decltype(key_of(T{}));
  const int64_t width = frame.grid.width;
  Room<Entry<Key, Index>> entries(frame.grid.voxels() + 1), spare(frame.grid.voxels());
  int64_t count = 0;
  for_rows(frame, [&](int64_t row, int64_t first) {
    refuse_nan(image, row * width, width);
    for (int64_t x = 0; x < width; ++x) {
      entries[count] = {key_of(image.values[row * width + x]), static_cast<Index>(first + x)};
      count += image.open(row * width + x);
    }
  });
  const Entry<Key, Index>* sorted = radix_sort(entries.data(), spare.data(), count);
  int64_t rank = 0;
  for (int64_t i = 0; i < count; ++i) {
    rank += i > 0 && sorted[i].key != sorted[i - 1].key;
    levels[sorted[i].place] = static_cast<Level>(rank);
  }
  return rank + 1;
}

// ---- Floods ---------------------------------------------------------------------------------------------------------

class Poll {
 public:
  void operator()() {
    if (++places_ % kPlacesPerPoll == 0 && is_cancelled(context_)) throw Cancelled();
  }

 private:
  const RunContext* context_ = current_run_context();
  int64_t places_ = 0;
};

/// Floods `labels`, a frame that holds the seeds. A place is labelled and closed when it enters the queue.
template <typename Index, typename Level, typename Label>
void flood(Level* levels, int64_t level_count, Label* labels, const Frame& frame, const std::vector<int64_t>& offsets) {
  Room<Index> next(frame.places);
  LevelQueue<Index> queue(level_count, next.data());
  Poll poll;
  for_rows(frame, [&](int64_t, int64_t first) {
    for (int64_t place = first; place < first + frame.grid.width; ++place) {
      if (labels[place] == 0) continue;
      queue.push(levels[place], static_cast<Index>(place));
      levels[place] = kBlocked<Level>;
    }
  });
  while (!queue.empty()) {
    poll();
    const int64_t place = queue.pop();
    const Label label = labels[place];
    for (const int64_t offset : offsets) {
      const int64_t neighbour = place + offset;
      const Level level = levels[neighbour];
      if (level == kBlocked<Level>) continue;
      levels[neighbour] = kBlocked<Level>;
      labels[neighbour] = label;
      queue.push(level, static_cast<Index>(neighbour));
    }
  }
}

/// As `flood`, but a place's key is its value and `compactness` times its distance from the seed that reached it, and it
/// is labelled when it leaves the queue: another seed may reach it with a lower key.
template <typename Label>
void compact_flood(const double* values, uint8_t* open, Label* labels, const Frame& frame,
                   const std::vector<int64_t>& offsets, double compactness) {
  struct Waiting {
    double key;
    int64_t age, place, seed;
    bool operator>(const Waiting& other) const { return key != other.key ? key > other.key : age > other.age; }
  };
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> queue;
  Poll poll;
  int64_t age = 0;
  for_rows(frame, [&](int64_t, int64_t first) {
    for (int64_t place = first; place < first + frame.grid.width; ++place) {
      if (labels[place] != 0) queue.push({values[place], age++, place, place});
    }
  });
  const auto distance = [&](int64_t a, int64_t b) {
    const int64_t dz = a / frame.plane - b / frame.plane;
    const int64_t dy = a % frame.plane / frame.row - b % frame.plane / frame.row;
    const int64_t dx = a % frame.row - b % frame.row;
    return std::sqrt(static_cast<double>(dz * dz + dy * dy + dx * dx));
  };
  while (!queue.empty()) {
    poll();
    const Waiting now = queue.top();
    queue.pop();
    if (now.place != now.seed) {
      if (labels[now.place] != 0) continue;
      labels[now.place] = labels[now.seed];
    }
    for (const int64_t offset : offsets) {
      const int64_t neighbour = now.place + offset;
      if (!open[neighbour] || labels[neighbour] != 0) continue;
      queue.push({values[neighbour] + compactness * distance(neighbour, now.seed), age++, neighbour, now.seed});
    }
  }
}

template <typename Index, typename Level, typename T, typename Label>
void flood_by_level(const Image<T>& image, Label* labels, const Frame& frame, const std::vector<int64_t>& offsets) {
  Room<Level> levels(frame.places);
  std::fill_n(levels.data(), frame.places, kBlocked<Level>);
  int64_t count;
  if constexpr (sizeof(T) <= 2) {
    count = copy_levels(image, frame, levels.data());
  } else {
    count = rank_levels<Index>(image, frame, levels.data());
  }
  flood<Index>(levels.data(), count, labels, frame, offsets);
}

template <typename T, typename Label>
void flood_compact(const Image<T>& image, Label* labels, const Frame& frame, const std::vector<int64_t>& offsets,
                   double compactness) {
  Room<double> values(frame.places);
  Room<uint8_t> open(frame.places);
  std::fill_n(open.data(), frame.places, uint8_t{0});
  const int64_t width = frame.grid.width;
  for_rows(frame, [&](int64_t row, int64_t first) {
    refuse_nan(image, row * width, width);
    for (int64_t x = 0; x < width; ++x) {
      values[first + x] = static_cast<double>(image.values[row * width + x]);
      open[first + x] = image.open(row * width + x);
    }
  });
  compact_flood(values.data(), open.data(), labels, frame, offsets, compactness);
}

/// One image of the batch. `out` holds the markers and becomes the result.
template <typename T, typename Label>
void watershed_one(const Image<T>& image, Label* out, const LabelGrid& grid, int64_t connectivity, double compactness) {
  const Frame frame(grid);
  const int64_t width = grid.width;
  const std::vector<int64_t> offsets = offsets_of(steps_of(connectivity), frame);
  Room<Label> labels(frame.places);
  std::fill_n(labels.data(), frame.places, Label{0});
  for_rows(frame, [&](int64_t row, int64_t first) {
    for (int64_t x = 0; x < width; ++x) labels[first + x] = image.open(row * width + x) ? out[row * width + x] : Label{0};
  });
  if (compactness > 0.0) {
    flood_compact(image, labels.data(), frame, offsets, compactness);
  } else if constexpr (sizeof(T) == 1) {
    frame.places <= std::numeric_limits<int32_t>::max()
        ? flood_by_level<int32_t, uint16_t>(image, labels.data(), frame, offsets)
        : flood_by_level<int64_t, uint16_t>(image, labels.data(), frame, offsets);
  } else if (frame.places <= std::numeric_limits<int32_t>::max()) {
    flood_by_level<int32_t, uint32_t>(image, labels.data(), frame, offsets);
  } else {
    flood_by_level<int64_t, uint64_t>(image, labels.data(), frame, offsets);
  }
  for_rows(frame, [&](int64_t row, int64_t first) {
    std::copy_n(labels.data() + first, width, out + row * width);
  });
}

template <typename T, typename Label>
void watershed_all(const at::Tensor& image, const at::Tensor& mask, at::Tensor& out, const LabelGrid& grid,
                   int64_t connectivity, double compactness) {
  const T* values = static_cast<const T*>(image.const_data_ptr());
  const bool* open = mask.defined() ? mask.const_data_ptr<bool>() : nullptr;
  Label* labels = out.mutable_data_ptr<Label>();
  RunContext* const context = current_run_context();
  at::parallel_for(0, grid.batch, 1, [&](int64_t begin, int64_t end) {
    const RunContextGuard guard(context);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i * grid.voxels();
      watershed_one<T, Label>({values + at, open == nullptr ? nullptr : open + at}, labels + at, grid, connectivity,
                              compactness);
    }
  });
}

template <typename T>
void watershed_of(const at::Tensor& image, const at::Tensor& mask, at::Tensor& out, const LabelGrid& grid,
                  int64_t connectivity, double compactness) {
  out.scalar_type() == at::kInt ? watershed_all<T, int32_t>(image, mask, out, grid, connectivity, compactness)
                                : watershed_all<T, int64_t>(image, mask, out, grid, connectivity, compactness);
}

at::Tensor watershed_cpu(const at::Tensor& image, const at::Tensor& markers, const std::optional<at::Tensor>& mask,
                         int64_t connectivity, double compactness) {
  const LabelGrid grid = watershed_check(image, markers, mask, connectivity, compactness);
  at::Tensor out = at::empty(markers.sizes(), markers.options().memory_format(at::MemoryFormat::Contiguous));
  out.copy_(markers);
  if (out.numel() == 0) return out;
  const bool half = image.scalar_type() == at::kHalf || image.scalar_type() == at::kBFloat16;
  const at::Tensor values = (half ? image.to(at::kFloat) : image).contiguous();
  const at::Tensor open = mask.has_value() && mask->defined() ? mask->contiguous() : at::Tensor();
  const auto run = [&](auto type) {
    watershed_of<decltype(type)>(values, open, out, grid, connectivity, compactness);
  };
  switch (values.scalar_type()) {
    case at::kByte: run(uint8_t{}); break;
    case at::kChar: run(int8_t{}); break;
    case at::kShort: run(int16_t{}); break;
    case at::kUInt16: run(uint16_t{}); break;
    case at::kInt: run(int32_t{}); break;
    case at::kLong: run(int64_t{}); break;
    case at::kFloat: run(float{}); break;
    case at::kDouble: run(double{}); break;
    default: TORCH_CHECK_TYPE(false, "watershed: the image is ", values.scalar_type(), "; convert it");
  }
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { library.impl("watershed", watershed_cpu); }

}  // namespace vision_native
