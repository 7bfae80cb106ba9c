// Box sums over several planes at once, by rows from top to bottom. Included after box_filter_lanes.inl.
//
// As many rows as a vector has lanes are worked on together. Sums down the columns slide in the order of memory; a
// transpose then gives each row a lane, and sums along the rows slide with one addition for all of them. Sums restart at
// every band of rows and every tile of columns, and a tile subtracts a value near its mean first: squares of what is
// left keep the digits that a small variance is made of.

namespace vision_native {
namespace {

/// Hands out parts of a piece of memory; without one it only counts.
class Arena {
 public:
  explicit Arena(void* base) : base_(static_cast<char*>(base)) {}

  template <class E>
  E* take(int64_t count) {
    const int64_t at = used_;
    used_ += (count * static_cast<int64_t>(sizeof(E)) + 63) / 64 * 64;
    return base_ == nullptr ? nullptr : reinterpret_cast<E*>(base_ + at);
  }
  int64_t used() const { return used_; }
  bool counts_only() const { return base_ == nullptr; }

 private:
  char* base_;
  int64_t used_ = 0;
};

/// Rows of a plane as T: where they lie, or through a ring that holds the last ones.
template <class T>
class Rows {
 public:
  Rows() = default;

  /// Rows of a tensor; converted on first use where they are not T's side by side.
  Rows(Arena& arena, BoxPlane plane, BoxType type, int64_t width, int64_t height, int64_t kept)
      : plane_(plane), type_(type), width_(width) {
    const bool direct = plane.column_stride == 1 && (type == BoxType::kFloat || type == BoxType::kDouble);
    if (direct) return;
    slots_ = kept < height ? kept : height;
    ring_ = arena.take<T>(slots_ * width);
    tags_ = arena.take<int64_t>(slots_);
    if (arena.counts_only()) return;
    for (int64_t i = 0; i < slots_; ++i) tags_[i] = -1;
  }

  /// A ring that someone fills through `slot`.
  static Rows ring(Arena& arena, int64_t width, int64_t height, int64_t kept) {
    Rows rows;
    rows.width_ = width;
    rows.slots_ = kept < height ? kept : height;
    rows.ring_ = arena.take<T>(rows.slots_ * width);
    return rows;
  }

  T* slot(int64_t y) { return ring_ + y % slots_ * width_; }

  /// Whether rows are read where they lie.
  bool direct() const { return slots_ == 0; }

  const T* row(int64_t y) {
    if (slots_ == 0) return static_cast<const T*>(plane_.data) + y * plane_.row_stride;
    T* place = slot(y);
    if (tags_ != nullptr && tags_[y % slots_] != y) {
      read_row(type_, plane_.data, y * plane_.row_stride, plane_.column_stride, place, width_);
      tags_[y % slots_] = y;
    }
    return place;
  }

 private:
  BoxPlane plane_{};
  BoxType type_ = BoxType::kFloat;
  int64_t width_ = 0;
  int64_t slots_ = 0;
  T* ring_ = nullptr;
  int64_t* tags_ = nullptr;
};

/// A value near the mean of `height` rows from y on, in columns x0 … x1: any is right, but NaN and infinity are not.
template <class T>
T sampled_mean(Rows<T>& plane, int64_t y, int64_t height, int64_t x0, int64_t x1) {
  const int64_t width = x1 - x0;
  const int64_t step_y = (height + 7) / 8, step_x = (width + 15) / 16;
  T sum = T(0);
  int64_t count = 0;
  for (int64_t j = step_y / 2; j < height; j += step_y) {
    const T* row = plane.row(y + j) + x0;
    for (int64_t i = step_x / 2; i < width; i += step_x) {
      if (!(row[i] - row[i] == T(0))) continue;
      sum += row[i];
      ++count;
    }
  }
  const T mean = count > 0 ? sum / static_cast<T>(count) : T(0);
  return mean - mean == T(0) ? mean : T(0);
}

/// What is summed: a plane, or the product of two. `adjoint` divides each value by the size of the window around it and
/// then sums, which is the transpose of a mean; otherwise the sum is divided by the size of its own window.
struct Quantity {
  int a;
  int b = -1;
  bool adjoint = false;
};

template <class T>
class Stage {
 public:
  static constexpr int kRows = kLanes<T>;

