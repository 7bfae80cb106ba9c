#include "node/value.h"

#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>

#include <array>
#include <cmath>
#include <sstream>

namespace vision_native {

namespace {

// Classes of values. A string has one bit for being a string and one for everything its text is a name of, so that
// overloads on dtype and device are told apart.
constexpr uint32_t bit(Tag tag) { return 1u << static_cast<int>(tag); }
constexpr uint32_t kNamesDtype = 1u << 16;
constexpr uint32_t kNamesLayout = 1u << 17;
constexpr uint32_t kNamesDevice = 1u << 18;
constexpr uint32_t kNamesMemoryFormat = 1u << 19;

constexpr uint32_t kNumbers = bit(Tag::kInt) | bit(Tag::kDouble);
constexpr uint32_t kInts = bit(Tag::kInt) | bit(Tag::kBigInt);

uint32_t accepted(Kind kind, int fixed) {
  switch (kind) {
    case Kind::kTensor: return bit(Tag::kTensor);
    case Kind::kTensorList:
    case Kind::kOptionalTensorList: return bit(Tag::kTensorList) | bit(Tag::kEmptyList);
    case Kind::kScalar: return kNumbers | bit(Tag::kBool) | bit(Tag::kBigInt) | bit(Tag::kComplex);
    case Kind::kScalarList:
      return bit(Tag::kIntList) | bit(Tag::kDoubleList) | bit(Tag::kBoolList) | bit(Tag::kBigIntList) |
             bit(Tag::kEmptyList);
    case Kind::kInt: return kInts;
    case Kind::kIntList:
      return bit(Tag::kIntList) | bit(Tag::kBigIntList) | bit(Tag::kEmptyList) | (fixed > 0 ? kInts : 0);
    case Kind::kFloat: return kNumbers;
    case Kind::kFloatList:
      return bit(Tag::kIntList) | bit(Tag::kDoubleList) | bit(Tag::kEmptyList) | (fixed > 0 ? kNumbers : 0);
    case Kind::kBool: return bit(Tag::kBool);
    case Kind::kBoolList: return bit(Tag::kBoolList) | bit(Tag::kEmptyList) | (fixed > 0 ? bit(Tag::kBool) : 0);
    case Kind::kString: return bit(Tag::kString);
    case Kind::kScalarType: return kNamesDtype;
    case Kind::kLayout: return kNamesLayout;
    case Kind::kDevice: return kNamesDevice;
    case Kind::kMemoryFormat: return kNamesMemoryFormat;
    case Kind::kGenerator: return bit(Tag::kGenerator);
    case Kind::kUnsupported: return 0;
  }
  return 0;
}

Kind kind_of(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: return Kind::kTensor;
    case c10::TypeKind::NumberType: return Kind::kScalar;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::kInt;
    case c10::TypeKind::FloatType: return Kind::kFloat;
    case c10::TypeKind::BoolType: return Kind::kBool;
    case c10::TypeKind::StringType: return Kind::kString;
    case c10::TypeKind::ScalarTypeType: return Kind::kScalarType;
    case c10::TypeKind::LayoutType: return Kind::kLayout;
    case c10::TypeKind::DeviceObjType: return Kind::kDevice;
    case c10::TypeKind::MemoryFormatType: return Kind::kMemoryFormat;
    case c10::TypeKind::GeneratorType: return Kind::kGenerator;
    case c10::TypeKind::ListType: break;
    default: return Kind::kUnsupported;
  }
  c10::TypePtr element = type->castRaw<c10::ListType>()->getElementType();
  const auto* optional = element->castRaw<c10::OptionalType>();
  if (optional != nullptr) {
    return optional->getElementType()->kind() == c10::TypeKind::TensorType ? Kind::kOptionalTensorList
                                                                            : Kind::kUnsupported;
  }
  switch (kind_of(element)) {
    case Kind::kTensor: return Kind::kTensorList;
    case Kind::kScalar: return Kind::kScalarList;
    case Kind::kInt: return Kind::kIntList;
    case Kind::kFloat: return Kind::kFloatList;
    case Kind::kBool: return Kind::kBoolList;
    default: return Kind::kUnsupported;
  }
}

struct DtypeName {
  const char* name;
  c10::ScalarType type;
};
constexpr std::array<DtypeName, 13> kDtypes{{{"float16", c10::kHalf},
                                             {"float32", c10::kFloat},
                                             {"float64", c10::kDouble},
                                             {"bfloat16", c10::kBFloat16},
                                             {"int8", c10::kChar},
                                             {"int16", c10::kShort},
                                             {"int32", c10::kInt},
                                             {"int64", c10::kLong},
                                             {"uint8", c10::kByte},
                                             {"bool", c10::kBool},
                                             {"complex64", c10::kComplexFloat},
                                             {"complex128", c10::kComplexDouble},
                                             {"complex32", c10::kComplexHalf}}};

std::string dtype_name(c10::ScalarType type) {
  for (const auto& entry : kDtypes) {
    if (entry.type == type) return entry.name;
  }
  return c10::toString(type);
}

std::optional<c10::Device> parse_device(const std::string& text) {
  if (text == "cpu") return c10::Device(c10::kCPU);
  if (text == "meta") return c10::Device(c10::kMeta);
  if (text == "cuda") return c10::Device(c10::kCUDA);
  if (text.rfind("cuda:", 0) != 0 || text.size() < 6 || text.size() > 7) return std::nullopt;
  for (size_t i = 5; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(std::stoi(text.substr(5))));
}

std::optional<c10::Layout> parse_layout(const std::string& text) {
  if (text == "strided") return c10::kStrided;
  if (text == "sparse_coo") return c10::kSparse;
  if (text == "sparse_csr") return c10::kSparseCsr;
  if (text == "sparse_csc") return c10::kSparseCsc;
  if (text == "sparse_bsr") return c10::kSparseBsr;
  if (text == "sparse_bsc") return c10::kSparseBsc;
  if (text == "mkldnn") return c10::kMkldnn;
  return std::nullopt;
}

std::optional<c10::MemoryFormat> parse_memory_format(const std::string& text) {
  if (text == "contiguous_format") return c10::MemoryFormat::Contiguous;
  if (text == "preserve_format") return c10::MemoryFormat::Preserve;
  if (text == "channels_last") return c10::MemoryFormat::ChannelsLast;
  if (text == "channels_last_3d") return c10::MemoryFormat::ChannelsLast3d;
  return std::nullopt;
}

const at::Tensor& tensor_at(const Frame& frame, size_t at, const Registry& registry) {
  const at::Tensor* tensor = registry.tensors.find(frame.at(at));
  if (tensor == nullptr) {
    throw BridgeError("Disposed",
                      "a tensor of the call was disposed, or belongs to another thread; "
                      "return it from its tidy() scope, keep() it, or send its data instead");
  }
  return *tensor;
}

const InternedString& string_at(const Frame& frame, size_t at, const Registry& registry) {
  const double id = frame.at(at);
  if (!(id >= 0 && id < static_cast<double>(registry.strings.size()))) {
    throw BridgeError("Argument", "the call frame is malformed: there is no such string");
  }
  return registry.strings[static_cast<size_t>(id)];
}

int64_t int_at(const Value& value, size_t at, const Frame& frame) {
  const bool wide = value.tag == Tag::kBigInt || value.tag == Tag::kBigIntList;
  return wide ? frame.bits_at(at) : static_cast<int64_t>(frame.at(at));
}

c10::Scalar scalar_at(const Value& value, size_t at, const Frame& frame) {
  switch (value.tag) {
    case Tag::kInt:
    case Tag::kIntList: {
      const double number = frame.at(at);
      // An integer has no −0, which a sum or a product may depend on.
      if (number == 0 && std::signbit(number)) return c10::Scalar(number);
      return c10::Scalar(static_cast<int64_t>(number));
    }
    case Tag::kBigInt:
    case Tag::kBigIntList: return c10::Scalar(frame.bits_at(at));
    case Tag::kBool:
    case Tag::kBoolList: return c10::Scalar(frame.at(at) != 0);
    case Tag::kComplex: return c10::Scalar(c10::complex<double>(frame.at(at), frame.at(at + 1)));
    default: return c10::Scalar(frame.at(at));
  }
}

bool is_list(Tag tag) {
  return tag == Tag::kIntList || tag == Tag::kDoubleList || tag == Tag::kBoolList || tag == Tag::kBigIntList ||
         tag == Tag::kTensorList;
}

/// Calls `each(index in the frame)` for the items of a list, or `fixed` times for the single value that stands for one.
template <typename Each>
void for_each_item(const ArgumentSpec& spec, const Value& value, const Frame& frame, Each each) {
  if (value.tag == Tag::kEmptyList) return;
  if (!is_list(value.tag)) {
    for (int i = 0; i < spec.fixed; ++i) each(value.at);
    return;
  }
  const size_t count = frame.count_at(value.at);
  for (size_t i = 0; i < count; ++i) each(value.at + 1 + i);
}

}  // namespace

