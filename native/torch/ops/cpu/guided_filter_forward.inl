// The forward pass of the guided filter in one sweep; included after box_filter_stage.inl and guided_filter_math.h.
//
// A block of as many rows as a vector has lanes goes through: sums down the columns of all planes and products at once,
// with each pixel read once as it enters a window and once as it leaves; a transpose, which gives each row a lane; sums
// along the rows, from which the coefficients follow on the spot; sums of the coefficients along the rows, while they are
// still in lanes; a transpose back into a ring of rows; sums down the ring, and the result. A mean of a mean may take its
// sums in any order, and in this one only the six sums of a grey filter are ever transposed, each once.
//
// Sums restart at every band of rows, and along the rows at every tile of columns, where a value near the tile's mean is
// subtracted first (see box_filter_stage.inl).

namespace vision_native {
namespace {

inline bool stopped(const BoxJob& job) {
  return job.cancelled != nullptr && job.cancelled->load(std::memory_order_relaxed);
}

/// Rows of converted planes to keep: those that windows of windows touch, and a band, whose mean is sampled ahead.
inline int64_t rows_kept(const BoxAxis& rows) {
  const int64_t reach = rows.radius < rows.size ? rows.radius : rows.size;
  return 4 * reach + box_band(rows.radius) + 64;
}

template <class T, int n, int channels>
class GuidedForward {
 public:
  static constexpr int kRows = kLanes<T>;
  static constexpr int kPlanes = n + channels;
  /// The guides, their products, then for each channel p and its products with the guides.
  static constexpr int kSums = n + kPairs<n> + channels * (n + 1);
  /// a…, b of each channel.
  static constexpr int kFields = channels * (n + 1);
  /// Three guides that are nearly equal make equations that need the digits that running sums lose.
  static constexpr bool kCareful = n > 1;
  /// Columns that go from sums down to coefficients at a time; they stay in the first cache.
  static constexpr int64_t kChunk = 32;
  /// Columns of the result that are collected before they are written.
  static constexpr int64_t kPiece = 256;
  /// How many columns ahead pixels are asked for: far enough for memory, near enough to stay in the first cache.
  static constexpr int64_t kAhead = 64;

  GuidedForward(const GuidedForwardJob& job, Arena& arena)
      : job_(job), rows_(job.rows), columns_(job.columns), height_(job.rows.size), width_(job.columns.size),
        reach_(job.columns.reach()), row_reach_(job.rows.reach()), band_(box_band(job.rows.radius)),
        tile_(box_tile(job.rows.radius)), tiles_((width_ + tile_ - 1) / tile_), plain_(job.form == GuidedForm::kPlain),
        streamed_(height_ * width_ > kStreamedPixels) {
    for (int k = 0; k < n; ++k) planes_[k] = {arena, job.guide[k], job.type, width_, height_, rows_kept(job.rows)};
    for (int c = 0; c < channels; ++c) {
      planes_[n + c] = {arena, job.input[c], job.type, width_, height_, rows_kept(job.rows)};
    }
    for (int p = 0; p < kPlanes; ++p) {
      const BoxPlane& plane = p < n ? job.guide[p] : job.input[p - n];
      next_block_[p] = planes_[p].direct() ? kRows * plane.row_stride - width_ : -width_;
    }
    const int64_t widest = width_ < tile_ ? width_ : tile_;
    range_ = (widest + 2 * reach_ < width_ ? widest + 2 * reach_ : width_) + kRows;
    sums_ = arena.take<T>(tiles_ * range_ * kSums);
    centres_ = arena.take<T>(tiles_ * kPlanes);
    blanks_ = arena.take<T>(kPlanes * range_);
    lanes_ = arena.take<T>((widest + 2 * reach_ + 1 + kRows) * kSums * kRows);
    inverse_x_ = arena.take<T>(width_ + kRows);
    // Coefficients along the rows: what windows of the next tile still touch moves to the front; long windows keep all.
    const int64_t window = 2 * reach_ + 1;
    slides_ = tiles_ > 1 && window <= tile_;
    coefficients_ = arena.take<T>(((slides_ ? window + reach_ + tile_ : window + width_) + kRows) * kFields * kRows);
    stride_ = width_ + kRows;
    const int64_t kept = window_rows() + 2 * kRows;
    slots_ = kept < height_ ? kept : height_;
    ring_ = arena.take<T>(plain_ ? 0 : slots_ * kFields * stride_);
    down_ = arena.take<T>(kFields * stride_);
    nothing_ = arena.take<T>(kFields * stride_);
    out_ = arena.take<T>((plain_ ? kFields : outputs()) * kRows * (kPiece > tile_ ? kPiece : tile_));
    if (arena.counts_only()) return;
    for (int64_t x = 0; x < width_; ++x) inverse_x_[x] = inverse(columns_, x);
    for (int64_t x = width_; x < width_ + kRows; ++x) inverse_x_[x] = T(0);
    for (int64_t i = 0; i < kFields * stride_; ++i) nothing_[i] = T(0);
  }