  /// Plane i is `*planes[i]`; those with `centred[i]` have a value near the tile's mean subtracted. `careful` sums keep what
  /// rounding loses along a row: three guides that are nearly equal make equations that need those digits.
  Stage(Arena& arena, const BoxAxis& rows, const BoxAxis& columns, int64_t radius, Rows<T>* const* planes,
        const bool* centred, int plane_count, const Quantity* quantities, int64_t quantity_count, bool careful = false)
      : rows_(rows), columns_(columns), planes_(planes), centred_(centred), plane_count_(plane_count),
        quantities_(quantities), count_(quantity_count), band_(box_band(radius)), tile_(box_tile(radius)),
        tiles_((columns.size + tile_ - 1) / tile_), reach_(columns.reach()), row_reach_(rows.reach()), careful_(careful) {
    const int64_t width = columns.size;
    const int64_t widest = width < tile_ ? width : tile_;
    range_ = widest + 2 * reach_ < width ? widest + 2 * reach_ : width;
    range_ += kRows;
    lanes_stride_ = (widest + 2 * reach_ + 1 + kRows) * kRows;
    sums_ = arena.take<T>(tiles_ * count_ * range_);
    centres_ = arena.take<T>(tiles_ * plane_count);
    blanks_ = arena.take<T>(plane_count * range_);
    lanes_ = arena.take<T>(count_ * lanes_stride_);
    inverse_x_ = arena.take<T>(width + kRows);
    entering_ = arena.take<const T*>(plane_count * kRows);
    leaving_ = arena.take<const T*>(plane_count * kRows);
    if (arena.counts_only()) return;
    for (int64_t x = 0; x < width; ++x) inverse_x_[x] = inverse(columns_, x);
    for (int64_t x = width; x < width + kRows; ++x) inverse_x_[x] = T(0);
  }

  int64_t band() const { return band_; }

  /// Slides down to the rows y … y + kRows, which must be the next ones, or the first of a band. For each tile calls
  /// `use(x0, count)`, in which `lanes(q)` holds `[count, kRows]` results.
  template <class Use>
  void advance(int64_t y, bool quiet, Use use) {
    const bool restart = y % band_ == 0;
    if (restart) {
      for (int64_t tile = 0; tile < tiles_; ++tile) begin(tile, y);
    }
    find_rows(y, restart);
    for (int64_t tile = 0; tile < tiles_; ++tile) {
      const auto [x0, x1, from, to] = range_of(tile);
      fill_blanks(tile, from);
      for (int64_t q = 0; q < count_; ++q) slide_down(tile, q, from, to, x0 - reach_ - 1);
      if (quiet) continue;
      int64_t q = 0;
      while (q < count_) {
        if (count_ - q >= 4) {
          slide_along<4>(q, x0, x1, from, to);
          q += 4;
        } else if (count_ - q >= 2) {
          slide_along<2>(q, x0, x1, from, to);
          q += 2;
        } else {
          slide_along<1>(q, x0, x1, from, to);
          q += 1;
        }
      }
      tile_now_ = tile;
      use(x0, x1 - x0);
    }
  }

  T* lanes(int64_t q) { return lanes_ + q * lanes_stride_; }
  T centre(int plane) const { return centres_[tile_now_ * plane_count_ + plane]; }

  /// Plain values of a plane, laid out as results are.
  static void bring(Rows<T>& plane, int64_t y, int64_t height, int64_t width, int64_t x0, int64_t count, T* to) {
    const T* rows[kRows];
    for (int l = 0; l < kRows; ++l) rows[l] = plane.row(y + l < height ? y + l : height - 1);
    for (int64_t x = 0; x < count; x += kRows) {
      Vector<T> r[kRows];
      const int64_t readable = width - x0 - x;
      for (int l = 0; l < kRows; ++l) {
        const T* at = rows[l] + x0 + x;
        r[l] = readable >= kRows ? load(at) : load_part(at, readable);
      }
      transpose<T>(r);
      for (int i = 0; i < kRows; ++i) store(to + (x + i) * kRows, r[i]);
    }
  }

