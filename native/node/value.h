#pragma once
// Values of calls: from the frame to IValues by the types of a schema, and results back.
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/frame.h"
#include "node/handles.h"

namespace vision_native {

/// What an argument of a schema takes. Optional types are the same kind with `ArgumentSpec::optional`.
enum class Kind {
  kTensor,
  kTensorList,
  kOptionalTensorList,
  kScalar,
  kScalarList,
  kInt,
  kIntList,
  kFloat,
  kFloatList,
  kBool,
  kBoolList,
  kString,
  kScalarType,
  kLayout,
  kDevice,
  kMemoryFormat,
  kGenerator,
  kUnsupported,
};

struct ArgumentSpec {
  std::string name;
  Kind kind = Kind::kUnsupported;
  bool optional = false;
  /// Length of a list type that a single value may stand for, as in `int[2]`; 0 for the others.
  int fixed = 0;
  /// The classes of values it takes, a set of bits of `Value::classes`.
  uint32_t accepts = 0;

  static ArgumentSpec of(const c10::Argument& argument);
};

/// A string of calls with all it may mean.
struct InternedString {
  std::string text;
  std::optional<c10::ScalarType> dtype;
  std::optional<c10::Layout> layout;
  std::optional<c10::Device> device;
  std::optional<c10::MemoryFormat> memory_format;

  explicit InternedString(std::string text);
};

/// What calls of one environment may refer to by number.
struct Registry {
  HandleTable tensors;
  std::vector<InternedString> strings;
  std::unordered_map<int64_t, at::Generator> generators;
  int64_t next_generator = 1;
};

/// A value of the frame, not yet converted: where it is, and the classes it belongs to.
struct Value {
  // Not initialised: calls keep arrays of these on the stack and fill what they use.
  Tag tag;
  size_t at;
  uint32_t classes;

  /// Reads the value at `cursor` and moves the cursor past it.
  static Value read(const Frame& frame, size_t& cursor, const Registry& registry);
};

/// The value as the argument's type wants it. The value must be accepted by the argument.
c10::IValue convert(const ArgumentSpec& spec, const Value& value, const Frame& frame, const Registry& registry);

/// "a Tensor [2, 3] float32", "1.5", … for error messages.
std::string describe(const Value& value, const Frame& frame, const Registry& registry);
std::string describe(const at::Tensor& tensor);

/// Doubles that the result takes in the frame.
size_t encoded_size(const c10::IValue& value);
/// Writes a result at `cursor`; tensors become new handles.
void encode(const c10::IValue& value, Frame& frame, size_t& cursor, Registry& registry);

}  // namespace vision_native