ArgumentSpec ArgumentSpec::of(const c10::Argument& argument) {
  ArgumentSpec spec;
  spec.name = argument.name();
  c10::TypePtr type = argument.real_type();
  if (const auto* optional = type->castRaw<c10::OptionalType>()) {
    spec.optional = true;
    type = optional->getElementType();
  }
  spec.kind = kind_of(type);
  spec.fixed = argument.N().value_or(0);
  spec.accepts = accepted(spec.kind, spec.fixed);
  return spec;
}

InternedString::InternedString(std::string given)
    : text(std::move(given)),
      layout(parse_layout(text)),
      device(parse_device(text)),
      memory_format(parse_memory_format(text)) {
  for (const auto& entry : kDtypes) {
    if (text == entry.name) dtype = entry.type;
  }
}

Value Value::read(const Frame& frame, size_t& cursor, const Registry& registry) {
  Value value;
  const double tag = frame.at(cursor);
  if (!(tag >= 0 && tag <= static_cast<double>(Tag::kArgument))) {
    throw BridgeError("Argument", "the call frame is malformed: there is no such tag");
  }
  value.tag = static_cast<Tag>(static_cast<int>(tag));
  value.at = cursor + 1;
  value.classes = bit(value.tag);
  switch (value.tag) {
    case Tag::kAbsent:
    case Tag::kEmptyList: cursor += 1; break;
    case Tag::kComplex: cursor += 3; break;
    case Tag::kIntList:
    case Tag::kDoubleList:
    case Tag::kBoolList:
    case Tag::kBigIntList:
    case Tag::kTensorList:
      cursor += 2 + frame.count_at(value.at);
      frame.at(cursor - 1);
      break;
    case Tag::kString: {
      const InternedString& text = string_at(frame, value.at, registry);
      if (text.dtype) value.classes |= kNamesDtype;
      if (text.layout) value.classes |= kNamesLayout;
      if (text.device) value.classes |= kNamesDevice;
      if (text.memory_format) value.classes |= kNamesMemoryFormat;
      cursor += 2;
      break;
    }
    default: cursor += 2; break;
  }
  return value;
}