  /// Results as rows: row y + l goes to `rows[l]`, as far as there are `valid`.
  static void rows_of(const T* lanes, int64_t count, T* const* rows, int64_t valid) {
    for (int64_t x = 0; x < count; x += kRows) {
      Vector<T> r[kRows];
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) r[i] = load(lanes + (x + i) * kRows);
      transpose<T>(r);
      const int64_t left = count - x;
      if (left >= kRows && valid >= kRows) {
#pragma GCC unroll 16
        for (int l = 0; l < kRows; ++l) store(rows[l] + x, r[l]);
      } else {
        for (int64_t l = 0; l < valid && l < kRows; ++l) store_part(rows[l] + x, r[l], left < kRows ? left : kRows);
      }
    }
  }

 private:
  static T inverse(const BoxAxis& axis, int64_t i) { return T(1) / static_cast<T>(axis.count(i)); }

  /// Columns x0 … x1 of a tile, and from … to that its windows touch.
  struct Range {
    int64_t x0, x1, from, to;
  };
  Range range_of(int64_t tile) const {
    const int64_t x0 = tile * tile_, x1 = x0 + tile_ < columns_.size ? x0 + tile_ : columns_.size;
    return {x0, x1, x0 - reach_ > 0 ? x0 - reach_ : 0, x1 + reach_ < columns_.size ? x1 + reach_ : columns_.size};
  }

  T* sums(int64_t tile, int64_t q) { return sums_ + (tile * count_ + q) * range_; }

  /// Centres of a tile and the sums of the windows around row y.
  void begin(int64_t tile, int64_t y) {
    const auto [x0, x1, from, to] = range_of(tile);
    const int64_t height = band_ < rows_.size - y ? band_ : rows_.size - y;
    for (int i = 0; i < plane_count_; ++i) {
      centres_[tile * plane_count_ + i] = centred_[i] ? sampled_mean(*planes_[i], y, height, x0, x1) : T(0);
    }
    for (int64_t q = 0; q < count_; ++q) {
      T* sum = sums(tile, q);
      for (int64_t i = 0; i < range_; ++i) sum[i] = T(0);
    }
    const int64_t last = rows_.last(y);
    for (int64_t j = rows_.first(y); j < last; ++j) {
      const T times = static_cast<T>(rows_.times(y, j));
      for (int i = 0; i < plane_count_; ++i) entering_[i * kRows] = planes_[i]->row(j);
      const T inverse_y = inverse(rows_, j);
      for (int64_t q = 0; q < count_; ++q) add_row(tile, q, times, inverse_y, from, to);
    }
  }

  void add_row(int64_t tile, int64_t q, T times, T inverse_y, int64_t from, int64_t to) {
    const Quantity& quantity = quantities_[q];
    const T* __restrict a = entering_[quantity.a * kRows] + from;
    const T* __restrict b = quantity.b < 0 ? a : entering_[quantity.b * kRows] + from;
    const T* __restrict inverse_x = inverse_x_ + from;
    T* __restrict sum = sums(tile, q);
    const T* centres = centres_ + tile * plane_count_;
    const T ca = centres[quantity.a], cb = quantity.b < 0 ? T(0) : centres[quantity.b];
    const int64_t count = to - from;
    if (quantity.b < 0 && !quantity.adjoint) {
      for (int64_t i = 0; i < count; ++i) sum[i] += times * (a[i] - ca);
    } else if (!quantity.adjoint) {
      for (int64_t i = 0; i < count; ++i) sum[i] += times * ((a[i] - ca) * (b[i] - cb));
    } else if (quantity.b < 0) {
      for (int64_t i = 0; i < count; ++i) sum[i] += times * ((a[i] - ca) * (inverse_x[i] * inverse_y));
    } else {
      for (int64_t i = 0; i < count; ++i) sum[i] += times * ((a[i] - ca) * (b[i] - cb) * (inverse_x[i] * inverse_y));
    }
  }