  void run() {
    const int64_t needed = plain_ ? job_.y0 : rows_.first(job_.y0);
    int64_t next = needed / band_ * band_;
    for (int64_t y = job_.y0; y < job_.y1 && !stopped(job_); y += kRows) {
      const int64_t below = y + kRows < height_ ? y + kRows : height_;
      const int64_t end = plain_ ? below : rows_.last(below - 1);
      for (; next < end && !stopped(job_); next += kRows) solve_rows(next, next + kRows <= needed);
      if (!plain_) finish_rows(y);
    }
  }

 private:
  static constexpr int kFirst[6] = {0, 0, 0, 1, 1, 2}, kSecond[6] = {0, 1, 2, 1, 2, 2};
  static constexpr int input_sum(int c) { return n + kPairs<n> + c * (n + 1); }

  static T inverse(const BoxAxis& axis, int64_t i) { return T(1) / static_cast<T>(axis.count(i)); }
  int64_t outputs() const { return job_.form == GuidedForm::kFilter ? channels : kFields; }
  int64_t window_rows() const { return 2 * (rows_.radius < height_ ? rows_.radius : height_) + 1; }

  // ---- Rows that enter and leave ------------------------------------------------------------------------------------

  struct Moves {
    int64_t in[kRows], out[kRows];  ///< or −1
    bool any_missing;
  };

  Moves moves(int64_t y) const {
    Moves found{};
    for (int l = 0; l < kRows; ++l) {
      const bool still = (y % band_ == 0 && l == 0) || y + l >= height_;
      found.in[l] = still ? -1 : rows_.fold(y + l + row_reach_);
      found.out[l] = still ? -1 : rows_.fold(y + l - 1 - row_reach_);
      found.any_missing = found.any_missing || found.in[l] < 0 || found.out[l] < 0;
    }
    return found;
  }

  Vector<T> inverse_rows(int64_t y) const {
    Vector<T> result{};
    for (int l = 0; l < kRows; ++l) result[l] = y + l < height_ ? inverse(rows_, y + l) : T(0);
    return result;
  }

  // ---- Sums of the images -------------------------------------------------------------------------------------------

  /// Columns x0 … x1 of a tile, and from … to that its windows touch.
  struct Range {
    int64_t x0, x1, from, to;
  };
  Range range_of(int64_t tile) const {
    const int64_t x0 = tile * tile_, x1 = x0 + tile_ < width_ ? x0 + tile_ : width_;
    return {x0, x1, x0 - reach_ > 0 ? x0 - reach_ : 0, x1 + reach_ < width_ ? x1 + reach_ : width_};
  }

  /// Sums of a vector of columns lie together.
  T* sums(int64_t tile, const Range& range, int64_t x) { return sums_ + (tile * range_ + (x - range.from)) * kSums; }

