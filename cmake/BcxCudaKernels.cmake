# bcx_cuda_kernels(TARGET SOURCES...): compiles .cu files into a target where nvcc is found, and
# defines BCX_CUDA_KERNELS for it then. Without nvcc the target does without them. By a command of
# our own, since CMake's language CUDA would make nvcc a condition of configuring; the runtime is
# the one that LibTorch brings.

find_program(BCX_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin /usr/local/cuda/bin)
# Binaries for Turing, Ampere (Ada runs them, too) and Hopper; later ones compile the last one's PTX.
set(BCX_CUDA_ARCHITECTURES 75 80 90 CACHE STRING "Compute capabilities of the CUDA kernels, ascending")

function(bcx_cuda_kernels target)
  if(NOT BCX_NVCC)
    message(STATUS "bcx: no nvcc, ${target} is built without its own kernels")
    return()
  endif()
  foreach(architecture ${BCX_CUDA_ARCHITECTURES})
    list(APPEND code -gencode arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  list(GET BCX_CUDA_ARCHITECTURES -1 newest)
  list(APPEND code -gencode arch=compute_${newest},code=compute_${newest})
  foreach(source ${ARGN})
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE file)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${source}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${BCX_NVCC} -std=c++17 -O3 -Xcompiler=-fPIC,-Wall,-Wextra ${code} -I${PROJECT_SOURCE_DIR}/framework
        -MD -MF ${object}.d -c ${file} -o ${object}
      DEPENDS ${file} DEPFILE ${object}.d VERBATIM COMMENT "Building CUDA kernels ${source}")
    target_sources(${target} PRIVATE ${object})
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  endforeach()
  target_compile_definitions(${target} PRIVATE BCX_CUDA_KERNELS)
endfunction()
