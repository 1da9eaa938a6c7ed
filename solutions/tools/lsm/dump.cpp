// `lsm dump`: the rows of a store, for people or for `lsm load`.
#include <fmt/format.h>

#include <cstdio>

#include "commands.h"
#include "scan.h"
#include "text.h"

namespace lsm::tool {
namespace {

Result<void> unescape(std::optional<std::string>& key) {
  if (!key) return {};
  LSM_ASSIGN_OR_RETURN(key, unescape_text(*key));
  return {};
}

Result<void> dump(Db& db, ScanArgs bounds, bool tsv) {
  LSM_TRY(unescape(bounds.from));
  LSM_TRY(unescape(bounds.to));
  bool written = true;
  const auto rows =
      scan_rows(db, bounds, [&](std::string_view key, std::string_view value) {
        const std::string line =
            tsv ? escape_text(key) + '\t' + escape_text(value) + '\n'
                : show_key(key) + " = " + show_value(value) + '\n';
        written &=
            std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
      });
  if (!rows) return std::unexpected(rows.error());
  if (std::fflush(stdout) != 0 || !written) {
    return fail(Code::io, "cannot write to stdout");
  }
  return {};
}

}  // namespace

int run_dump(const DumpArgs& args, const Options& options) {
  auto db = open_store(args.path, options, false);
  if (!db) return report(args.path, db.error());
  if (const auto done = dump(**db, args.scan, args.tsv); !done) {
    return report(args.path, done.error());
  }
  const auto closed = (*db)->close();
  return closed ? 0 : report(args.path, closed.error());
}

}  // namespace lsm::tool
