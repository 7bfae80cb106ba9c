/** The LibTorch that the binaries are compiled against: its C++ interface changes with every minor version. */
export const LIBTORCH_VERSION = '2.11.0'

/** CUDA version of that LibTorch. A CPU-only build of the same version serves as well, without CUDA. */
export const LIBTORCH_CUDA = '13.0'

/** Major number of `LIBTORCH_CUDA`: what the SONAMEs of the CUDA libraries carry. */
export const CUDA_MAJOR = LIBTORCH_CUDA.split('.')[0] ?? LIBTORCH_CUDA