  /// What pixels add to the sums: `visit(sum, value)`.
  template <class Visit>
  static __attribute__((always_inline)) inline void terms(const Vector<T>* v, Visit& visit) {
#pragma GCC unroll 3
    for (int k = 0; k < n; ++k) visit.add(k, v[k]);
#pragma GCC unroll 6
    for (int pair = 0; pair < kPairs<n>; ++pair) visit.add(n + pair, v[kFirst[pair]] * v[kSecond[pair]]);
#pragma GCC unroll 4
    for (int c = 0; c < channels; ++c) {
      visit.add(input_sum(c), v[n + c]);
#pragma GCC unroll 3
      for (int k = 0; k < n; ++k) visit.add(input_sum(c) + 1 + k, v[n + c] * v[k]);
    }
  }

  /// Rows y … y + kRows of the coefficients; `quiet` only brings the sums down to there.
  void solve_rows(int64_t y, bool quiet) {
    const bool restart = y % band_ == 0;
    const Moves moved = moves(y);
    const T *in[kPlanes * kRows], *out[kPlanes * kRows];
    for (int64_t tile = 0; tile < tiles_; ++tile) {
      const Range range = range_of(tile);
      if (restart) begin(tile, range, y);
      find(moved, tile, range, in, out);
      if (quiet) {
        bring_down(tile, range, range.from, range.to, in, out, true);
      } else {
        solve(tile, range, y, in, out);
      }
    }
  }

  /// A row that is not there has the centre's value, which counts as nothing.
  void find(const Moves& moved, int64_t tile, const Range& range, const T** in, const T** out) {
    for (int p = 0; p < kPlanes; ++p) {
      T* blank = blanks_ + p * range_;
      if (moved.any_missing) {
        const T value = centres_[tile * kPlanes + p];
        for (int64_t i = 0; i < range_; ++i) blank[i] = value;
      }
      for (int l = 0; l < kRows; ++l) {
        in[p * kRows + l] = moved.in[l] < 0 ? blank - range.from : planes_[p].row(moved.in[l]);
        out[p * kRows + l] = moved.out[l] < 0 ? blank - range.from : planes_[p].row(moved.out[l]);
      }
    }
  }

  struct Weighted {
    T* sum;
    T times;
    __attribute__((always_inline)) void add(int q, Vector<T> value) {
      store(sum + q * kRows, load(sum + q * kRows) + times * value);
    }
  };

  /// Centres of a tile and the sums of the windows around row y.
  void begin(int64_t tile, const Range& range, int64_t y) {
    Vector<T> centre[kPlanes];
    for (int p = 0; p < kPlanes; ++p) {
      const T value = sampled_mean(planes_[p], y, band_ < height_ - y ? band_ : height_ - y, range.x0, range.x1);
      centres_[tile * kPlanes + p] = value;
      centre[p] = spread<T>(value);
    }
    T* sum = sums_ + tile * range_ * kSums;
    for (int64_t i = 0; i < range_ * kSums; ++i) sum[i] = T(0);
    const int64_t last = rows_.last(y);
    for (int64_t j = rows_.first(y); j < last; ++j) {
      const T times = static_cast<T>(rows_.times(y, j));
      const T* row[kPlanes];
      for (int p = 0; p < kPlanes; ++p) row[p] = planes_[p].row(j);
      for (int64_t x = range.from; x < range.to; x += kRows) {
        Vector<T> v[kPlanes];
        const int64_t left = width_ - x;
#pragma GCC unroll 7
        for (int p = 0; p < kPlanes; ++p) v[p] = (left >= kRows ? load(row[p] + x) : load_part(row[p] + x, left)) - centre[p];
        Weighted weighted{sums(tile, range, x), times};
        terms(v, weighted);
      }
    }
  }

  /// Sums of columns x … end slide down to the rows of this block and, unless `quiet`, into lanes.
  void bring_down(int64_t tile, const Range& range, int64_t x, int64_t end, const T* const* in, const T* const* out, bool quiet) {
    for (; x < end && x + kRows <= width_; x += kRows) bring_down_columns<true>(tile, range, x, in, out, quiet);
    if (x < end) bring_down_columns<false>(tile, range, x, in, out, quiet);
  }

