# What `cmake --install` adds to the targets: headers, cmake files, the package for find_package(bcx).
# The tree may be moved. The build tree is a package too: find_package(bcx PATHS build).
#
#   include/bcx/sdk/                 what plugins see
#   include/bcx/{base,config,...}/   what a program sees that uses bcx as a library; no LibTorch
#   lib/cmake/bcx/                   bcxConfig.cmake, bcx_add_plugin(), FindLibTorch.cmake

include(CMakePackageConfigHelpers)
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/bcx)
set(_build_package ${PROJECT_BINARY_DIR}/${_package})

install(DIRECTORY ${PROJECT_SOURCE_DIR}/framework/sdk/include/bcx DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# The layers without LibTorch, and the engine's facade. In this tree they include each other from the
# layers' common folder ("config/params.h"), which would collide with other people's folders: in the
# installed tree they say "bcx/config/params.h".
set(_layers base config data eval plugin weights)
foreach(layer ${_layers})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/framework/${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bcx
    FILES_MATCHING PATTERN "*.h" PATTERN images EXCLUDE PATTERN facts_json.h EXCLUDE)
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tracker DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bcx
  FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/framework/engine/engine.h ${PROJECT_SOURCE_DIR}/framework/engine/inference.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bcx/engine)
install(FILES ${PROJECT_SOURCE_DIR}/framework/train/observer.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bcx/train)
list(APPEND _layers tracker engine train)
list(JOIN _layers "|" _layer_pattern)
install(CODE "
  file(GLOB_RECURSE headers \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/bcx/*.h\")
  foreach(header \${headers})
    file(READ \${header} text)
    string(REGEX REPLACE \"#include \\\"(${_layer_pattern})/\" \"#include \\\"bcx/\\\\1/\" fitted \"\${text}\")
    if(NOT fitted STREQUAL text)
      file(WRITE \${header} \"\${fitted}\")
    endif()
  endforeach()")

# The same names for programs that build against the build tree.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/bcx)
foreach(layer ${_layers})
  set(folder ${PROJECT_SOURCE_DIR}/framework/${layer})
  if(layer STREQUAL tracker)
    set(folder ${PROJECT_SOURCE_DIR}/tracker)
  endif()
  file(CREATE_LINK ${folder} ${PROJECT_BINARY_DIR}/include/bcx/${layer} SYMBOLIC)
endforeach()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/bcxConfig.cmake.in ${_build_package}/bcxConfig.cmake
  INSTALL_DESTINATION ${_package} NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Plugins are compatible with the exact build alone, which their ABI block says; the package's version
# is about the sources, compatible within a minor version.
write_basic_package_version_file(${_build_package}/bcxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
set(_files ${CMAKE_CURRENT_LIST_DIR}/bcx_add_plugin.cmake ${CMAKE_CURRENT_LIST_DIR}/FindLibTorch.cmake)
set(_parts ${CMAKE_CURRENT_LIST_DIR}/plugin/manifest.cpp.in ${CMAKE_CURRENT_LIST_DIR}/plugin/plugin.map
  ${PROJECT_SOURCE_DIR}/framework/sdk/source/abi.cpp)
install(FILES ${_build_package}/bcxConfig.cmake ${_build_package}/bcxConfigVersion.cmake ${_files} DESTINATION ${_package})
install(FILES ${_parts} DESTINATION ${_package}/plugin)
install(EXPORT bcxTargets NAMESPACE bcx:: DESTINATION ${_package})

export(EXPORT bcxTargets NAMESPACE bcx:: FILE ${_build_package}/bcxTargets.cmake)
file(MAKE_DIRECTORY ${_build_package}/plugin)
foreach(file ${_files})
  configure_file(${file} ${_build_package} COPYONLY)
endforeach()
foreach(file ${_parts})
  configure_file(${file} ${_build_package}/plugin COPYONLY)
endforeach()
