#pragma once
// LibTorch names these in declarations; pip's toolkit is used without the library that defines them.
using cublasHandle_t = struct cublasContext*;
enum cublasStatus_t : int;
