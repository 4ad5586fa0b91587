#include <cstdio>
#include <memory>
#include <string>

#include "base/shell.h"
#include "tests/catch.h"

using namespace bcx;

TEST_CASE("plain words stay as they are") {
  for (const char* word : {"bcx", "--set", "train.batch_size=16,32", "a/b-c.toml", "50%", "@last"})
    CHECK(shell_word(word) == word);
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("") == "''");
}

TEST_CASE("a shell reads back each word as it was") {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& word :
       {all, std::string("$HOME `id` \"x\" \\ 'y' ~ # ; & | < > ( ) * ? [ ] { } !"),
        std::string("-n\n\ttwo\nlines"), std::string("ä 漢"), std::string("=ls")}) {
    const auto command = "printf %s " + shell_word(word);
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string back;
    for (int c; (c = std::fgetc(pipe.get())) != EOF;) back += static_cast<char>(c);
    CHECK(back == word);
  }
}
