#pragma once
// LibTorch names this in declarations; pip's toolkit is used without the library that defines it.
using cublasLtHandle_t = struct cublasLtContext*;
