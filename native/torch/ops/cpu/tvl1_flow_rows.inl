// The warp and the median, and the table of row functions (TVL1_ROWS). Included last.

namespace vision_native {
namespace {

// ---- The warp -------------------------------------------------------------------------------------------------------

/// Weights of four positions; see `tvl1_cubic_weights`, whose order of evaluation this repeats.
TVL1_LANES void cubic_weights(Four after, double a, Four weights[4]) {
  const Four one = Four{} + 1.0;
  const Four far = after + one, near = one - after;
  weights[0] = ((a * far - 5.0 * a) * far + 8.0 * a) * far - 4.0 * a;
  weights[1] = ((a + 2.0) * after - (a + 3.0)) * after * after + one;
  weights[2] = ((a + 2.0) * near - (a + 3.0)) * near * near + one;
  weights[3] = ((one - weights[0]) - weights[1]) - weights[2];
}

TVL1_LANES Four widen(const float* pixel) {
#if TVL1_VECTOR_BYTES > 16
  return (Four)_mm256_cvtps_pd(_mm_loadu_ps(pixel));
#else
  return __builtin_convertvector(*reinterpret_cast<const FourFloats*>(pixel), Four);
#endif
}

/// I, Ix and Iy at a position: `top_left` is the first of its 16 neighbours. See `tvl1_cubic`.
TVL1_LANES Four sample(const float* top_left, int64_t stride, const double wx[4][4], const double wy[4][4], int lane) {
  const Four y0 = Four{} + wy[0][lane], y1 = Four{} + wy[1][lane], y2 = Four{} + wy[2][lane], y3 = Four{} + wy[3][lane];
  const float *r1 = top_left + stride, *r2 = r1 + stride, *r3 = r2 + stride;
  Four sum{};
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const Four column = ((y0 * widen(top_left + 4 * i) + y1 * widen(r1 + 4 * i)) + y2 * widen(r2 + 4 * i)) +
                        y3 * widen(r3 + 4 * i);
    sum = i == 0 ? wx[i][lane] * column : sum + wx[i][lane] * column;
  }
  return sum;
}

/// A position as the pixel at or before it and the way from there. The position is far inside the range of an int.
TVL1_LANES int32_t split(float position, float* after) {
  const int32_t cut = static_cast<int32_t>(position);
  const int32_t whole = cut - (static_cast<float>(cut) > position ? 1 : 0);
  *after = position - static_cast<float>(whole);
  return whole;
}

void warp(const Tvl1WarpRow& row, const Tvl1Packed& second, int64_t y, const Tvl1Sampling& how, const Tvl1Step& step) {
  const int64_t width = second.size.width, stride = second.stride, pitch = row.pitch;
  const double a = static_cast<double>(how.a);
  const float steps = static_cast<float>(how.coordinate_steps);
  // Two pixels beyond the border every neighbour is outside.
  const float reach = how.zero_border ? 2.0f : 0.0f;
  const float right = static_cast<float>(width - 1) + reach, bottom = static_cast<float>(second.size.height - 1) + reach;
  for (int64_t start = 0; start < width; start += 4) {
    const int count = width - start < 4 ? static_cast<int>(width - start) : 4;
    const float* corners[4] = {};
    double after_x[4] = {}, after_y[4] = {};
    for (int lane = 0; lane < count; ++lane) {
      const int64_t x = start + lane;
      float tx = static_cast<float>(x) + row.u[x], ty = static_cast<float>(y) + row.v[x];
      if (steps > 0.0f) {
        tx = __builtin_rintf(tx * steps) / steps;
        ty = __builtin_rintf(ty * steps) / steps;
      }
      if (!(tx >= -reach && tx <= right && ty >= -reach && ty <= bottom)) continue;
      float fx, fy;
      const int64_t left = split(tx, &fx) - 1, top = split(ty, &fy) - 1;
      corners[lane] = second.data + top * stride + 4 * left;
      after_x[lane] = static_cast<double>(fx);
      after_y[lane] = static_cast<double>(fy);
    }
    Four weights[4];
    double wx[4][4], wy[4][4];
    cubic_weights(*reinterpret_cast<const Four*>(after_x), a, weights);
    for (int i = 0; i < 4; ++i) *reinterpret_cast<Four*>(wx[i]) = weights[i];
    cubic_weights(*reinterpret_cast<const Four*>(after_y), a, weights);
    for (int i = 0; i < 4; ++i) *reinterpret_cast<Four*>(wy[i]) = weights[i];
    for (int lane = 0; lane < count; ++lane) {
      const int64_t x = start + lane;
      const float i0 = row.first[x];
      float* data = row.data + x;
      if (corners[lane] == nullptr) {
        // Outside: the data term is off.
        data[0] = data[pitch] = 0.0f;
        data[2 * pitch] = -i0;
        continue;
      }
      const Four values = sample(corners[lane], stride, wx, wy, lane);
      const double u = static_cast<double>(row.u[x]), v = static_cast<double>(row.v[x]);
      data[0] = static_cast<float>(values[1]);
      data[pitch] = static_cast<float>(values[2]);
      data[2 * pitch] = static_cast<float>((values[0] - (values[1] * u + values[2] * v)) - static_cast<double>(i0));
    }
  }
  inverse(row.data, pitch, width, step);
}

// ---- The median -----------------------------------------------------------------------------------------------------

constexpr int64_t kMedianPiece = 256;

TVL1_LANES void order(Lanes& a, Lanes& b) {
  const Lanes low = least(a, b);
  b = greatest(a, b);
  a = low;
}

TVL1_LANES void sort5(Lanes& a, Lanes& b, Lanes& c, Lanes& d, Lanes& e) {
  order(a, b), order(d, e), order(c, e), order(c, d), order(a, d), order(a, c), order(b, e), order(b, d), order(b, c);
}

/// `tvl1_median_of_columns` for a vector of columns. Values that it does not look at are not computed.
TVL1_LANES Lanes median_of_columns(Lanes m[5][5]) {
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) sort5(m[i][0], m[i][1], m[i][2], m[i][3], m[i][4]);
  Lanes a = m[0][3], b = m[1][2], c = m[2][1], d = m[3][0], e = m[1][4], f = m[2][3], g = m[3][2], h = m[4][1];
  Lanes k = m[0][4], l = m[1][3], n = m[2][2], o = m[3][1], q = m[4][0];
  order(a, b), order(c, d), order(a, c), order(e, f), order(g, h), order(f, h);
  order(b, k), order(c, g), order(d, f), order(b, c), order(b, d), order(b, e), order(e, k), order(f, k), order(g, k);
  order(c, l), order(d, g), order(e, f), order(c, d), order(c, e), order(f, l), order(g, l);
  order(d, n), order(e, g), order(d, e), order(d, f), order(f, n), order(g, n);
  order(e, o), order(f, g), order(e, f), order(g, o);
  order(f, g), order(g, q);
  return greatest(f, g);
}

