// Calls every operator of the library at random shapes, dtypes, layouts and numbers, for builds with sanitizers.
//
//   operators SECONDS SEED [--planted]  < examples
//
// Examples come from tools/sanitize.ts, an operator as a line `op NAME` and a line for each argument of its schema:
// `tensor DTYPE LOW HIGH RANK SIZES…` (DTYPE `any` for one that may vary), `int N`, `float X`, `bool 0|1`, `string TEXT`,
// `ints COUNT N…`, `bools COUNT B…`, `none`, `default`, and `call`. A tensor of multiples of 1/16 is made for each call.
// With --planted the storage of a tensor is shorter than it says: the sanitizer must report what the kernel reads.
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Argument {
  std::string kind;
  std::vector<std::string> words;
};

struct Example {
  std::string name;
  std::vector<Argument> arguments;
};

std::vector<Example> read_examples(std::istream& in) {
  std::vector<Example> examples;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Argument argument;
    words >> argument.kind;
    for (std::string word; words >> word;) argument.words.push_back(word);
    if (argument.kind == "op") examples.push_back({argument.words.at(0), {}});
    else if (argument.kind != "call") examples.back().arguments.push_back(argument);
  }
  return examples;
}

const std::map<std::string, at::ScalarType> kDTypes = {
    {"float16", at::kHalf}, {"bfloat16", at::kBFloat16}, {"float32", at::kFloat}, {"float64", at::kDouble},
    {"uint8", at::kByte},   {"int32", at::kInt},         {"int64", at::kLong},    {"bool", at::kBool}};

/// One call: everything random about it.
class Call {
 public:
  /// @param first the example as it stands, in float32: every operator takes that
  Call(const Example& example, uint64_t seed, bool first, bool planted)
      : example_(example), random_(seed), planted_(planted) {
    const at::ScalarType any[] = {at::kFloat, at::kFloat, at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kByte};
    dtype_ = first ? at::kFloat : any[below(std::size(any))];
    changes_ = !first && below(4) != 0;
  }

  /// Whether the operator took it.
  bool run() {
    const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(("vision_native::" + example_.name).c_str(), "");
    torch::jit::Stack stack;
    const auto& schema = op.schema().arguments();
    for (size_t i = 0; i < schema.size(); ++i) stack.push_back(value(example_.arguments.at(i), schema[i]));
    c10::NoGradGuard no_grad;
    try {
      op.callBoxed(&stack);
      return true;
    } catch (const c10::Error&) {
      return false;
    }
  }

 private:
  uint64_t below(uint64_t n) { return random_() % n; }

  /// A size becomes another one wherever it stands, so that tensors that agreed go on to agree.
  int64_t size(int64_t given) {
    if (!changes_) return given;
    const auto [known, fresh] = sizes_.try_emplace(given, given);
    if (fresh && below(3) == 0) known->second = static_cast<int64_t>(below(4) == 0 ? below(3) : below(40));
    return below(60) == 0 ? static_cast<int64_t>(below(10)) : known->second;
  }

  int64_t integer(int64_t given) { return !changes_ || below(12) != 0 ? given : static_cast<int64_t>(below(9)) - 2; }

  /// @param boxes whether rows of five begin with the number of an image; most calls get one that is there
  at::Tensor tensor(const std::vector<std::string>& words, bool boxes) {
    const at::ScalarType dtype = words[0] == "any" ? dtype_ : kDTypes.at(words[0]);
    const double low = std::stod(words[1]), high = std::stod(words[2]);
    std::vector<int64_t> shape(std::stoul(words[3]));
    for (size_t i = 0; i < shape.size(); ++i) shape[i] = size(std::stoll(words[4 + i]));
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    const int64_t steps = c10::isFloatingType(dtype) ? 16 : 1;
    const auto range = static_cast<uint64_t>((high - low) * static_cast<double>(steps)) + 1;
    at::Tensor made = at::empty(shape, at::kDouble);
    double* values = made.mutable_data_ptr<double>();
    for (int64_t i = 0; i < count; ++i) values[i] = low + static_cast<double>(below(range)) / static_cast<double>(steps);
    if (boxes && shape.size() == 2 && shape[1] == 5 && below(8) != 0) {
      for (int64_t i = 0; i < count; i += shape[1]) values[i] = 0;
    }
    return laid_out(made.to(dtype));
  }

