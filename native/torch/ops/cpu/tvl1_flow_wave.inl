// One inner iteration of a row. Included after tvl1_flow_lanes.inl.

namespace vision_native {
namespace {

/// The flow of one vector of columns; returns |Δu|².
template <int unknowns, bool exact_floor, bool masked>
TVL1_LANES Lanes advance_flow(const Tvl1WaveRow& row, const Tvl1Step& step, int64_t x) {
  const int64_t pitch = row.pitch;
  const float* data = row.data + x;
  const float* in = row.in + x;
  const float* above = row.in_above + x;
  const Lanes ix = load(data), iy = load(data + pitch), rho_c = load(data + 2 * pitch), inverse = load(data + 3 * pitch);
  Lanes old[unknowns];
  for (int k = 0; k < unknowns; ++k) old[k] = load(in + k * pitch);

  Lanes change = ix * old[0] + iy * old[1];
  if constexpr (unknowns == 3) change += spread(step.gamma) * old[2];
  const Lanes rho = rho_c + change;
  const Lanes most = spread(step.lambda_theta), least_step = spread(-step.lambda_theta);
  Lanes move = least(greatest(rho * inverse, least_step), most);
  if constexpr (exact_floor) {
    const Lanes limit = most * (ix * ix + iy * iy);
    const Lanes flat = rho < -limit ? most : (rho > limit ? least_step : Lanes{});
    move = inverse != Lanes{} ? move : flat;
  }

  Lanes squared{};
  for (int k = 0; k < unknowns; ++k) {
    const int64_t px = (unknowns + 2 * k) * pitch, py = px + pitch;
    const Lanes divergence = (load(in + px) - load(in + px - 1)) + (load(in + py) - load(above + py));
    const Lanes direction = k == 0 ? ix : (k == 1 ? iy : spread(step.gamma));
    Lanes next = (old[k] + move * direction) + spread(step.theta) * divergence;
    if constexpr (masked) next = keep(next, before(x, row.width));
    store(row.out + k * pitch + x, next);
    const Lanes difference = next - old[k];
    squared = k == 0 ? difference * difference : squared + difference * difference;
  }
  return squared;
}

/// The dual field of one vector of columns of the row above.
template <int unknowns, bool masked>
TVL1_LANES void advance_dual(const Tvl1WaveRow& row, const float* below, const Tvl1Step& step, int64_t x) {
  const int64_t pitch = row.pitch;
  const Lanes rate = spread(step.tau_over_theta), one = spread(1.0f);
  for (int k = 0; k < unknowns; ++k) {
    const float* u = row.out_above + k * pitch + x;
    const Lanes centre = load(u);
    Lanes gx = rate * (load(u + 1) - centre);
    const Lanes gy = rate * (load(below + k * pitch + x) - centre);
    if constexpr (masked) gx = keep(gx, before(x, row.width - 1));
    const Lanes scale = one / (one + root(gx * gx + gy * gy));
    const int64_t px = (unknowns + 2 * k) * pitch + x, py = px + pitch;
    store(row.out_above + px, (load(row.in_above + px) + gx) * scale);
    store(row.out_above + py, (load(row.in_above + py) + gy) * scale);
  }
}

template <int unknowns, bool exact_floor, bool masked>
TVL1_LANES void flow_group(const Tvl1WaveRow& row, const Tvl1Step& step, int64_t x, Lanes sums[kParts]) {
#pragma GCC unroll 4
  for (int part = 0; part < kParts; ++part) {
    sums[part] += advance_flow<unknowns, exact_floor, masked>(row, step, x + part * kLanes);
  }
}

template <int unknowns, bool masked>
TVL1_LANES void dual_group(const Tvl1WaveRow& row, const float* below, const Tvl1Step& step, int64_t x) {
#pragma GCC unroll 4
  for (int part = 0; part < kParts; ++part) advance_dual<unknowns, masked>(row, below, step, x + part * kLanes);
}

/// Sum of a group of lanes in a fixed order.
TVL1_LANES double total(const Lanes sums[kParts]) {
  float lanes[kTvl1Group];
  double halves[kTvl1Group / 2];
  for (int part = 0; part < kParts; ++part) store(lanes + part * kLanes, sums[part]);
  for (int i = 0; i < 8; ++i) halves[i] = static_cast<double>(lanes[i]) + static_cast<double>(lanes[i + 8]);
  for (int i = 0; i < 4; ++i) halves[i] += halves[i + 4];
  return (halves[0] + halves[2]) + (halves[1] + halves[3]);
}

/// Where the sum that group x belongs to ends: at a multiple of a piece, or where columns begin or cease to be kept.
TVL1_LANES int64_t end_of_sum(const Tvl1WaveRow& row, int64_t x) {
  if (x < row.kept_begin) return row.kept_begin < row.end ? row.kept_begin : row.end;
  if (x >= row.kept_end) return row.end;
  const int64_t piece = (x / kTvl1Piece + 1) * kTvl1Piece;
  return piece < row.kept_end ? piece : row.kept_end;
}

/// The dual field follows a group behind the flow: the processor then has two independent chains to work on.
template <int unknowns, bool exact_floor, bool dual>
double advance_both(const Tvl1WaveRow& given, const Tvl1Step& given_step) {
  const Tvl1WaveRow row = given;
  const Tvl1Step step = given_step;
  // The group that holds the right border is made apart: all others need no masks.
  const int64_t border = (row.width - 1) / kTvl1Group * kTvl1Group;
  const int64_t inner_end = row.end > border ? border : row.end;
  double error = 0.0;
  int64_t x = row.begin;
  while (x < row.end) {
    const int64_t end = end_of_sum(row, x);
    Lanes sums[kParts] = {};
    if (dual && x == row.begin && x < inner_end) {
      flow_group<unknowns, exact_floor, false>(row, step, x, sums);
      x += kTvl1Group;
    }
    const int64_t inner = end < inner_end ? end : inner_end;
    for (; x < inner; x += kTvl1Group) {
      flow_group<unknowns, exact_floor, false>(row, step, x, sums);
      if constexpr (dual) dual_group<unknowns, false>(row, row.out, step, x - kTvl1Group);
    }
    if (x == border && x < end) {
      flow_group<unknowns, exact_floor, true>(row, step, x, sums);
      if (dual && x > row.begin) dual_group<unknowns, false>(row, row.out, step, x - kTvl1Group);
      x += kTvl1Group;
    }
    if (end > row.kept_begin && end <= row.kept_end) error += total(sums);
  }
  if constexpr (dual) {
    if (row.end > border) {
      dual_group<unknowns, true>(row, row.out, step, border);
    } else {
      dual_group<unknowns, false>(row, row.out, step, row.end - kTvl1Group);
    }
  }
  return error;
}

/// The dual field of the last row, which has no row below.
template <int unknowns>
void advance_last(const Tvl1WaveRow& row, const Tvl1Step& step) {
  const int64_t border = (row.width - 1) / kTvl1Group * kTvl1Group;
  for (int64_t x = row.begin; x < row.end; x += kTvl1Group) {
    if (x < border) {
      dual_group<unknowns, false>(row, row.out_above, step, x);
    } else {
      dual_group<unknowns, true>(row, row.out_above, step, x);
    }
  }
}

template <int unknowns, bool exact_floor>
double advance_row(const Tvl1WaveRow& row, const Tvl1Step& step) {
  if (row.out == nullptr) {
    advance_last<unknowns>(row, step);
    return 0.0;
  }
  return row.out_above == nullptr ? advance_both<unknowns, exact_floor, false>(row, step)
                                  : advance_both<unknowns, exact_floor, true>(row, step);
}

/// Below this, λθ times the floor is lost in the rounding of ρ, and flat pixels need no case of their own: an inverse so
/// large that every ρ but 0 goes to a limit has the same result.
TVL1_LANES bool tells_flat(const Tvl1Step& step) { return step.lambda_theta * step.gradient_floor > 1e-6f; }

double advance(const Tvl1WaveRow& row, const Tvl1Step& step) {
  if (tells_flat(step)) {
    return step.gamma != 0.0f ? advance_row<3, true>(row, step) : advance_row<2, true>(row, step);
  }
  return step.gamma != 0.0f ? advance_row<3, false>(row, step) : advance_row<2, false>(row, step);
}

void inverse(float* data, int64_t pitch, int64_t width, const Tvl1Step& step) {
  const Lanes floor = spread(step.gradient_floor), one = spread(1.0f), largest = spread(0x1p126f);
  const Lanes flat = tells_flat(step) ? Lanes{} : -largest;
  for (int64_t x = 0; x < width; x += kLanes) {
    const Lanes ix = load(data + x), iy = load(data + pitch + x);
    const Lanes squared = ix * ix + iy * iy;
    const Lanes steep = -least(one / squared, largest);
    const Lanes result = squared > floor ? steep : flat;
    store(data + 3 * pitch + x, keep(result, before(x, width)));
  }
}

}  // namespace
}  // namespace vision_native