  /// Rows that enter and leave the windows around rows y … y + kRows.
  void find_rows(int64_t y, bool restart) {
    any_missing_ = false;
    for (int l = 0; l < kRows; ++l) {
      const bool still = (restart && l == 0) || y + l >= rows_.size;
      const int64_t in = still ? -1 : rows_.fold(y + l + row_reach_);
      const int64_t out = still ? -1 : rows_.fold(y + l - 1 - row_reach_);
      missing_in_[l] = in < 0;
      missing_out_[l] = out < 0;
      any_missing_ = any_missing_ || in < 0 || out < 0;
      inverse_in_[l] = in < 0 ? T(0) : inverse(rows_, in);
      inverse_out_[l] = out < 0 ? T(0) : inverse(rows_, out);
      inverse_row_[l] = y + l < rows_.size ? inverse(rows_, y + l) : T(0);
      for (int i = 0; i < plane_count_; ++i) {
        if (in >= 0) entering_[i * kRows + l] = planes_[i]->row(in);
        if (out >= 0) leaving_[i * kRows + l] = planes_[i]->row(out);
      }
    }
  }

  /// A row that is not there has the centre's value, which counts as nothing.
  void fill_blanks(int64_t tile, int64_t from) {
    if (!any_missing_) return;
    for (int i = 0; i < plane_count_; ++i) {
      T* row = blanks_ + i * range_;
      const T value = centres_[tile * plane_count_ + i];
      for (int64_t x = 0; x < range_; ++x) row[x] = value;
      for (int l = 0; l < kRows; ++l) {
        if (missing_in_[l]) entering_[i * kRows + l] = row - from;
        if (missing_out_[l]) leaving_[i * kRows + l] = row - from;
      }
    }
  }

  void slide_down(int64_t tile, int64_t q, int64_t from, int64_t to, int64_t origin) {
    const Quantity& quantity = quantities_[q];
    if (quantity.b < 0) {
      quantity.adjoint ? slide_down<false, true>(tile, q, from, to, origin) : slide_down<false, false>(tile, q, from, to, origin);
    } else {
      quantity.adjoint ? slide_down<true, true>(tile, q, from, to, origin) : slide_down<true, false>(tile, q, from, to, origin);
    }
  }

  template <bool product, bool adjoint>
  void slide_down(int64_t tile, int64_t q, int64_t from, int64_t to, int64_t origin) {
    const Quantity& quantity = quantities_[q];
    const T* const* a_in = entering_ + quantity.a * kRows;
    const T* const* a_out = leaving_ + quantity.a * kRows;
    const T* const* b_in = product ? entering_ + quantity.b * kRows : nullptr;
    const T* const* b_out = product ? leaving_ + quantity.b * kRows : nullptr;
    const T* centres = centres_ + tile * plane_count_;
    const Vector<T> ca = spread<T>(centres[quantity.a]), cb = spread<T>(product ? centres[quantity.b] : T(0));
    T* sum = sums(tile, q);
    T* to_lanes = lanes(q) + (from - origin) * kRows;
    const auto chunk = [&](int64_t x, auto read) BOX_ISA_LAMBDA __attribute__((always_inline)) {
      Vector<T> s = load(sum + (x - from));
      Vector<T> r[kRows];
      const Vector<T> inverse_x = adjoint ? load(inverse_x_ + x) : Vector<T>{};
#pragma GCC unroll 16
      for (int l = 0; l < kRows; ++l) {
        Vector<T> in = read(a_in[l] + x) - ca;
        Vector<T> out = read(a_out[l] + x) - ca;
        if constexpr (product) {
          in = in * (read(b_in[l] + x) - cb);
          out = out * (read(b_out[l] + x) - cb);
        }
        if constexpr (adjoint) {
          in = in * (inverse_x * inverse_in_[l]);
          out = out * (inverse_x * inverse_out_[l]);
        }
        s = s + (in - out);
        r[l] = s;
      }
      store(sum + (x - from), s);
      transpose<T>(r);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) store(to_lanes + (x - from + i) * kRows, r[i]);
    };
    // Where a row still has a whole vector, reading past the range does no harm.
    int64_t x = from;
    for (; x < to && x + kRows <= columns_.size; x += kRows) chunk(x, [&](const T* p) BOX_ISA_LAMBDA { return load(p); });
    if (x < to) {
      const int64_t left = columns_.size - x;
      chunk(x, [left](const T* p) BOX_ISA_LAMBDA { return load_part(p, left); });
    }
  }

