#include "node/errors.h"

#include <c10/util/Exception.h>

#include <array>
#include <new>
#include <string_view>

#include "torch/run_context.h"

namespace vision_native {

namespace {

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  for (auto word : words) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

/// LibTorch has one exception class for nearly everything; what it is about stands in the text alone.
const char* kind_of_message(std::string_view text) {
  // Gloo's own exceptions, whose class is not known here.
  if (contains_any(text, {"gloo/", "Connection closed by peer", "Connection reset by peer"})) return "Distributed";
  if (contains_any(text, {"same device", "on device", "device type", "CUDA", "Cannot access data pointer of Tensor that",
                          "Meta tensor", "meta tensor", "'Meta' backend", "backend"})) {
    return "Device";
  }
  if (contains_any(text, {"dtype", "scalar type", "not implemented for '", "result type", "data type", "floating point",
                          "floating-point", "integral", "complex", "boolean", "Boolean", "bool tensor", "type Long",
                          "must be float", "Float", "Integer"})) {
    return "DType";
  }
  if (contains_any(text, {"can't allocate memory", "out of memory", "exceeds the limit"})) return "OutOfMemory";
  if (contains_any(text, {"size", "Size", "shape", "Shape", "dimension", "Dimension", "dim", "rank", "broadcast",
                          "D tensor", "-D", "1D", "2D", "3D", "4D", "5D", "numel", "elements", "square", "matri", "vector",
                          "channels", "stride", "length", "empty", "non-empty", "scalar", "input", "kernel", "padding"})) {
    return "Shape";
  }
  return "Operator";
}

}  // namespace

Failure current_failure() {
  try {
    throw;
  } catch (const BridgeError& error) {
    return error.failure();
  } catch (const Cancelled& error) {
    return {"Cancelled", error.what()};
  } catch (const c10::OutOfMemoryError& error) {
    return {"OutOfMemory", error.what_without_backtrace()};
  } catch (const c10::IndexError& error) {
    return {"Argument", error.what_without_backtrace()};
  } catch (const c10::TypeError& error) {
    return {"DType", error.what_without_backtrace()};
  } catch (const c10::ValueError& error) {
    return {"Argument", error.what_without_backtrace()};
  } catch (const c10::NotImplementedError& error) {
    return {kind_of_message(error.what_without_backtrace()), error.what_without_backtrace()};
  } catch (const c10::DistError& error) {
    return {"Distributed", error.what_without_backtrace()};
  } catch (const c10::Error& error) {
    return {kind_of_message(error.what_without_backtrace()), error.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    return {"OutOfMemory", "the machine has no memory left for this"};
  } catch (const std::exception& error) {
    return {kind_of_message(error.what()), error.what()};
  } catch (...) {
    return {"Operator", "an exception of unknown type"};
  }
}

}  // namespace vision_native
