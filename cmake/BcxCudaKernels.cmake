# bcx_cuda_kernels(TARGET SOURCES ... [STATIC_RUNTIME]): compiles .cu files into a target where nvcc
# is found, and defines BCX_CUDA_KERNELS for it then. Without nvcc the target does without them. By a
# command of our own, since CMake's language CUDA would make nvcc a condition of configuring. The
# runtime is the one that LibTorch brings; with STATIC_RUNTIME a copy of it is linked, which looks for
# the driver when a kernel is first launched: the target loads where no part of CUDA is.

find_program(BCX_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin /usr/local/cuda/bin)
if(BCX_NVCC)
  file(REAL_PATH ${BCX_NVCC} _nvcc)
  cmake_path(GET _nvcc PARENT_PATH _nvcc)
  find_library(BCX_CUDART_STATIC cudart_static HINTS ${_nvcc}/../lib64 ${_nvcc}/../lib)
endif()
# Binaries for Turing, Ampere (Ada runs them, too) and Hopper; later ones compile the last one's PTX.
set(BCX_CUDA_ARCHITECTURES 75 80 90 CACHE STRING "Compute capabilities of the CUDA kernels, ascending")

function(bcx_cuda_kernels target)
  cmake_parse_arguments(arg "STATIC_RUNTIME" "" "SOURCES" ${ARGN})
  if(NOT BCX_NVCC OR (arg_STATIC_RUNTIME AND NOT BCX_CUDART_STATIC))
    message(STATUS "bcx: no nvcc or no runtime beside it, ${target} is built without its own kernels")
    return()
  endif()
  foreach(architecture ${BCX_CUDA_ARCHITECTURES})
    list(APPEND code -gencode arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  list(GET BCX_CUDA_ARCHITECTURES -1 newest)
  list(APPEND code -gencode arch=compute_${newest},code=compute_${newest})
  foreach(source ${arg_SOURCES})
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE file)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${source}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${BCX_NVCC} -std=c++17 -O3 -Xcompiler=-fPIC,-Wall,-Wextra ${code} -I${PROJECT_SOURCE_DIR}/framework
        -isystem ${LibTorch_INCLUDE_DIR} -MD -MF ${object}.d -c ${file} -o ${object}
      DEPENDS ${file} DEPFILE ${object}.d VERBATIM COMMENT "Building CUDA kernels ${source}")
    target_sources(${target} PRIVATE ${object})
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  endforeach()
  target_compile_definitions(${target} PRIVATE BCX_CUDA_KERNELS)
  if(arg_STATIC_RUNTIME)
    target_link_libraries(${target} PRIVATE ${BCX_CUDART_STATIC} rt dl Threads::Threads)
  endif()
endfunction()
