# Finds LibTorch inside a PyPI wheel's folder, without torch's own package file (that one demands
# a CUDA toolkit even for a CPU build).
#
# Looked for in: LIBTORCH_ROOT (a folder that holds torch/), then the cache folder that
# tools/setup fills. Defines
#   LibTorch::LibTorch   libtorch_cpu and libc10; CUDA's part is opened on demand, so that one
#                        build runs with and without a GPU
#   LibTorch_CUDA_FOUND  CUDA's headers and libtorch_cuda are there: libbcx_cuda.so can be built
#   LibTorch::CUDA       libtorch_cuda and libc10_cuda with those headers, for libbcx_cuda.so only

set(_bcx_cache "$ENV{XDG_CACHE_HOME}")
if(NOT _bcx_cache)
  set(_bcx_cache "$ENV{HOME}/.cache")
endif()
set(LIBTORCH_ROOT "${_bcx_cache}/bcx/libtorch-2.11.0" CACHE PATH "Folder that holds torch/ (a wheel's content)")

find_path(LibTorch_INCLUDE_DIR ATen/ATen.h PATHS ${LIBTORCH_ROOT}/torch/include NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
find_library(LibTorch_CUDA_LIBRARY torch_cuda PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda PATHS ${LIBTORCH_ROOT}/torch/lib NO_DEFAULT_PATH)
# crt/ comes in a wheel of its own, and no header of the runtime compiles without it.
find_path(LibTorch_CUDA_INCLUDE_DIR crt/host_config.h
  PATHS ${LIBTORCH_ROOT}/nvidia/cu13/include /usr/local/cuda/include NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/setup, which fetches it, or pass -DLIBTORCH_ROOT=<folder that holds torch/>")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  set(_includes ${LibTorch_INCLUDE_DIR} ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  get_filename_component(LibTorch_LIBRARY_DIR ${LibTorch_CPU_LIBRARY} DIRECTORY)

  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${_includes})
  # Without OpenMP at::parallel_for, a template in a header, is serial and does not say so.
  target_compile_options(LibTorch::LibTorch INTERFACE -fopenmp)
  # libtorch_cpu is kept although its symbols are partly reached through c10 alone: its static
  # constructors register the operators.
  target_link_options(LibTorch::LibTorch INTERFACE
    -fopenmp -Wl,--no-as-needed ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY} -Wl,--as-needed
    -Wl,--unresolved-symbols=ignore-in-shared-libs -Wl,-rpath,${LibTorch_LIBRARY_DIR})

  if(LibTorch_CUDA_LIBRARY AND LibTorch_C10_CUDA_LIBRARY AND LibTorch_CUDA_INCLUDE_DIR)
    set(LibTorch_CUDA_FOUND TRUE)
    add_library(LibTorch::CUDA INTERFACE IMPORTED)
    target_include_directories(LibTorch::CUDA SYSTEM INTERFACE ${LibTorch_CUDA_INCLUDE_DIR})
    target_link_libraries(LibTorch::CUDA INTERFACE LibTorch::LibTorch)
    target_link_options(LibTorch::CUDA INTERFACE
      -Wl,--no-as-needed ${LibTorch_CUDA_LIBRARY} ${LibTorch_C10_CUDA_LIBRARY} -Wl,--as-needed)
  endif()
endif()
