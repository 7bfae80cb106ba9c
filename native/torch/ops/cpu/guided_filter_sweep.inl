// Sweeps of the box filter and of the guided filter's backward, and the table of all; included after box_filter_stage.inl,
// guided_filter_math.h, guided_filter_apply.inl and guided_filter_forward.inl.

namespace vision_native {
namespace {

/// Rows of results that the second stage reads: its windows', and those of two blocks.
inline int64_t rows_between(const BoxAxis& rows) {
  const int64_t reach = rows.radius < rows.size ? rows.radius : rows.size;
  return 2 * reach + 1 + 64;
}

// ---- Box filter -----------------------------------------------------------------------------------------------------

template <class T>
int64_t box_filter_sweep(const BoxFilterJob& job, Arena arena) {
  constexpr int kRows = kLanes<T>;
  const int64_t height = job.rows.size, width = job.columns.size;
  Rows<T> input(arena, job.input, job.type, width, height, rows_kept(job.rows));
  Rows<T>* const planes[] = {&input};
  const bool centred = !job.adjoint;
  const Quantity quantity{0, -1, job.adjoint};
  Stage<T> stage(arena, job.rows, job.columns, job.rows.radius, planes, &centred, 1, &quantity, 1);
  const int64_t tile = box_tile(job.rows.radius) < width ? box_tile(job.rows.radius) : width;
  T* out = arena.take<T>(kRows * tile);
  if (arena.counts_only()) return arena.used();
  const bool streamed = height * width > kStreamedPixels;
  for (int64_t y = job.y0; y < job.y1 && !stopped(job); y += kRows) {
    stage.advance(y, false, [&](int64_t x0, int64_t count) BOX_ISA_LAMBDA {
      T* lanes = stage.lanes(0);
      const T centre = stage.centre(0);
      for (int64_t i = 0; i < count * kRows; ++i) lanes[i] += centre;
      T* rows[kRows];
      for (int l = 0; l < kRows; ++l) rows[l] = out + l * tile;
      const int64_t valid = job.y1 - y < kRows ? job.y1 - y : kRows;
      Stage<T>::rows_of(lanes, count, rows, valid);
      for (int64_t l = 0; l < valid; ++l) {
        write_row(job.type, rows[l], job.output.data, (y + l) * job.output.row_stride + x0, count, streamed);
      }
    });
  }
  return arena.used();
}

// ---- Guided filter --------------------------------------------------------------------------------------------------

template <class T, int n>
using Factor = GuidedFactor<T, Vector<T>, n>;

/// Where the means of the first stage are: guides, their products, then for each channel p and its products, then what a
/// backward adds.
template <int n>
struct Layout {
  int64_t channels;
  bool backward;
  static constexpr int64_t guide(int k) { return k; }
  static constexpr int64_t product(int pair) { return n + pair; }
  int64_t input(int64_t c) const { return n + kPairs<n> + c * (1 + n); }
  int64_t cross(int64_t c, int k) const { return input(c) + 1 + k; }
  int64_t forward_count() const { return input(channels); }
  int64_t alpha(int64_t c, int k) const { return forward_count() + c * (n + 1) + k; }
  int64_t beta(int64_t c) const { return alpha(c, n); }
  int64_t count() const { return forward_count() + (backward ? channels * (n + 1) : 0); }
};

/// Means of one place, less what the tile has subtracted: covariances and the coefficients of a channel.
template <class T, int n>
struct Place : GuidedMoments<Vector<T>, n> {
  Place(Stage<T>& stage, int64_t i) {
    for (int k = 0; k < n; ++k) this->mean[k] = load(stage.lanes(Layout<n>::guide(k)) + i);
    for (int pair = 0; pair < kPairs<n>; ++pair) this->sigma[pair] = load(stage.lanes(Layout<n>::product(pair)) + i);
    this->centre_products();
  }

  /// a of one channel; returns π.
  Vector<T> coefficients(Stage<T>& stage, const Layout<n>& layout, const Factor<T, n>& factor, int64_t c, int64_t i,
                         Vector<T>* a) const {
    const Vector<T> pi = load(stage.lanes(layout.input(c)) + i);
    for (int k = 0; k < n; ++k) a[k] = load(stage.lanes(layout.cross(c, k)) + i);
    guided_slopes<T, Vector<T>, n>(*this, factor, pi, a);
    return pi;
  }
};

/// Planes of a job and the lists of what is summed. Memory comes from the arena, so that a sweep allocates nothing.
template <class T>
struct Planes {
  Rows<T>* rows;
  Rows<T>** pointers;
  bool* centred;
  int count = 0;
  bool counts_only;

