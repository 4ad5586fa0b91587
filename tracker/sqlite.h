// A thin layer over sqlite3: ownership, binding, and errors as bcx::Error (storage).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bcx::tracker {

/// A prepared statement. Columns count from 0, parameters from 1. Text and blobs are copied when
/// bound. NaN is stored as NULL by SQLite: real() gives it back as NaN.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& path, std::string_view sql);

  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, int value) { return bind(at, static_cast<std::int64_t>(value)); }
  Statement& bind(int at, bool value) { return bind(at, static_cast<std::int64_t>(value)); }
  Statement& bind(int at, double value);
  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, const char* text) { return bind(at, std::string_view(text)); }
  Statement& bind(int at, const std::string& text) { return bind(at, std::string_view(text)); }
  Statement& bind(int at, std::span<const std::byte> blob);
  Statement& bind(int at, std::nullptr_t);
  template <typename T>
  Statement& bind(int at, const std::optional<T>& value) {
    return value ? bind(at, *value) : bind(at, nullptr);
  }

  /// The value of another statement's row, of whatever type.
  Statement& bind_from(int at, const Statement& row, int column);

  /// True while there is a row.
  bool step();
  void reset();
  /// reset(), binds all arguments in order, and steps once.
  template <typename... T>
  bool start(const T&... values) {
    reset();
    int at = 0;
    (bind(++at, values), ...);
    return step();
  }
  /// start(), then reset(): for statements without rows.
  template <typename... T>
  void run(const T&... values) {
    start(values...);
    reset();
  }

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;  ///< NULL: NaN
  std::string text(int column) const;
  std::span<const std::byte> blob(int column) const;  ///< until the next step
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::optional<double> maybe_real(int column) const;

 private:
  struct Close {
    void operator()(sqlite3_stmt* statement) const;
  };
  void check(int result) const;

  std::unique_ptr<sqlite3_stmt, Close> statement_;
  sqlite3* database_;
  std::string path_;
};

/// One connection, by one thread at a time.
class Database {
 public:
  enum class Mode { read, read_immutable, write };

  /// Opens with the rules of docs/tracker.md (untrusted schema, no triggers, cell checks, no mmap,
  /// foreign keys, waiting 60 s for a lock). `write` creates the file. Closing moves nothing from
  /// the WAL into the file: close_after_writing() (schema.h) does.
  Database(const std::filesystem::path& path, Mode mode);

  sqlite3* handle() const { return handle_.get(); }
  const std::filesystem::path& path() const { return path_; }
  bool read_only() const;

  void execute(const std::string& sql);
  Statement prepare(std::string_view sql) const;
  /// Prepared once and kept; reset before it is given out.
  Statement& cached(const std::string& sql) const;
  std::int64_t pragma(const std::string& name) const;
  std::int64_t last_id() const;
  std::int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> handle_;
  mutable std::map<std::string, Statement> cache_;  // after handle_: closed before it
};

/// BEGIN IMMEDIATE ... COMMIT; rolled back when it is left without commit().
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

/// A read transaction: all queries while it lives see the file as it was at the first of them.
class Snapshot {
 public:
  explicit Snapshot(const Database& database);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  const Database& database_;
};

/// Throws the connection's last error as bcx::Error (storage) with a remedy.
[[noreturn]] void throw_sqlite(sqlite3* database, const std::string& path, int result);

}  // namespace bcx::tracker