  /// The same values in memory of its own that ends where they end, in some order of dimensions or with gaps.
  at::Tensor laid_out(const at::Tensor& dense) {
    if (planted_ && !has_planted_ && dense.is_floating_point() && dense.numel() > 8) {
      has_planted_ = true;
      return in_own_memory(dense, dense.numel() / 2);
    }
    const uint64_t layout = planted_ ? 0 : below(4);
    if (layout == 1 && dense.dim() >= 2) return in_own_memory(dense.transpose(-1, -2)).transpose(-1, -2);
    if (layout == 2 && dense.dim() >= 3) return in_own_memory(dense.movedim(1, -1)).movedim(-1, 1);
    if (layout == 3 && dense.dim() >= 1) {
      std::vector<int64_t> wide = dense.sizes().vec();
      wide.back() *= 2;
      at::Tensor gaps = in_own_memory(at::empty(wide, dense.options()).zero_());
      at::Tensor view = gaps.slice(-1, 0, wide.back(), 2);
      view.copy_(dense);
      return view;
    }
    return in_own_memory(dense);
  }

  /// malloc, not LibTorch's allocator, whose blocks are padded: a read behind the end is then one behind a block.
  static at::Tensor in_own_memory(const at::Tensor& given, int64_t held = -1) {
    const at::Tensor dense = given.contiguous();
    const size_t bytes = static_cast<size_t>(held < 0 ? dense.numel() : held) * dense.element_size();
    void* memory = std::malloc(bytes == 0 ? 1 : bytes);
    if (bytes > 0) std::memcpy(memory, dense.const_data_ptr(), bytes);
    return at::from_blob(memory, dense.sizes(), std::free, dense.options());
  }

  c10::IValue value(const Argument& given, const c10::Argument& schema) {
    const std::vector<std::string>& words = given.words;
    if (given.kind == "tensor") return tensor(words, schema.name() == "boxes");
    if (given.kind == "int") return integer(std::stoll(words[0]));
    if (given.kind == "float") return std::stod(words[0]);
    if (given.kind == "bool") return words[0] == "1";
    if (given.kind == "string") return words[0];
    if (given.kind == "none") return {};
    if (given.kind == "default") return schema.default_value().value_or(c10::IValue());
    if (given.kind == "ints") {
      c10::List<int64_t> list;
      for (size_t i = 1; i < words.size(); ++i) list.push_back(integer(std::stoll(words[i])));
      // int[2] takes one number for both, which only unboxed calls spread.
      const auto wanted = static_cast<size_t>(schema.N().value_or(1));
      while (list.size() >= 1 && list.size() < wanted) list.push_back(list.get(0));
      return list;
    }
    if (given.kind == "bools") {
      c10::List<bool> list;
      for (size_t i = 1; i < words.size(); ++i) list.push_back(words[i] == "1");
      return list;
    }
    throw std::invalid_argument("unknown kind of argument: " + given.kind);
  }

  const Example& example_;
  std::mt19937_64 random_;
  const bool planted_;
  bool has_planted_ = false;
  at::ScalarType dtype_;
  /// Of sizes and of whole numbers.
  bool changes_;
  std::map<int64_t, int64_t> sizes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: operators SECONDS SEED [--planted] < examples\n"), 2;
  const double seconds = std::stod(argv[1]);
  uint64_t seed = std::stoull(argv[2]);
  const bool planted = argc > 3 && std::strcmp(argv[3], "--planted") == 0;
  const std::vector<Example> examples = read_examples(std::cin);
  std::map<std::string, std::pair<int64_t, int64_t>> outcomes;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  bool first = true;
  do {
    for (const Example& example : examples) {
      bool taken = Call(example, seed++, first, planted).run();
      // Some refuse values that an example may draw, such as the number of an image that is not in the batch.
      for (int again = 0; first && !taken && again < 20; ++again) taken = Call(example, seed++, first, planted).run();
      auto& [ran, refused] = outcomes[example.name];
      ++(taken ? ran : refused);
    }
    first = false;
  } while (!planted && elapsed() < seconds);
  for (const auto& [name, counts] : outcomes) {
    std::printf("%-40s %7ld ran %7ld refused\n", name.c_str(), static_cast<long>(counts.first),
                static_cast<long>(counts.second));
  }
  for (const auto& [name, counts] : outcomes) {
    if (counts.first == 0) return std::fprintf(stderr, "%s never ran\n", name.c_str()), 1;
  }
  return 0;
}