void median(const float* const rows[5], float* out, int64_t width) {
  // Sorted columns of a piece and of two columns on either side; five neighbouring outputs share each of them. Vectors may
  // run over the end: what is there is not used.
  constexpr int64_t margin = 2, overrun = 2 * kLanes;
  float sorted[5][kMedianPiece + 2 * margin + overrun];
  for (int64_t start = 0; start < width; start += kMedianPiece) {
    const int64_t count = width - start < kMedianPiece ? width - start : kMedianPiece;
    const int64_t begin = start - margin < 0 ? 0 : start - margin;
    const int64_t end = start + count + margin > width ? width : start + count + margin;
    const int64_t shift = begin - (start - margin);
    for (int64_t x = begin; x < end; x += kLanes) {
      Lanes column[5];
      if (x + kLanes <= end) {
        for (int i = 0; i < 5; ++i) column[i] = load(rows[i] + x);
      } else {
        for (int i = 0; i < 5; ++i) {
          float part[kLanes] = {};
          for (int64_t j = 0; j < end - x; ++j) part[j] = rows[i][x + j];
          column[i] = load(part);
        }
      }
      sort5(column[0], column[1], column[2], column[3], column[4]);
      for (int rank = 0; rank < 5; ++rank) store(sorted[rank] + (x - begin) + shift, column[rank]);
    }
    for (int rank = 0; rank < 5; ++rank) {
      for (int64_t x = 0; x < shift; ++x) sorted[rank][x] = sorted[rank][shift];
      for (int64_t x = end - begin + shift; x < count + 2 * margin; ++x) sorted[rank][x] = sorted[rank][x - 1];
    }
    for (int64_t x = 0; x < count; x += kLanes) {
      Lanes m[5][5];
#pragma GCC unroll 5
      for (int rank = 0; rank < 5; ++rank) {
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) m[rank][i] = load(sorted[rank] + x + i);
      }
      const Lanes result = median_of_columns(m);
      if (x + kLanes <= count) {
        store(out + start + x, result);
      } else {
        for (int64_t j = 0; j < count - x; ++j) out[start + x + j] = result[j];
      }
    }
  }
}

}  // namespace

const Tvl1Rows TVL1_ROWS = {advance, warp, inverse, median};

}  // namespace vision_native
