// Content-aware upsampling of maps whose channels lie side by side: lanes run over channels. Each thread keeps the rows of
// its window, with the border around them, and passes from row to row; outputs go straight to the result where they fit.
#include <ATen/Parallel.h>

#include <vector>

#include "torch/ops/cpu/content_aware_upsample_tensor.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Rows of pixels are as wide as this many channels, or a multiple.
constexpr int64_t kPitch = 2 * kCauLanes;

/// The K rows around a source row, with the border on both sides. A row that the next window needs too stays.
template <typename A>
class Window {
 public:
  Window(const PixelRows<A>& features, const CauShape& shape, bool replicate, int64_t pitch)
      : features_(features),
        shape_(shape),
        replicate_(replicate),
        pitch_(pitch),
        side_(shape.window / 2),
        row_size_((shape.width + shape.window - 1) * pitch),
        memory_((shape.window + 1) * row_size_, A(0)),
        held_(shape.window, -1),
        rows(shape.window) {}

  void move_to(int64_t n, int64_t channel, int64_t i) {
    if (n != n_ || channel != channel_) std::fill(held_.begin(), held_.end(), -1);
    n_ = n;
    channel_ = channel;
    for (int64_t a = 0; a < shape_.window; ++a) {
      int64_t y = i + a - side_;
      if (replicate_) y = std::clamp<int64_t>(y, 0, shape_.height - 1);
      // The last row of the memory stays 0.
      const bool inside = y >= 0 && y < shape_.height;
      rows[a] = memory_.data() + (inside ? y % shape_.window : shape_.window) * row_size_;
      if (inside && held_[y % shape_.window] != y) load(y);
    }
  }

 private:
  void load(int64_t y) {
    held_[y % shape_.window] = y;
    A* row = memory_.data() + y % shape_.window * row_size_;
    A* first = row + side_ * pitch_;
    features_.load(n_, channel_, y, shape_.width, shape_.channels, pitch_, first);
    if (!replicate_) return;
    const A* last = first + (shape_.width - 1) * pitch_;
    for (int64_t b = 0; b < side_; ++b) {
      std::copy_n(first, pitch_, row + b * pitch_);
      std::copy_n(last, pitch_, first + (shape_.width + b) * pitch_);
    }
  }

  const PixelRows<A>& features_;
  const CauShape& shape_;
  bool replicate_;
  int64_t pitch_, side_, row_size_, n_ = -1, channel_ = -1;
  Scratch<A> memory_;
  std::vector<int64_t> held_;

 public:
  std::vector<const A*> rows;
};

template <typename A>
class PixelUpsampler {
 public:
  PixelUpsampler(const at::Tensor& features, const at::Tensor& logits, const CauOptions& options)
      : table_(rows_for<A>()),
        features_(features),
        logits_(logits),
        replicate_(options.replicate),
        groups_(options.groups),
        samples_(features.size(0)),
        shape_(cau_shape(features, options)),
        pitch_((shape_.channels + kPitch - 1) / kPitch * kPitch),
        weights_size_(shape_.window * shape_.window * shape_.scale * shape_.scale * shape_.padded),
        context_(current_run_context()) {}

