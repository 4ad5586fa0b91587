# Everything that bcx uses and did not write.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS filesystem)
find_package(LibTorch REQUIRED)

# Debian's toml++ is headers alone.
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
add_library(bcx_tomlplusplus INTERFACE)
target_include_directories(bcx_tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR})

# OpenCV without find_package(OpenCV): its package file wants every module's -dev package, and
# bcx wants three. Only libbcx_images.so may link imgcodecs (140 libraries behind it).
find_path(OPENCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
foreach(module core imgproc imgcodecs)
  find_library(OPENCV_${module}_LIBRARY opencv_${module} REQUIRED)
  add_library(opencv_${module} UNKNOWN IMPORTED)
  set_target_properties(opencv_${module} PROPERTIES
    IMPORTED_LOCATION ${OPENCV_${module}_LIBRARY}
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${OPENCV_INCLUDE_DIR}
    INTERFACE_INCLUDE_DIRECTORIES ${OPENCV_INCLUDE_DIR})
endforeach()

# One precompiled header for all torch-side targets: torch/torch.h costs 21-28 s a file without it.
add_library(bcx_torch_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/torch_pch.cpp)
target_link_libraries(bcx_torch_pch PRIVATE bcx_options LibTorch::LibTorch)
target_precompile_headers(bcx_torch_pch PRIVATE <torch/torch.h>)

# bcx_use_torch_pch(TARGET): links LibTorch privately and reuses the precompiled header.
function(bcx_use_torch_pch target)
  target_link_libraries(${target} PRIVATE LibTorch::LibTorch)
  target_precompile_headers(${target} REUSE_FROM bcx_torch_pch)
  # LibTorch's include folder brings a newer fmt than the system's library, and it is found first.
  target_compile_definitions(${target} PRIVATE FMT_HEADER_ONLY)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE") # -fPIE, CMake's choice, would leave the -fPIC header unused
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()
