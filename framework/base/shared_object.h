// Shared libraries opened while the process runs: once each, never closed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bcx {

/// The folder that this process loaded libbcx_base.so from: the other libraries of bcx lie beside
/// it.
std::filesystem::path library_folder();

/// Address of `symbol` in the library at `file` (an absolute path), which is opened at the first
/// call with all its symbols resolved and none of them visible to others.
///
/// Libraries stay open until the process ends and are not closed even then: threads, registered
/// operators and objects of theirs may outlive every static object of ours. Any thread.
///
/// Throws bcx::Error with `code`, the file and the loader's own words when the library cannot be
/// opened (a library it needs is missing, say) or has no such symbol. Static constructors run at
/// the first call: whoever does not trust the file checks it before.
void* load_symbol(const std::filesystem::path& file, const std::string& symbol, ExitCode code);

/// The same for one of bcx's own libraries that are opened on demand: `bcx_engine` is
/// libbcx_engine.so in library_folder().
///
///     auto* open = reinterpret_cast<ImageCodec* (*)()>(load_host_symbol("bcx_images",
///     "bcx_images_open"));
void* load_host_symbol(std::string_view library, const std::string& symbol);

}  // namespace bcx