  void forward(const at::Tensor& out) const {
    const PixelRows<A> result(out);
    const bool direct = result.direct(shape_.channels, kPitch);
    const int64_t out_row = shape_.width * shape_.scale * pitch_;
    at::parallel_for(0, samples_ * groups_ * shape_.height, 1, [&](int64_t begin, int64_t end) {
      const Scratch<A> weights(weights_size_), made(direct ? 0 : shape_.scale * out_row);
      Window<A> window(features_, shape_, replicate_, pitch_);
      std::vector<A*> places(shape_.scale);
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        const int64_t i = item % shape_.height;
        const int64_t group = item / shape_.height % groups_;
        const int64_t n = item / shape_.height / groups_;
        const int64_t channel = group * shape_.channels;
        cau_load_weights(table_, shape_, logits_, n, group, i, weights.data());
        window.move_to(n, channel, i);
        for (int64_t u = 0; u < shape_.scale; ++u) {
          places[u] = direct ? result.at(n, channel, i * shape_.scale + u) : made.data() + u * out_row;
        }
        table_.reassemble_pixels(window.rows.data(), pitch_, weights.data() + shape_.window / 2, places.data(),
                                 direct ? result.pitch() : pitch_, shape_);
        if (direct) continue;
        for (int64_t u = 0; u < shape_.scale; ++u) {
          result.save(n, channel, i * shape_.scale + u, shape_.width * shape_.scale, shape_.channels, pitch_, places[u]);
        }
      }
    });
    check_cancelled();
  }

  void backward(const at::Tensor& grad, const at::Tensor* features_grad, const at::Tensor* logits_grad) const {
    const PixelRows<A> grads(grad);
    const bool keep = features_grad != nullptr;
    const Scratch<A> weights(keep ? shape_.height * weights_size_ : 0);
    for (int64_t n = 0; n < samples_; ++n) {
      for (int64_t group = 0; group < groups_; ++group) {
        at::parallel_for(0, shape_.height, 1, [&](int64_t begin, int64_t end) {
          const Scratch<A> own(keep ? 0 : weights_size_);
          Slopes slopes(*this, grads, logits_grad);
          for (int64_t i = begin; i < end && !is_cancelled(context_); ++i) {
            A* row = keep ? weights.data() + i * weights_size_ : own.data();
            cau_load_weights(table_, shape_, logits_, n, group, i, row);
            if (logits_grad != nullptr) slopes.differentiate(n, group, i, row, Rows4<A>(*logits_grad));
          }
        });
        check_cancelled();
        if (keep) gather(n, group, grads, weights.data(), PixelRows<A>(*features_grad));
        check_cancelled();
      }
    }
  }

 private:
  /// The outputs of source rows: the gradient's own memory, or copies, of which `slots` are kept.
  class GradRows {
   public:
    GradRows(const PixelUpsampler& upsampler, const PixelRows<A>& grads, int64_t slots)
        : shape_(upsampler.shape_),
          grads_(grads),
          direct_(grads.direct(shape_.channels, kPitch)),
          slots_(slots),
          pitch(direct_ ? grads.pitch() : upsampler.pitch_),
          row_size_(shape_.width * shape_.scale * pitch),
          memory_(direct_ ? 0 : slots * shape_.scale * row_size_, A(0)),
          held_(slots, -1) {}

    void load(int64_t n, int64_t channel, int64_t i, const A** rows) {
      const bool held = held_[i % slots_] == i;
      held_[i % slots_] = i;
      for (int64_t u = 0; u < shape_.scale; ++u) {
        const int64_t y = i * shape_.scale + u;
        if (direct_) {
          rows[u] = grads_.at(n, channel, y);
          continue;
        }
        A* row = memory_.data() + (i % slots_ * shape_.scale + u) * row_size_;
        rows[u] = row;
        if (!held) grads_.load(n, channel, y, shape_.width * shape_.scale, shape_.channels, pitch, row);
      }
    }

   private:
    const CauShape& shape_;
    const PixelRows<A>& grads_;
    bool direct_;
    int64_t slots_;

   public:
    int64_t pitch;

   private:
    int64_t row_size_;
    Scratch<A> memory_;
    std::vector<int64_t> held_;
  };

  /// dL/dlogits of rows, for one thread and group.
  class Slopes {
   public:
    Slopes(const PixelUpsampler& upsampler, const PixelRows<A>& grads, const at::Tensor* wanted)
        : upsampler_(upsampler),
          window_(upsampler.features_, upsampler.shape_, upsampler.replicate_, upsampler.pitch_),
          grads_(upsampler, grads, 1),
          slopes_(wanted == nullptr ? 0 : upsampler.weights_size_, A(0)),
          rows_(upsampler.shape_.scale) {}

    void differentiate(int64_t n, int64_t group, int64_t i, const A* weights, const Rows4<A>& out) {
      const CauShape& shape = upsampler_.shape_;
      window_.move_to(n, group * shape.channels, i);
      grads_.load(n, group * shape.channels, i, rows_.data());
      upsampler_.table_.correlate_pixels(window_.rows.data(), upsampler_.pitch_, rows_.data(), grads_.pitch,
                                         slopes_.data(), shape);
      upsampler_.table_.softmax_backward(weights + shape.window / 2, slopes_.data(), shape);
      const int64_t count = upsampler_.weights_size_ / shape.padded;
      for (int64_t row = 0; row < count; ++row) {
        out.save(n, group * count + row, i, 0, 1, shape.width, slopes_.data() + row * shape.padded);
      }
    }

   private:
    const PixelUpsampler& upsampler_;
    Window<A> window_;
    GradRows grads_;
    Scratch<A> slopes_;
    std::vector<const A*> rows_;
  };

  void gather(int64_t n, int64_t group, const PixelRows<A>& grads, const A* weights, const PixelRows<A>& out) const {
    const bool direct = out.direct(shape_.channels, kPitch);
    const int64_t channel = group * shape_.channels;
    at::parallel_for(0, shape_.height, 1, [&](int64_t begin, int64_t end) {
      GradRows window(*this, grads, shape_.window);
      const Scratch<A> made(direct ? 0 : shape_.width * pitch_);
      std::vector<const A*> rows(shape_.window * shape_.scale), row_weights(shape_.window);
      for (int64_t i = begin; i < end && !is_cancelled(context_); ++i) {
        for (int64_t a = 0; a < shape_.window; ++a) {
          // Row `a` of the window of source row y is this row.
          const int64_t y = i - (a - shape_.window / 2);
          const bool inside = y >= 0 && y < shape_.height;
          row_weights[a] = inside ? weights + y * weights_size_ : nullptr;
          if (inside) window.load(n, channel, y, rows.data() + a * shape_.scale);
        }
        A* row = direct ? out.at(n, channel, i) : made.data();
        table_.gather_pixels(rows.data(), window.pitch, row_weights.data(), row, direct ? out.pitch() : pitch_, shape_);
        if (!direct) out.save(n, channel, i, shape_.width, shape_.channels, pitch_, row);
      }
    });
  }

  const CauRows<A>& table_;
  PixelRows<A> features_;
  Rows4<A> logits_;
  bool replicate_;
  int64_t groups_, samples_;
  CauShape shape_;
  int64_t pitch_, weights_size_;
  const RunContext* context_;
};

}  // namespace

template <typename A>
void cau_forward_pixels(const at::Tensor& features, const at::Tensor& logits, const CauOptions& options,
                        const at::Tensor& out) {
  PixelUpsampler<A>(features, logits, options).forward(out);
}

template <typename A>
void cau_backward_pixels(const at::Tensor& grad, const at::Tensor& features, const at::Tensor& logits,
                         const CauOptions& options, const at::Tensor* features_grad, const at::Tensor* logits_grad) {
  PixelUpsampler<A>(features, logits, options).backward(grad, features_grad, logits_grad);
}

template void cau_forward_pixels<float>(const at::Tensor&, const at::Tensor&, const CauOptions&, const at::Tensor&);
template void cau_forward_pixels<double>(const at::Tensor&, const at::Tensor&, const CauOptions&, const at::Tensor&);
template void cau_backward_pixels<float>(const at::Tensor&, const at::Tensor&, const at::Tensor&, const CauOptions&,
                                         const at::Tensor*, const at::Tensor*);
template void cau_backward_pixels<double>(const at::Tensor&, const at::Tensor&, const at::Tensor&, const CauOptions&,
                                          const at::Tensor*, const at::Tensor*);

}  // namespace vision_native
