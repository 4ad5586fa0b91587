// What commands that make runs write down about themselves, and how they show the result.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bcx::cli {

/// HEAD of the working folder's repository, `-dirty` behind it with changes; empty without git.
std::string git_commit();

/// This process's command line, quoted so that a shell takes it again.
std::string command_line();

/// The final evaluation's main figures on standard output, with and without test-time augmentation
/// beside each other.
void print_test_figures(const std::vector<std::pair<std::string, double>>& metrics);

}  // namespace bcx::cli
