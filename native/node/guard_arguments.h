#pragma once
// What guards read of a call: arguments by their schema names, numbers of small index tensors.
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <optional>
#include <string>
#include <vector>

namespace vision_native {

/// A call that is about to be made.
class Arguments {
 public:
  Arguments(const c10::FunctionSchema& schema, const torch::jit::Stack& stack) : schema_(schema), stack_(stack) {}

  /// The argument of that name; `None` where the overload has none.
  const c10::IValue& at(const char* name) const {
    static const c10::IValue none;
    const auto index = schema_.argumentIndexWithName(name);
    return index && *index < static_cast<int>(stack_.size()) ? stack_[*index] : none;
  }

  /// By place: for operators so common that finding a name would be felt.
  const c10::IValue& at(size_t index) const { return stack_[index]; }
  size_t size() const { return stack_.size(); }

  /// An undefined tensor where there is none.
  at::Tensor tensor(const char* name) const {
    const c10::IValue& value = at(name);
    return value.isTensor() ? value.toTensor() : at::Tensor();
  }
  std::vector<at::Tensor> tensors(const char* name) const {
    const c10::IValue& value = at(name);
    return value.isTensorList() ? value.toTensorVector() : std::vector<at::Tensor>();
  }
  std::optional<int64_t> integer(const char* name) const {
    const c10::IValue& value = at(name);
    return value.isInt() ? std::optional(value.toInt()) : std::nullopt;
  }
  std::vector<int64_t> integers(const char* name) const {
    const c10::IValue& value = at(name);
    return value.isIntList() ? value.toIntVector() : std::vector<int64_t>();
  }
  bool boolean(const char* name) const {
    const c10::IValue& value = at(name);
    return value.isBool() && value.toBool();
  }
  std::string text(const char* name) const {
    const c10::IValue& value = at(name);
    return value.isString() ? value.toStringRef() : std::string();
  }
  const std::string& operator_name() const { return schema_.name(); }
  bool given(const char* name) const { return !at(name).isNone(); }

 private:
  const c10::FunctionSchema& schema_;
  const torch::jit::Stack& stack_;
};

/// True when the numbers of the tensor can be read here and now.
inline bool readable(const at::Tensor& tensor) {
  return tensor.defined() && tensor.is_cpu() && tensor.layout() == c10::kStrided && !tensor.is_nested() &&
         !tensor.is_quantized() && !tensor.is_meta();
}

/// A dense copy of the numbers, converted. Only for readable tensors that are not complex.
template <typename Number>
std::vector<Number> numbers(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().to(c10::CppTypeToScalarType<Number>::value).contiguous();
  const auto* data = dense.const_data_ptr<Number>();
  return {data, data + dense.numel()};
}

// For messages.
inline std::string text(int64_t number) { return std::to_string(number); }

inline std::string text(at::IntArrayRef sizes) {
  std::string joined = "[";
  for (size_t i = 0; i < sizes.size(); ++i) joined += (i > 0 ? ", " : "") + text(sizes[i]);
  return joined + "]";
}

}  // namespace vision_native