c10::IValue convert(const ArgumentSpec& spec, const Value& value, const Frame& frame, const Registry& registry) {
  switch (spec.kind) {
    case Kind::kTensor: return tensor_at(frame, value.at, registry);
    case Kind::kTensorList: {
      c10::List<at::Tensor> list;
      for_each_item(spec, value, frame, [&](size_t at) {
        if (frame.at(at) == 0) throw BridgeError("Argument", spec.name + ": null is not allowed in this list of tensors");
        list.push_back(tensor_at(frame, at, registry));
      });
      return list;
    }
    case Kind::kOptionalTensorList: {
      c10::List<std::optional<at::Tensor>> list;
      for_each_item(spec, value, frame, [&](size_t at) {
        if (frame.at(at) == 0) list.push_back(std::nullopt);
        else list.push_back(tensor_at(frame, at, registry));
      });
      return list;
    }
    case Kind::kScalar: return scalar_at(value, value.at, frame);
    case Kind::kScalarList: {
      c10::List<c10::Scalar> list;
      for_each_item(spec, value, frame, [&](size_t at) { list.push_back(scalar_at(value, at, frame)); });
      // Boxed calls hold Scalar[] as a generic list.
      auto boxed = c10::impl::GenericList(c10::NumberType::get());
      for (size_t i = 0; i < list.size(); ++i) boxed.push_back(c10::IValue(list.get(i)));
      return boxed;
    }
    case Kind::kInt: return int_at(value, value.at, frame);
    case Kind::kIntList: {
      c10::List<int64_t> list;
      for_each_item(spec, value, frame, [&](size_t at) { list.push_back(int_at(value, at, frame)); });
      return list;
    }
    case Kind::kFloat: return frame.at(value.at);
    case Kind::kFloatList: {
      c10::List<double> list;
      for_each_item(spec, value, frame, [&](size_t at) { list.push_back(frame.at(at)); });
      return list;
    }
    case Kind::kBool: return frame.at(value.at) != 0;
    case Kind::kBoolList: {
      c10::List<bool> list;
      for_each_item(spec, value, frame, [&](size_t at) { list.push_back(frame.at(at) != 0); });
      return list;
    }
    case Kind::kString: return string_at(frame, value.at, registry).text;
    case Kind::kScalarType: return static_cast<int64_t>(*string_at(frame, value.at, registry).dtype);
    case Kind::kLayout: return static_cast<int64_t>(*string_at(frame, value.at, registry).layout);
    case Kind::kDevice: return *string_at(frame, value.at, registry).device;
    case Kind::kMemoryFormat: return static_cast<int64_t>(*string_at(frame, value.at, registry).memory_format);
    case Kind::kGenerator: {
      const auto found = registry.generators.find(static_cast<int64_t>(frame.at(value.at)));
      if (found == registry.generators.end()) throw BridgeError("Disposed", spec.name + ": the generator was disposed");
      return found->second;
    }
    case Kind::kUnsupported: break;
  }
  throw BridgeError("Argument", spec.name + ": values of this type cannot be passed from JavaScript");
}