  /// Rows are too short pieces, and too many, for the processor to see what will be read next: the same rows further right,
  /// or the next block's. Vectors that share a line take the planes in turn.
  __attribute__((always_inline)) inline void fetch_ahead(int64_t x, const T* const* in, const T* const* out) {
    constexpr int turns = 64 / (kRows * static_cast<int>(sizeof(T)));
    const bool wraps = x + kAhead >= width_;
#pragma GCC unroll 7
    for (int p = 0; p < kPlanes; ++p) {
      if (p % turns != static_cast<int>(x / kRows) % turns) continue;
      const int64_t at = x + kAhead + (wraps ? next_block_[p] : 0);
#pragma GCC unroll 16
      for (int l = 0; l < kRows; ++l) {
        __builtin_prefetch(in[p * kRows + l] + at);
        __builtin_prefetch(out[p * kRows + l] + at);
      }
    }
  }

  template <bool whole>
  static __attribute__((always_inline)) inline Vector<T> read(const T* from, int64_t left) {
    if constexpr (whole) {
      return load(from);
    } else {
      return load_part(from, left);
    }
  }

  // Where a row still has a whole vector, reading past the range does no harm.
  template <bool whole>
  void bring_down_columns(int64_t tile, const Range& range, int64_t x, const T* const* in, const T* const* out, bool quiet) {
    const int64_t left = width_ - x;
    fetch_ahead(x, in, out);
    T* sum = sums(tile, range, x);
    Vector<T> s[kSums], centre[kPlanes];
#pragma GCC unroll 32
    for (int q = 0; q < kSums; ++q) s[q] = load(sum + q * kRows);
#pragma GCC unroll 7
    for (int p = 0; p < kPlanes; ++p) centre[p] = spread<T>(centres_[tile * kPlanes + p]);
    alignas(64) T steps[kSums * kRows * kRows];
#pragma GCC unroll 1
    for (int l = 0; l < kRows; ++l) {
      Vector<T> i[kPlanes], o[kPlanes];
#pragma GCC unroll 7
      for (int p = 0; p < kPlanes; ++p) {
        i[p] = read<whole>(in[p * kRows + l] + x, left) - centre[p];
        o[p] = read<whole>(out[p * kRows + l] + x, left) - centre[p];
      }
#pragma GCC unroll 3
      for (int k = 0; k < n; ++k) s[k] = s[k] + (i[k] - o[k]);
#pragma GCC unroll 6
      for (int pair = 0; pair < kPairs<n>; ++pair) {
        const int k = kFirst[pair], m = kSecond[pair];
        s[n + pair] = s[n + pair] + (i[k] * i[m] - o[k] * o[m]);
      }
#pragma GCC unroll 4
      for (int c = 0; c < channels; ++c) {
        s[input_sum(c)] = s[input_sum(c)] + (i[n + c] - o[n + c]);
#pragma GCC unroll 3
        for (int k = 0; k < n; ++k) {
          s[input_sum(c) + 1 + k] = s[input_sum(c) + 1 + k] + (i[n + c] * i[k] - o[n + c] * o[k]);
        }
      }
#pragma GCC unroll 32
      for (int q = 0; q < kSums; ++q) store(steps + (q * kRows + l) * kRows, s[q]);
    }
#pragma GCC unroll 32
    for (int q = 0; q < kSums; ++q) store(sum + q * kRows, s[q]);
    if (quiet) return;
    T* to = lanes_ + (x - (range.x0 - reach_ - 1)) * (kSums * kRows);
#pragma GCC unroll 1
    for (int q = 0; q < kSums; ++q) {
      Vector<T> r[kRows];
      load_transposed(steps + q * kRows * kRows, r);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) store(to + (i * kSums + q) * kRows, r[i]);
    }
  }

