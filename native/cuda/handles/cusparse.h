#pragma once
// LibTorch names these in declarations; pip's toolkit is used without the library that defines them.
using cusparseHandle_t = struct cusparseContext*;
enum cusparseStatus_t : int;