std::string describe(const at::Tensor& tensor) {
  std::ostringstream text;
  text << '[';
  for (int64_t i = 0; i < tensor.dim(); ++i) text << (i > 0 ? ", " : "") << tensor.size(i);
  text << "] " << dtype_name(tensor.scalar_type());
  if (!tensor.is_cpu()) text << ' ' << tensor.device();
  return text.str();
}

std::string describe(const Value& value, const Frame& frame, const Registry& registry) {
  std::ostringstream text;
  switch (value.tag) {
    case Tag::kTensor: {
      const at::Tensor* tensor = registry.tensors.find(frame.at(value.at));
      return tensor != nullptr ? "a Tensor " + describe(*tensor) : "a disposed Tensor";
    }
    case Tag::kInt:
    case Tag::kDouble: text << frame.at(value.at); return text.str();
    case Tag::kBigInt: text << frame.bits_at(value.at) << 'n'; return text.str();
    case Tag::kBool: return frame.at(value.at) != 0 ? "true" : "false";
    case Tag::kString: return "'" + string_at(frame, value.at, registry).text.substr(0, 60) + "'";
    case Tag::kEmptyList: return "[]";
    case Tag::kGenerator: return "a Generator";
    case Tag::kComplex: return "a complex number";
    case Tag::kIntList:
    case Tag::kDoubleList:
    case Tag::kBoolList:
    case Tag::kBigIntList: {
      const size_t count = frame.count_at(value.at);
      text << '[';
      for (size_t i = 0; i < std::min<size_t>(count, 8); ++i) {
        if (i > 0) text << ", ";
        if (value.tag == Tag::kBigIntList) text << frame.bits_at(value.at + 1 + i) << 'n';
        else if (value.tag == Tag::kBoolList) text << (frame.at(value.at + 1 + i) != 0 ? "true" : "false");
        else text << frame.at(value.at + 1 + i);
      }
      text << (count > 8 ? ", …]" : "]");
      return text.str();
    }
    case Tag::kTensorList: return "a list of " + std::to_string(frame.count_at(value.at)) + " tensors";
    case Tag::kAbsent:
    case Tag::kArgument: break;
  }
  return "nothing";
}