  static __attribute__((always_inline)) inline void load_transposed(const T* from, Vector<T>* r) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) r[i] = load(from + i * kRows);
    transpose<T>(r);
  }

  // ---- Coefficients -------------------------------------------------------------------------------------------------

  struct Along {
    Vector<T> s[kSums], lost[kCareful ? kSums : 1];
  };

  void solve(int64_t tile, const Range& range, int64_t y, const T* const* in, const T* const* out) {
    if (slides_ && tile > 0) move_coefficients();
    first_column_ = slides_ ? range.x0 - 2 * reach_ - 1 : -reach_ - 1;
    Along along;
    const Vector<T> inverse_y = inverse_rows(y);
    int64_t solved = range.x0;
    bool begun = false;
    for (int64_t x = range.from; x < range.to;) {
      int64_t end = x + kChunk < range.to ? x + kChunk : range.to;
      bring_down(tile, range, x, end, in, out, false);
      x = end;
      const bool all = x == range.to;
      if (all) {
        for (int64_t i = range.to; i < range.x1 + reach_; ++i) beyond(lanes_, kSums, i, range.x0 - reach_ - 1);
      }
      if (!begun && !all && x <= range.x0 + reach_) continue;
      if (!begun) {
        for (int64_t i = range.x0 - reach_; i < range.from; ++i) beyond(lanes_, kSums, i, range.x0 - reach_ - 1);
        begin_along(range, along);
        begun = true;
      }
      const int64_t until = all ? range.x1 : (x - reach_ < range.x1 ? x - reach_ : range.x1);
      if (until > solved) solve_columns(tile, range, solved, until, inverse_y, along);
      solved = until > solved ? until : solved;
    }
    if (plain_) {
      write_coefficients(range, y);
    } else {
      sum_coefficients(range, y);
    }
  }

  /// The window around the first column of a tile.
  void begin_along(const Range& range, Along& along) {
    begin_window(lanes_, kSums, range.x0, range.from, range.to, range.x0 - reach_ - 1, along.s);
    if constexpr (kCareful) {
      for (int q = 0; q < kSums; ++q) along.lost[q] = Vector<T>{};
    }
  }

  void begin_window(const T* lanes, int count, int64_t x0, int64_t from, int64_t to, int64_t origin, Vector<T>* s) {
    for (int q = 0; q < count; ++q) s[q] = Vector<T>{};
    if (columns_.radius < width_ || columns_.edge == BoxEdge::kClip) {
      for (int64_t x = x0 - reach_; x <= x0 + reach_; ++x) {
        for (int q = 0; q < count; ++q) s[q] = s[q] + load(lanes + ((x - origin) * count + q) * kRows);
      }
    } else {
      for (int64_t x = from; x < to; ++x) {
        const T times = static_cast<T>(columns_.times(x0, x));
        for (int q = 0; q < count; ++q) s[q] = s[q] + load(lanes + ((x - origin) * count + q) * kRows) * times;
      }
    }
  }

  /// Columns outside the image.
  void beyond(T* lanes, int count, int64_t x, int64_t origin) {
    const int64_t source = columns_.fold(x);
    for (int q = 0; q < count; ++q) {
      const Vector<T> value = source < 0 ? Vector<T>{} : load(lanes + ((source - origin) * count + q) * kRows);
      store(lanes + ((x - origin) * count + q) * kRows, value);
    }
  }

  void solve_columns(int64_t tile, const Range& range, int64_t x, int64_t end, Vector<T> inverse_y, Along& along) {
    Vector<T> s[kSums], lost[kCareful ? kSums : 1];
#pragma GCC unroll 32
    for (int q = 0; q < kSums; ++q) s[q] = along.s[q];
    if constexpr (kCareful) {
#pragma GCC unroll 32
      for (int q = 0; q < kSums; ++q) lost[q] = along.lost[q];
    }
    Vector<T> centre[kPlanes];
    for (int p = 0; p < kPlanes; ++p) centre[p] = spread<T>(centres_[tile * kPlanes + p]);
    const Vector<T> eps = spread<T>(static_cast<T>(job_.eps));
    const T* behind = lanes_ + (x - range.x0) * (kSums * kRows);
    const int64_t ahead = (2 * reach_ + 1) * (kSums * kRows);
    T* to = coefficients_ + (x - first_column_) * (kFields * kRows);
    for (; x < end; ++x, behind += kSums * kRows, to += kFields * kRows) {
      const Vector<T> scale = inverse_y * inverse_x_[x];
      Vector<T> mean[kSums];
      // The first window is there already.
      const bool slide = x > range.x0;
#pragma GCC unroll 32
      for (int q = 0; q < kSums; ++q) {
        const Vector<T> change = slide ? load(behind + ahead + q * kRows) - load(behind + q * kRows) : Vector<T>{};
        if constexpr (kCareful) {
          const Vector<T> next = s[q] + change;
          lost[q] = lost[q] + ((s[q] - next) + change);
          s[q] = next;
          mean[q] = (s[q] + lost[q]) * scale;
        } else {
          s[q] = s[q] + change;
          mean[q] = s[q] * scale;
        }
      }
      GuidedMoments<Vector<T>, n> moments;
#pragma GCC unroll 3
      for (int k = 0; k < n; ++k) moments.mean[k] = mean[k];
#pragma GCC unroll 6
      for (int pair = 0; pair < kPairs<n>; ++pair) moments.sigma[pair] = mean[n + pair];
      moments.centre_products();
      const GuidedFactor<T, Vector<T>, n> factor(moments.sigma, eps);
      Vector<T> mu[n];
#pragma GCC unroll 3
      for (int k = 0; k < n; ++k) mu[k] = moments.mean[k] + centre[k];
#pragma GCC unroll 4
      for (int c = 0; c < channels; ++c) {
        const Vector<T> pi = mean[input_sum(c)];
        Vector<T> a[n];
#pragma GCC unroll 3
        for (int k = 0; k < n; ++k) a[k] = mean[input_sum(c) + 1 + k];
        guided_slopes<T, Vector<T>, n>(moments, factor, pi, a);
#pragma GCC unroll 3
        for (int k = 0; k < n; ++k) store(to + (c * (n + 1) + k) * kRows, a[k]);
        store(to + (c * (n + 1) + n) * kRows, guided_offset<Vector<T>, n>(a, mu, pi + centre[n + c]));
      }
    }
#pragma GCC unroll 32
    for (int q = 0; q < kSums; ++q) along.s[q] = s[q];
    if constexpr (kCareful) {
#pragma GCC unroll 32
      for (int q = 0; q < kSums; ++q) along.lost[q] = lost[q];
    }
  }

  /// Rows of plain coefficients.
  void write_coefficients(const Range& range, int64_t y) {
    const int64_t count = range.x1 - range.x0;
    const int64_t valid = valid_rows(y, job_.y1);
    for (int64_t i = 0; i < count; i += kRows) {
      for (int f = 0; f < kFields; ++f) {
        Vector<T> r[kRows];
        for (int k = 0; k < kRows; ++k) {
          r[k] = load(coefficients_ + ((range.x0 + i + k - first_column_) * kFields + f) * kRows);
        }
        transpose<T>(r);
        const int64_t left = count - i;
        for (int l = 0; l < kRows; ++l) {
          T* to = out_ + (f * kRows + l) * tile_ + i;
          left >= kRows ? store(to, r[l]) : store_part(to, r[l], left);
        }
      }
    }
    for (int f = 0; f < kFields; ++f) {
      for (int64_t l = 0; l < valid; ++l) write(f, y + l, range.x0, count, out_ + (f * kRows + l) * tile_);
    }
  }

  static int64_t valid_rows(int64_t y, int64_t end) { return end - y < kRows ? end - y : kRows; }

  void write(int64_t output, int64_t y, int64_t x, int64_t count, const T* row) {
    write_row(job_.type, row, job_.output[output].data, y * job_.output[output].row_stride + x, count, streamed_);
  }

  // ---- Sums of the coefficients -------------------------------------------------------------------------------------

  void move_coefficients() {
    const int64_t kept = (2 * reach_ + 1) * kFields * kRows;
    const int64_t step = tile_ * kFields * kRows;
    for (int64_t i = 0; i < kept; ++i) coefficients_[i] = coefficients_[i + step];
  }

  T* slot(int64_t y) { return ring_ + y % slots_ * (kFields * stride_); }

  /// Sums along the rows of all columns whose windows are there by now, into the ring.
  void sum_coefficients(const Range& range, int64_t y) {
    const bool last = range.x1 == width_;
    if (range.x0 == 0) summed_ = 0;
    const int64_t end = last ? width_ : range.x1 - reach_;
    if (end <= summed_) return;
    if (last) {
      for (int64_t x = width_; x < width_ + reach_; ++x) beyond(coefficients_, kFields, x, first_column_);
    }
    if (summed_ == 0) {
      for (int64_t x = -reach_; x < 0; ++x) beyond(coefficients_, kFields, x, first_column_);
    }
    T* rows[kRows];
    const int64_t valid = valid_rows(y, height_);
    for (int64_t l = 0; l < kRows; ++l) rows[l] = slot(l < valid ? y + l : y);
    while (summed_ < end) {
      const int64_t x0 = summed_ / tile_ * tile_;
      const int64_t stop = x0 + tile_ < end ? x0 + tile_ : end;
      if (summed_ == x0) begin_window(coefficients_, kFields, x0, 0, width_, first_column_, summed_now_);
      sum_columns(x0, stop, rows, valid);
      summed_ = stop;
    }
  }

  void sum_columns(int64_t x0, int64_t end, T* const* rows, int64_t valid) {
    Vector<T> s[kFields];
#pragma GCC unroll 16
    for (int f = 0; f < kFields; ++f) s[f] = summed_now_[f];
    const int64_t ahead = (2 * reach_ + 1) * (kFields * kRows);
    const T* behind = coefficients_ + (summed_ - reach_ - 1 - first_column_) * (kFields * kRows);
    for (int64_t x = summed_; x < end;) {
      const int64_t count = end - x < kRows ? end - x : kRows;
      alignas(64) T steps[kFields * kRows * kRows];
      for (int64_t i = 0; i < count; ++i, behind += kFields * kRows) {
        const bool slide = x + i > x0;
#pragma GCC unroll 16
        for (int f = 0; f < kFields; ++f) {
          if (slide) s[f] = s[f] + (load(behind + ahead + f * kRows) - load(behind + f * kRows));
          store(steps + (f * kRows + i) * kRows, s[f]);
        }
      }
      // Columns that a short step leaves undefined are written again by the next, or lie past the row.
      for (int64_t i = count; i < kRows; ++i) {
        for (int f = 0; f < kFields; ++f) store(steps + (f * kRows + i) * kRows, Vector<T>{});
      }
      for (int f = 0; f < kFields; ++f) {
        Vector<T> r[kRows];
        load_transposed(steps + f * kRows * kRows, r);
        if (valid >= kRows) {
#pragma GCC unroll 16
          for (int l = 0; l < kRows; ++l) store(rows[l] + f * stride_ + x, r[l]);
        } else {
          for (int64_t l = 0; l < valid; ++l) store(rows[l] + f * stride_ + x, r[l]);
        }
      }
      x += count;
    }
#pragma GCC unroll 16
    for (int f = 0; f < kFields; ++f) summed_now_[f] = s[f];
  }

  // ---- The result ---------------------------------------------------------------------------------------------------

  void finish_rows(int64_t y) {
    if (y % band_ == 0) begin_down(y);
    const Moves moved = moves(y);
    const T *in[kRows], *out[kRows], *guide[n * kRows];
    for (int l = 0; l < kRows; ++l) {
      in[l] = moved.in[l] < 0 ? nothing_ : slot(moved.in[l]);
      out[l] = moved.out[l] < 0 ? nothing_ : slot(moved.out[l]);
      for (int k = 0; k < n; ++k) guide[k * kRows + l] = planes_[k].row(y + l < height_ ? y + l : height_ - 1);
    }
    T inverse_y[kRows];
    store(inverse_y, inverse_rows(y));
    const int64_t valid = valid_rows(y, job_.y1);
    for (int64_t x = 0; x < width_; x += kPiece) {
      const int64_t count = width_ - x < kPiece ? width_ - x : kPiece;
      if (job_.form == GuidedForm::kFilter) {
        finish_piece<true>(x, count, in, out, guide, inverse_y);
      } else {
        finish_piece<false>(x, count, in, out, guide, inverse_y);
      }
      for (int64_t o = 0; o < outputs(); ++o) {
        for (int64_t l = 0; l < valid; ++l) write(o, y + l, x, count, out_ + (o * kRows + l) * kPiece);
      }
    }
  }

  void begin_down(int64_t y) {
    for (int64_t i = 0; i < kFields * stride_; ++i) down_[i] = T(0);
    const int64_t last = rows_.last(y);
    for (int64_t j = rows_.first(y); j < last; ++j) {
      const T times = static_cast<T>(rows_.times(y, j));
      const T* row = slot(j);
      for (int f = 0; f < kFields; ++f) {
        T* __restrict sum = down_ + f * stride_;
        const T* __restrict from = row + f * stride_;
        for (int64_t x = 0; x < width_; ++x) sum[x] += times * from[x];
      }
    }
  }

  template <bool filter>
  void finish_piece(int64_t x0, int64_t count, const T* const* in, const T* const* out, const T* const* guide, const T* inverse_y) {
    for (int64_t i = 0; i < count; i += kRows) {
      const int64_t x = x0 + i, left = width_ - x;
      if (left >= kRows) {
        finish_columns<filter, true>(x, i, left, in, out, guide, inverse_y);
      } else {
        finish_columns<filter, false>(x, i, left, in, out, guide, inverse_y);
      }
    }
  }

  template <bool filter, bool whole>
  __attribute__((always_inline)) inline void finish_columns(int64_t x, int64_t i, int64_t left, const T* const* in,
                                                            const T* const* out, const T* const* guide, const T* inverse_y) {
    Vector<T> s[kFields];
#pragma GCC unroll 16
    for (int f = 0; f < kFields; ++f) s[f] = load(down_ + f * stride_ + x);
    const Vector<T> inverse_x = load(inverse_x_ + x);
#pragma GCC unroll 1
    for (int l = 0; l < kRows; ++l) {
#pragma GCC unroll 16
      for (int f = 0; f < kFields; ++f) s[f] = s[f] + (load(in[l] + f * stride_ + x) - load(out[l] + f * stride_ + x));
      const Vector<T> scale = inverse_x * inverse_y[l];
      if constexpr (filter) {
        Vector<T> pixel[n];
#pragma GCC unroll 3
        for (int k = 0; k < n; ++k) pixel[k] = read<whole>(guide[k * kRows + l] + x, left);
#pragma GCC unroll 4
        for (int c = 0; c < channels; ++c) {
          Vector<T> q = s[c * (n + 1) + n];
#pragma GCC unroll 3
          for (int k = 0; k < n; ++k) q = q + s[c * (n + 1) + k] * pixel[k];
          store(out_ + (c * kRows + l) * kPiece + i, q * scale);
        }
      } else {
#pragma GCC unroll 16
        for (int f = 0; f < kFields; ++f) store(out_ + (f * kRows + l) * kPiece + i, s[f] * scale);
      }
    }
#pragma GCC unroll 16
    for (int f = 0; f < kFields; ++f) store(down_ + f * stride_ + x, s[f]);
  }

  const GuidedForwardJob& job_;
  BoxAxis rows_, columns_;
  int64_t height_, width_, reach_, row_reach_, band_, tile_, tiles_;
  bool plain_, streamed_, slides_ = false;
  Rows<T> planes_[kPlanes];
  int64_t next_block_[kPlanes];
  int64_t range_ = 0, stride_ = 0, slots_ = 0, first_column_ = 0, summed_ = 0;
  T *sums_ = nullptr, *centres_ = nullptr, *blanks_ = nullptr, *lanes_ = nullptr, *inverse_x_ = nullptr;
  T *coefficients_ = nullptr, *ring_ = nullptr, *down_ = nullptr, *nothing_ = nullptr, *out_ = nullptr;
  Vector<T> summed_now_[kFields];
};

template <class T, int n, int channels>
int64_t guided_forward_sweep(const GuidedForwardJob& job, Arena arena) {
  GuidedForward<T, n, channels> sweep(job, arena);
  if (!arena.counts_only()) sweep.run();
  return arena.used();
}

}  // namespace
}  // namespace vision_native
