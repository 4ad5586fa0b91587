# bcx_add_plugin(NAME SOURCES ... [LIBS ...] [PCH])
# Builds lib/bcx/plugins/NAME.bcx.so from the sources and the folder's plugin.toml.
# (Being completed: ABI and manifest sections, version script.)
function(bcx_add_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name}_plugin MODULE ${arg_SOURCES})
  set_target_properties(${name}_plugin PROPERTIES PREFIX "" SUFFIX ".bcx.so" OUTPUT_NAME ${name}
    DEFINE_SYMBOL "" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/bcx/plugins)
  target_link_libraries(${name}_plugin PRIVATE bcx_options bcx_sdk ${arg_LIBS})
endfunction()