size_t encoded_size(const c10::IValue& value) {
  if (value.isComplexDouble()) return 3;
  if (value.isTensorList()) return 2 + value.toTensorList().size();
  if (value.isIntList()) return 2 + value.toIntList().size();
  if (value.isDoubleList()) return 2 + value.toDoubleList().size();
  if (value.isBoolList()) return 2 + value.toBoolList().size();
  return 2;
}

namespace {

double new_handle(at::Tensor tensor, Registry& registry) {
  if (!tensor.defined()) return 0;
  const double handle = registry.tensors.insert(std::move(tensor));
  if (handle == 0) {
    throw BridgeError("OutOfMemory", "4194304 tensors are alive in this thread, which is the limit; use tidy() scopes");
  }
  return handle;
}

template <typename List, typename Item>
void encode_list(Tag tag, const List& list, Frame& frame, size_t& cursor, Item item) {
  if (list.empty()) {
    frame.data[cursor++] = static_cast<double>(Tag::kEmptyList);
    return;
  }
  frame.data[cursor++] = static_cast<double>(tag);
  frame.data[cursor++] = static_cast<double>(list.size());
  for (size_t i = 0; i < list.size(); ++i) frame.data[cursor++] = item(list.get(i));
}

void encode_int(int64_t value, Frame& frame, size_t& cursor) {
  constexpr int64_t kExact = int64_t{1} << 53;
  const bool exact = value > -kExact && value < kExact;
  frame.data[cursor++] = static_cast<double>(exact ? Tag::kInt : Tag::kBigInt);
  if (exact) frame.data[cursor] = static_cast<double>(value);
  else std::memcpy(frame.data + cursor, &value, sizeof value);
  ++cursor;
}

}  // namespace

void encode(const c10::IValue& value, Frame& frame, size_t& cursor, Registry& registry) {
  const auto put = [&](Tag tag, double payload) {
    frame.data[cursor++] = static_cast<double>(tag);
    frame.data[cursor++] = payload;
  };
  if (value.isTensor()) return put(Tag::kTensor, new_handle(value.toTensor(), registry));
  if (value.isInt()) return encode_int(value.toInt(), frame, cursor);
  if (value.isDouble()) return put(Tag::kDouble, value.toDouble());
  if (value.isBool()) return put(Tag::kBool, value.toBool() ? 1 : 0);
  if (value.isComplexDouble()) {
    const auto number = value.toComplexDouble();
    put(Tag::kComplex, number.real());
    frame.data[cursor++] = number.imag();
    return;
  }
  if (value.isSymInt()) return encode_int(value.toSymInt().expect_int(), frame, cursor);
  if (value.isTensorList()) {
    return encode_list(Tag::kTensorList, value.toTensorList(), frame, cursor,
                       [&](at::Tensor tensor) { return new_handle(std::move(tensor), registry); });
  }
  if (value.isIntList()) {
    return encode_list(Tag::kIntList, value.toIntList(), frame, cursor, [](int64_t n) { return static_cast<double>(n); });
  }
  if (value.isDoubleList()) {
    return encode_list(Tag::kDoubleList, value.toDoubleList(), frame, cursor, [](double x) { return x; });
  }
  if (value.isBoolList()) {
    return encode_list(Tag::kBoolList, value.toBoolList(), frame, cursor, [](bool b) { return b ? 1.0 : 0.0; });
  }
  put(Tag::kAbsent, 0);
}

}  // namespace vision_native
