// `lsm load`: rows of text into a store, in batches.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "commands.h"
#include "progress.h"
#include "text.h"
#include "tsv.h"

namespace lsm::tool {
namespace {

constexpr std::size_t kBatchRows = 1000;
constexpr std::size_t kBatchBytes = 256 << 10;

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

Result<FilePtr> open_input(const std::string& name) {
  FilePtr file(name == "-" ? stdin : std::fopen(name.c_str(), "rb"));
  struct stat about{};
  if (file && ::fstat(::fileno(file.get()), &about) == 0 &&
      S_ISDIR(about.st_mode)) {
    return fail(Code::invalid_argument, name + ": a folder, not a TSV file");
  }
  if (file) return file;
  return fail(Code::not_found, name + ": " + std::strerror(errno));
}

std::uint64_t size_of(std::FILE* file) {
  struct stat about{};
  const bool known =
      ::fstat(::fileno(file), &about) == 0 && S_ISREG(about.st_mode);
  return known ? static_cast<std::uint64_t>(about.st_size) : 0;
}

// Every row before an error is in the store when this returns.
Result<void> load_rows(Db& db, TsvReader& rows, WriteOptions write,
                       LoadProgress& progress) {
  WriteBatch batch;
  const auto write_batch = [&]() -> Result<void> {
    LSM_TRY(db.write(batch, write));
    progress.wrote(batch.count(), batch.size_bytes());
    progress.show(rows.bytes_read());
    batch.clear();
    return {};
  };
  TsvRow row;
  for (;;) {
    const Result<bool> more = rows.next(row);
    if (more && *more) batch.put(row.key, row.value);
    const bool last = !more || !*more;
    if (last || batch.count() >= kBatchRows ||
        batch.size_bytes() >= kBatchBytes) {
      if (!batch.empty()) LSM_TRY(write_batch());
    }
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
  }
}

}  // namespace

int run_load(const LoadArgs& args, const Options& options) {
  auto input = open_input(args.file);
  if (!input) return report("", input.error());
  auto db = open_store(args.path, options, true);
  if (!db) return report(args.path, db.error());

  TsvReader rows(input->get(), args.file == "-" ? "stdin" : args.file);
  LoadProgress progress(**db, size_of(input->get()));
  const Result<void> loaded =
      load_rows(**db, rows, {.sync = args.sync}, progress);
  progress.finish(args.path);
  int status = loaded ? 0 : report("", loaded.error());
  if (const auto closed = (*db)->close(); !closed) {
    status = report(args.path, closed.error());
  }
  return status;
}

}  // namespace lsm::tool