  /// Sums along the rows, written over the columns that have left the window.
  template <int n>
  void slide_along(int64_t q, int64_t x0, int64_t x1, int64_t from, int64_t to) {
    T* lane[n];
    Vector<T> s[n];
    const int64_t origin = x0 - reach_ - 1;
    const int64_t end = x1 + reach_;
    for (int i = 0; i < n; ++i) {
      lane[i] = lanes(q + i);
      for (int64_t x = origin + 1; x < from; ++x) beyond(lane[i], x, origin);
      for (int64_t x = to; x < end; ++x) beyond(lane[i], x, origin);
      s[i] = Vector<T>{};
      if (columns_.radius < columns_.size || columns_.edge == BoxEdge::kClip) {
        for (int64_t k = 1; k <= 2 * reach_ + 1; ++k) s[i] += load(lane[i] + k * kRows);
      } else {
        for (int64_t x = from; x < to; ++x) {
          s[i] += load(lane[i] + (x - origin) * kRows) * static_cast<T>(columns_.times(x0, x));
        }
      }
    }
    const Vector<T> inverse_y = load(inverse_row_);
    const Vector<T> one = spread<T>(T(1));
    bool adjoint[n], any = false, all = true;
    for (int i = 0; i < n; ++i) {
      adjoint[i] = quantities_[q + i].adjoint;
      any = any || adjoint[i];
      all = all && adjoint[i];
    }
    const int64_t ahead = (2 * reach_ + 1) * kRows;
    const int64_t count = x1 - x0;
    if (careful_) {
      Vector<T> lost[n] = {};
      for (int64_t k = 0; k < count; ++k) {
        const Vector<T> scale = inverse_y * inverse_x_[x0 + k];
#pragma GCC unroll 4
        for (int i = 0; i < n; ++i) {
          T* at = lane[i] + k * kRows;
          if (k > 0) {
            const Vector<T> change = load(at + ahead) - load(at);
            const Vector<T> next = s[i] + change;
            lost[i] = lost[i] + ((s[i] - next) + change);
            s[i] = next;
          }
          const Vector<T> sum = s[i] + lost[i];
          store(at, adjoint[i] ? sum : sum * scale);
        }
      }
      return;
    }
    const auto slide = [&](auto scale_of) BOX_ISA_LAMBDA __attribute__((always_inline)) {
      for (int64_t k = 0; k < count; ++k) {
        const Vector<T> scale = inverse_y * inverse_x_[x0 + k];
#pragma GCC unroll 4
        for (int i = 0; i < n; ++i) {
          T* at = lane[i] + k * kRows;
          if (k > 0) s[i] = s[i] + (load(at + ahead) - load(at));
          store(at, s[i] * scale_of(i, scale));
        }
      }
    };
    if (!any) {
      slide([&](int, Vector<T> scale) BOX_ISA_LAMBDA { return scale; });
    } else if (all) {
      slide([&](int, Vector<T>) BOX_ISA_LAMBDA { return one; });
    } else {
      slide([&](int i, Vector<T> scale) BOX_ISA_LAMBDA { return adjoint[i] ? one : scale; });
    }
  }

  /// Column sums outside the image.
  void beyond(T* lane, int64_t x, int64_t origin) {
    const int64_t source = columns_.fold(x);
    const Vector<T> value = source < 0 ? Vector<T>{} : load(lane + (source - origin) * kRows);
    store(lane + (x - origin) * kRows, value);
  }

  BoxAxis rows_, columns_;
  Rows<T>* const* planes_;
  const bool* centred_;
  int plane_count_;
  const Quantity* quantities_;
  int64_t count_, band_, tile_, tiles_, reach_, row_reach_;
  bool careful_;
  int64_t range_ = 0, lanes_stride_ = 0, tile_now_ = 0;
  T *sums_ = nullptr, *centres_ = nullptr, *blanks_ = nullptr, *lanes_ = nullptr, *inverse_x_ = nullptr;
  const T **entering_ = nullptr, **leaving_ = nullptr;
  T inverse_in_[kRows], inverse_out_[kRows], inverse_row_[kRows];
  bool missing_in_[kRows], missing_out_[kRows], any_missing_ = false;
};

}  // namespace
}  // namespace vision_native
