# libvision_native_cuda.so: kernels in .cu files, compiled by nvcc without ATen in seconds, and the .cc files that
# register them with LibTorch, compiled by the host compiler.
#
# CMake's own CUDA support wants a complete toolkit; the one that pip installs has no unversioned libraries. Calling nvcc
# by rule works with both.
#   VISION_NATIVE_NVCC    nvcc (default: the one on PATH)
#   VISION_NATIVE_NCCL    folder of nccl.h; the library itself comes with LibTorch's CUDA part
#   VISION_NATIVE_SM      architectures of machine code; PTX is added for the last of them

find_program(VISION_NATIVE_NVCC nvcc DOC "nvcc of CUDA 13.0")
if(NOT VISION_NATIVE_NVCC)
  message(FATAL_ERROR "nvcc was not found; run `npm run build:cuda`, which sets it up, or pass -DVISION_NATIVE_NVCC=<path>")
endif()
set(VISION_NATIVE_NCCL "" CACHE PATH "Folder of nccl.h")
set(VISION_NATIVE_SM "90" CACHE STRING "GPU architectures, such as 75;80;86;89;90")

get_filename_component(CUDA_HOME "${VISION_NATIVE_NVCC}" REALPATH)
get_filename_component(CUDA_HOME "${CUDA_HOME}" DIRECTORY)
get_filename_component(CUDA_HOME "${CUDA_HOME}" DIRECTORY)
find_path(CUDA_INCLUDE cuda_runtime_api.h HINTS "${CUDA_HOME}/include" "${CUDA_HOME}/targets/x86_64-linux/include"
  REQUIRED NO_DEFAULT_PATH)
find_file(CUDART libcudart.so.13 HINTS "${CUDA_HOME}/lib" "${CUDA_HOME}/lib64" "${CUDA_HOME}/targets/x86_64-linux/lib"
  REQUIRED NO_DEFAULT_PATH)
get_filename_component(CUDART_FOLDER "${CUDART}" DIRECTORY)

set(ARCHITECTURES "")
foreach(sm ${VISION_NATIVE_SM})
  list(APPEND ARCHITECTURES -gencode "arch=compute_${sm},code=sm_${sm}")
  set(newest ${sm})
endforeach()
list(APPEND ARCHITECTURES -gencode "arch=compute_${newest},code=compute_${newest}")

# --fmad=false: the CPU kernels do not contract to fused multiply-adds either, and results should be the same.
# --compress-mode=size: a third of the bytes of the default, which decompress once, when a kernel is first used.
set(NVCC_FLAGS -std=c++20 -O3 -DNDEBUG --cudart none --fmad=false --expt-relaxed-constexpr --compress-mode=size
  -Xcompiler -fPIC,-fvisibility=hidden,-Wall ${ARCHITECTURES} "-I${CMAKE_SOURCE_DIR}/native")

file(GLOB CUDA_KERNELS CONFIGURE_DEPENDS native/cuda/*.cu)
file(GLOB CUDA_HOST_SOURCES CONFIGURE_DEPENDS native/cuda/*.cc)
set(CUDA_OBJECTS "")
foreach(source ${CUDA_KERNELS})
  get_filename_component(name "${source}" NAME)
  set(object "${CMAKE_BINARY_DIR}/cuda/${name}.o")
  add_custom_command(
    OUTPUT "${object}"
    COMMAND "${VISION_NATIVE_NVCC}" ${NVCC_FLAGS} -MD -MF "${object}.d" -c "${source}" -o "${object}"
    DEPENDS "${source}" "${VISION_NATIVE_NVCC}"
    DEPFILE "${object}.d"
    COMMENT "Compiling native/cuda/${name}"
    VERBATIM)
  list(APPEND CUDA_OBJECTS "${object}")
endforeach()
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/cuda")

add_library(vision_native_cuda SHARED ${CUDA_HOST_SOURCES} ${CUDA_OBJECTS})
set_source_files_properties(${CUDA_OBJECTS} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
target_include_directories(vision_native_cuda SYSTEM PRIVATE "${CUDA_INCLUDE}" "${VISION_NATIVE_NCCL}")
set_property(SOURCE native/cuda/nccl.cc APPEND PROPERTY COMPILE_DEFINITIONS USE_C10D_NCCL)
set_property(SOURCE native/cuda/nccl.cc APPEND PROPERTY INCLUDE_DIRECTORIES "${CMAKE_SOURCE_DIR}/native/cuda/handles")
# At run time libtorch_cuda.so is there; where LibTorch was set up for the CPU it is not, and an empty library of its name
# serves the linker, which asks of a shared library only that the names it needs exist when it is opened.
set(TORCH_CUDA "${LIBTORCH}/lib/libtorch_cuda.so")
if(NOT EXISTS "${TORCH_CUDA}")
  file(WRITE "${CMAKE_BINARY_DIR}/stub/torch_cuda.cc" "")
  add_library(torch_cuda_stub SHARED "${CMAKE_BINARY_DIR}/stub/torch_cuda.cc")
  set_target_properties(torch_cuda_stub PROPERTIES
    OUTPUT_NAME torch_cuda LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/stub")
  set(TORCH_CUDA torch_cuda_stub)
  # The names it holds are looked up when it is opened; as-needed would drop a library that has none of them.
  target_link_options(vision_native_cuda PRIVATE -Wl,--no-as-needed)
endif()
# The runtime library has no unversioned name in pip's toolkit, so it is linked by the SONAME that LibTorch uses.
target_link_libraries(vision_native_cuda PRIVATE
  vision_native_ops "${LIBTORCH}/lib/libc10_cuda.so" ${TORCH_CUDA} "-L${CUDART_FOLDER}" -l:libcudart.so.13)
# LibTorch's CUDA wheel needs its sibling packages at run time only.
target_link_options(vision_native_cuda PRIVATE -Wl,-z,nodelete -Wl,-z,noexecstack)
set_target_properties(vision_native_cuda PROPERTIES
  BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN" INSTALL_RPATH_USE_LINK_PATH OFF)
