# bcx_add_plugin(NAME SOURCES ... [LIBS ...] [MANIFEST file] [OUTPUT_DIRECTORY folder] [TORCH])
#
# Builds NAME.bcx.so from the sources and the manifest (default: plugin.toml beside the
# CMakeLists.txt), as target NAME_plugin. Within bcx's own tree it goes to lib/bcx/plugins, elsewhere
# to the folder's build folder, and `cmake --install build --prefix ~/.local` puts it where `bcx` looks.
#
# The file holds what the host reads before it loads anything: the section .bcx.manifest (the bytes
# of plugin.toml) and the section .bcx.abi (bcx/sdk/abi.h). It exports bcx_plugin_* alone and may
# leave no symbol unresolved. A plugin of kind "callback" is built without LibTorch unless TORCH is
# said: it compiles in a tenth of the time and runs with any LibTorch.

set(_bcx_plugin_parts ${CMAKE_CURRENT_LIST_DIR}/plugin)
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../framework/sdk/source/abi.cpp)
  set(_bcx_plugin_abi_source ${CMAKE_CURRENT_LIST_DIR}/../framework/sdk/source/abi.cpp)
else()
  set(_bcx_plugin_abi_source ${_bcx_plugin_parts}/abi.cpp) # installed
endif()

function(bcx_add_plugin name)
  cmake_parse_arguments(arg "TORCH" "MANIFEST;OUTPUT_DIRECTORY" "SOURCES;LIBS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "bcx_add_plugin(${name}): expected SOURCES ... [LIBS ...] [MANIFEST file] "
      "[OUTPUT_DIRECTORY folder] [TORCH], got: ${ARGN}")
  endif()
  if(NOT arg_MANIFEST)
    set(arg_MANIFEST plugin.toml)
  endif()
  cmake_path(ABSOLUTE_PATH arg_MANIFEST NORMALIZE)
  if(NOT EXISTS ${arg_MANIFEST})
    message(FATAL_ERROR "bcx_add_plugin(${name}): there is no manifest ${arg_MANIFEST}")
  endif()
  if(NOT arg_OUTPUT_DIRECTORY)
    if(PROJECT_NAME STREQUAL bcx)
      set(arg_OUTPUT_DIRECTORY ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/bcx/plugins)
      set_property(GLOBAL APPEND PROPERTY BCX_PLUGIN_TARGETS ${name}_plugin) # for the tests
      set(install_folder lib/bcx/plugins)
    else()
      set(arg_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
      set(install_folder share/bcx/plugins) # below ~/.local: $XDG_DATA_HOME/bcx/plugins
    endif()
  endif()
  file(STRINGS ${arg_MANIFEST} callback REGEX "^kind *= *\"callback\"")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_MANIFEST})

  set(target ${name}_plugin)
  _bcx_manifest_source(${name} ${arg_MANIFEST} manifest_source)
  add_library(${target} MODULE ${arg_SOURCES} ${manifest_source})
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX ".bcx.so" OUTPUT_NAME ${name}
    DEFINE_SYMBOL "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY}
    LINK_DEPENDS ${_bcx_plugin_parts}/plugin.map)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_options(${target} PRIVATE -Wl,--version-script,${_bcx_plugin_parts}/plugin.map
    -Wl,-z,defs -Wl,--build-id=sha1)
  if(TARGET bcx_options)
    target_link_libraries(${target} PRIVATE bcx_options)
  endif()
  if(callback AND NOT arg_TORCH)
    _bcx_plugin_abi(bcx_plugin_abi_without_torch OFF)
    target_link_libraries(${target} PRIVATE bcx_plugin_abi_without_torch bcx::sdk_headers ${arg_LIBS})
  else()
    _bcx_plugin_abi(bcx_plugin_abi ON)
    _bcx_use_torch(${target})
    target_link_libraries(${target} PRIVATE bcx_plugin_abi ${arg_LIBS})
  endif()
  if(install_folder)
    install(TARGETS ${target} LIBRARY DESTINATION ${install_folder})
  endif()
endfunction()

# The source that puts the manifest's bytes into a section; compiled again when they change.
function(_bcx_manifest_source name manifest result)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest.cpp)
  set(BCX_MANIFEST ${manifest})
  configure_file(${_bcx_plugin_parts}/manifest.cpp.in ${source} @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${manifest}
    SKIP_PRECOMPILE_HEADERS ON)
  set(${result} ${source} PARENT_SCOPE)
endfunction()

# The ABI block, compiled once for all plugins of a kind: it needs LibTorch's headers.
function(_bcx_plugin_abi target with_torch)
  if(TARGET ${target})
    return()
  endif()
  add_library(${target} OBJECT ${_bcx_plugin_abi_source})
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(TARGET bcx_options)
    target_link_libraries(${target} PRIVATE bcx_options)
  endif()
  if(with_torch)
    _bcx_use_torch(${target})
  else()
    target_compile_definitions(${target} PRIVATE BCX_WITHOUT_TORCH)
    target_link_libraries(${target} PRIVATE bcx::sdk_headers)
  endif()
endfunction()

# The SDK with LibTorch; in bcx's own tree with its precompiled header.
function(_bcx_use_torch target)
  target_link_libraries(${target} PRIVATE bcx::sdk)
  if(COMMAND bcx_use_torch_pch)
    bcx_use_torch_pch(${target})
  endif()
endfunction()