  Planes(Arena& arena, int64_t most)
      : rows(arena.take<Rows<T>>(most)), pointers(arena.take<Rows<T>*>(most)), centred(arena.take<bool>(most)),
        counts_only(arena.counts_only()) {}

  int add(const Rows<T>& plane, bool centre) {
    if (!counts_only) {
      rows[count] = plane;
      pointers[count] = rows + count;
      centred[count] = centre;
    }
    return count++;
  }
};

struct Quantities {
  Quantity* list;
  int64_t count = 0;
  bool counts_only;
  Quantities(Arena& arena, int64_t most) : list(arena.take<Quantity>(most)), counts_only(arena.counts_only()) {}
  void add(int a, int b, bool adjoint) {
    if (!counts_only) list[count] = {a, b, adjoint};
    ++count;
  }
};

template <int n>
void add_forward_quantities(Quantities& list, int64_t channels) {
  for (int k = 0; k < n; ++k) list.add(k, -1, false);
  for (int k = 0; k < n; ++k) {
    for (int l = k; l < n; ++l) list.add(k, l, false);
  }
  for (int c = 0; c < channels; ++c) {
    list.add(n + c, -1, false);
    for (int k = 0; k < n; ++k) list.add(n + c, k, false);
  }
}

template <class T>
void put_rows(const T* lanes, int64_t count, Rows<T>& ring, int64_t y, int64_t height, int64_t x0) {
  T* rows[kLanes<T>] = {};
  const int64_t valid = height - y < kLanes<T> ? height - y : kLanes<T>;
  for (int64_t l = 0; l < valid; ++l) rows[l] = ring.slot(y + l) + x0;
  Stage<T>::rows_of(lanes, count, rows, valid);
}

template <class T, int n>
int64_t guided_backward_sweep(const GuidedBackwardJob& job, Arena arena) {
  constexpr int kRows = kLanes<T>;
  const int64_t height = job.rows.size, width = job.columns.size, channels = job.channels;
  const bool filter = job.form == GuidedForm::kFilter, plain = job.form == GuidedForm::kPlain;
  const Layout<n> layout{channels, true};
  const int64_t kept = rows_kept(job.rows);

  const int64_t grads = filter ? channels : channels * (n + 1);
  Planes<T> images(arena, n + channels + grads);
  for (int k = 0; k < n; ++k) images.add({arena, job.guide[k], job.type, width, height, kept}, true);
  for (int64_t c = 0; c < channels; ++c) images.add({arena, job.input[c], job.type, width, height, kept}, true);
  const int first_grad = images.count;
  for (int64_t i = 0; i < grads; ++i) images.add({arena, job.grad[i], job.type, width, height, kept}, false);
  Quantities first_list(arena, layout.count());
  add_forward_quantities<n>(first_list, channels);
  for (int c = 0; c < channels; ++c) {
    for (int k = 0; k <= n; ++k) {
      if (filter) {
        first_list.add(first_grad + c, k < n ? k : -1, true);
      } else if (!plain) {
        first_list.add(first_grad + c * (n + 1) + k, -1, true);
      }
    }
  }
  Stage<T> first(arena, job.rows, job.columns, job.rows.radius, images.pointers, images.centred, images.count,
                 first_list.list, first_list.count, n > 1);
  const int64_t tile = box_tile(job.rows.radius) < width ? box_tile(job.rows.radius) : width;
  // Gradients of plain coefficients are not summed, only brought into lanes.
  const int64_t lane_size = (tile + kRows) * kRows;
  T* brought = arena.take<T>(plain ? grads * lane_size : 0);

  // Fields: for each channel γ, the gradient of π and, for the filter, a; then the gradients of μ and of Σ.
  const int64_t per_channel = n + 1 + (filter ? n : 0);
  const int64_t fields = channels * per_channel + n + kPairs<n>;
  const auto gamma_field = [&](int64_t c, int k) BOX_ISA_LAMBDA { return c * per_channel + k; };
  const auto pi_field = [&](int64_t c) BOX_ISA_LAMBDA { return c * per_channel + n; };
  const auto a_field = [&](int64_t c, int k) BOX_ISA_LAMBDA { return c * per_channel + n + 1 + k; };
  const auto mu_field = [&](int k) BOX_ISA_LAMBDA { return channels * per_channel + k; };
  const auto sigma_field = [&](int pair) BOX_ISA_LAMBDA { return channels * per_channel + n + pair; };
  Planes<T> rings(arena, fields);
  Quantities second_list(arena, fields);
  for (int64_t f = 0; f < fields; ++f) {
    const bool coefficient = f < channels * per_channel && f % per_channel > n;
    second_list.add(rings.add(Rows<T>::ring(arena, width, height, rows_between(job.rows)), false), -1, !coefficient);
  }
  Stage<T> second(arena, job.rows, job.columns, job.rows.radius, rings.pointers, rings.centred, rings.count,
                  second_list.list, second_list.count);
  T* results = arena.take<T>(fields * lane_size);
  T* out = arena.take<T>((fields + n + 1) * kRows * tile);
  if (arena.counts_only()) return arena.used();
  const bool streamed = height * width > kStreamedPixels;

  const auto out_row = [&](int64_t f, int64_t l) BOX_ISA_LAMBDA { return out + (f * kRows + l) * tile; };
  const Vector<T> eps = spread<T>(static_cast<T>(job.eps));
  const auto result = [&](int64_t f, int64_t i, Vector<T> value) BOX_ISA_LAMBDA { store(results + f * lane_size + i, value); };

  const auto solve = [&](int64_t y, int64_t count) BOX_ISA_LAMBDA {
    Vector<T> guide_centre[n], eps_sum{};
    for (int k = 0; k < n; ++k) guide_centre[k] = spread<T>(first.centre(k));
    for (int64_t i = 0; i < count * kRows; i += kRows) {
      const Place<T, n> place(first, i);
      const Factor<T, n> factor(place.sigma, eps);
      GuidedGradient<T, Vector<T>, n> gradient;
      Vector<T> mu[n];
      for (int k = 0; k < n; ++k) mu[k] = place.mean[k] + guide_centre[k];
      for (int64_t c = 0; c < channels; ++c) {
        Vector<T> a[n], gamma[n];
        const Vector<T> pi = place.coefficients(first, layout, factor, c, i, a) + first.centre(n + static_cast<int>(c));
        const T* grad_lanes = brought + c * (n + 1) * lane_size + i;
        const Vector<T> beta = plain ? load(grad_lanes + n * lane_size) : load(first.lanes(layout.beta(c)) + i);
        for (int k = 0; k < n; ++k) {
          gamma[k] = plain ? load(grad_lanes + k * lane_size) : load(first.lanes(layout.alpha(c, k)) + i);
        }
        // The sum of g·I was made of what the tile's centre leaves of I, and so is the mean to take off.
        const Vector<T> grad_pi = gradient.add(factor, mu, filter ? place.mean : mu, pi, a, beta, gamma);
        for (int k = 0; k < n; ++k) {
          result(gamma_field(c, k), i, gamma[k]);
          if (filter) result(a_field(c, k), i, a[k]);
        }
        result(pi_field(c), i, grad_pi);
      }
      gradient.finish(mu);
      eps_sum = eps_sum + gradient.eps;
      for (int k = 0; k < n; ++k) result(mu_field(k), i, gradient.mu[k]);
      for (int pair = 0; pair < kPairs<n>; ++pair) result(sigma_field(pair), i, gradient.sigma[pair]);
    }
    if (y < job.y0 || y >= job.y1) return;
    for (int l = 0; l < kRows && y + l < job.y1; ++l) job.grad_eps[y + l] += static_cast<double>(eps_sum[l]);
  };

  const int64_t needed = job.rows.first(job.y0);
  int64_t next = needed / first.band() * first.band();
  const auto produce = [&](int64_t end) BOX_ISA_LAMBDA {
    for (; next < end && !stopped(job); next += kRows) {
      first.advance(next, next + kRows <= needed, [&](int64_t x0, int64_t count) BOX_ISA_LAMBDA {
        for (int64_t i = 0; plain && i < grads; ++i) {
          Stage<T>::bring(*images.pointers[first_grad + i], next, height, width, x0, count, brought + i * lane_size);
        }
        solve(next, count);
        for (int64_t f = 0; f < fields; ++f) put_rows(results + f * lane_size, count, rings.rows[f], next, height, x0);
      });
    }
  };
  for (int64_t y = job.y0; y < job.y1 && !stopped(job); y += kRows) {
    const int64_t below = y + kRows < height ? y + kRows : height;
    produce(job.rows.last(below - 1));
    second.advance(y, false, [&](int64_t x0, int64_t count) BOX_ISA_LAMBDA {
      const int64_t valid = job.y1 - y < kRows ? job.y1 - y : kRows;
      for (int64_t f = 0; f < fields; ++f) {
        T* rows[kRows];
        for (int l = 0; l < kRows; ++l) rows[l] = out_row(f, l);
        Stage<T>::rows_of(second.lanes(f), count, rows, valid);
      }
      for (int64_t l = 0; l < valid; ++l) {
        const T* guide[n];
        for (int k = 0; k < n; ++k) guide[k] = images.pointers[k]->row(y + l) + x0;
        for (int k = 0; k < n; ++k) {
          T* __restrict to = out_row(fields + k, l);
          const T* __restrict from = out_row(mu_field(k), l);
          for (int64_t x = 0; x < count; ++x) to[x] = from[x];
          for (int m = 0; m < n; ++m) {
            const T* __restrict sigma = out_row(sigma_field(pair_of<n>(k, m)), l);
            const T* __restrict other = guide[m];
            for (int64_t x = 0; x < count; ++x) to[x] += sigma[x] * other[x];
          }
        }
        for (int64_t c = 0; c < channels; ++c) {
          T* __restrict grad_p = out_row(fields + n, l);
          const T* __restrict pi = out_row(pi_field(c), l);
          const T* __restrict p = images.pointers[n + c]->row(y + l) + x0;
          for (int64_t x = 0; x < count; ++x) grad_p[x] = pi[x];
          for (int k = 0; k < n; ++k) {
            const T* __restrict gamma = out_row(gamma_field(c, k), l);
            const T* __restrict own = guide[k];
            T* __restrict to = out_row(fields + k, l);
            for (int64_t x = 0; x < count; ++x) grad_p[x] += gamma[x] * own[x];
            for (int64_t x = 0; x < count; ++x) to[x] += p[x] * gamma[x];
            if (!filter) continue;
            const T* __restrict a = out_row(a_field(c, k), l);
            const T* __restrict g = images.pointers[first_grad + c]->row(y + l) + x0;
            for (int64_t x = 0; x < count; ++x) to[x] += g[x] * a[x];
          }
          write_row(job.type, grad_p, job.grad_input[c].data, (y + l) * job.grad_input[c].row_stride + x0, count,
                    streamed);
        }
        for (int k = 0; k < n; ++k) {
          write_row(job.type, out_row(fields + k, l), job.grad_guide[k].data,
                    (y + l) * job.grad_guide[k].row_stride + x0, count, streamed);
        }
      }
    });
  }
  return arena.used();
}

// ---- The table ------------------------------------------------------------------------------------------------------

int64_t box_filter_run(const BoxFilterJob& job, void* memory) {
#ifdef BOX_WITH_DOUBLE
  if (job.type == BoxType::kDouble) return box_filter_sweep<double>(job, Arena(memory));
#endif
  return box_filter_sweep<float>(job, Arena(memory));
}

template <class T, int n>
int64_t guided_forward_channels(const GuidedForwardJob& job, void* memory) {
  if constexpr (sizeof(T) == 4) {
    if (job.channels == 2) return guided_forward_sweep<T, n, 2>(job, Arena(memory));
    if (job.channels == 3) return guided_forward_sweep<T, n, 3>(job, Arena(memory));
  }
  return guided_forward_sweep<T, n, 1>(job, Arena(memory));
}

int64_t guided_forward_run(const GuidedForwardJob& job, void* memory) {
#ifdef BOX_WITH_DOUBLE
  if (job.type == BoxType::kDouble) {
    return job.guides == 1 ? guided_forward_channels<double, 1>(job, memory) : guided_forward_channels<double, 3>(job, memory);
  }
#endif
  return job.guides == 1 ? guided_forward_channels<float, 1>(job, memory) : guided_forward_channels<float, 3>(job, memory);
}

int64_t guided_backward_run(const GuidedBackwardJob& job, void* memory) {
#ifdef BOX_WITH_DOUBLE
  if (job.type == BoxType::kDouble) {
    return job.guides == 1 ? guided_backward_sweep<double, 1>(job, Arena(memory))
                           : guided_backward_sweep<double, 3>(job, Arena(memory));
  }
#endif
  return job.guides == 1 ? guided_backward_sweep<float, 1>(job, Arena(memory))
                         : guided_backward_sweep<float, 3>(job, Arena(memory));
}

}  // namespace

const BoxSweeps BOX_SWEEPS = {
    [](const BoxFilterJob& job) { return box_filter_run(job, nullptr); },
    [](const BoxFilterJob& job) {
      box_filter_run(job, job.scratch);
      _mm_sfence();
    },
    [](const GuidedForwardJob& job) { return guided_forward_run(job, nullptr); },
    [](const GuidedForwardJob& job) {
      guided_forward_run(job, job.scratch);
      _mm_sfence();
    },
    [](const GuidedBackwardJob& job) { return guided_backward_run(job, nullptr); },
    [](const GuidedBackwardJob& job) {
      guided_backward_run(job, job.scratch);
      _mm_sfence();
    },
    [](const GuidedApplyJob& job) { return guided_apply_run(job, nullptr); },
    [](const GuidedApplyJob& job) {
      guided_apply_run(job, job.scratch);
      _mm_sfence();
    },
    [](const AreaJob& job) { return area_run(job, nullptr); },
    [](const AreaJob& job) {
      area_run(job, job.scratch);
      _mm_sfence();
    },
};

}  // namespace vision_native
