#include "inspect.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/file_names.h"
#include "base/posix_file_system.h"
#include "log_format.h"
#include "manifest.h"
#include "text.h"

namespace lsm::tool {
namespace {

enum class FileType { table, log, manifest, current };

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// By its name, or, for a copy under any other, by its magic.
Result<FileType> type_of(FileSystem& fs, const std::string& path) {
  const std::string_view name = name_of(path);
  if (name == kCurrentName) return FileType::current;
  if (name.ends_with(".sst")) return FileType::table;
  if (name.ends_with(".manifest")) return FileType::manifest;
  if (name.ends_with(".log")) return FileType::log;
  LSM_ASSIGN_OR_RETURN(const auto file, fs.open(path, FileSystem::Mode::read));
  LSM_ASSIGN_OR_RETURN(const std::uint64_t size, file->size());
  std::string magic(kTableMagic.size(), '\0');
  if (size >= kFooterBytes) {
    LSM_TRY(file->read_at(size - magic.size(), magic));
    if (magic == kTableMagic) return FileType::table;
  }
  LSM_TRY(file->read_at(0, magic));
  const std::string log_header = encode_log_header({});
  if (log_header.starts_with(magic)) return FileType::log;
  return fail(Code::invalid_argument,
              path + ": no table, log, manifest or CURRENT of a store");
}

Result<void> inspect(FileSystem& fs, const InspectArgs& args,
                     InspectReport& report) {
  LSM_ASSIGN_OR_RETURN(const FileType type, type_of(fs, args.file));
  const bool is_table = type == FileType::table;
  if (args.hex_block && !is_table) {
    return fail(Code::invalid_argument,
                args.file + ": --hex is for the blocks of a table");
  }
  report.json["file"] = escape_text(args.file);
  switch (type) {
    case FileType::table:
      return inspect_table(fs, args, report);
    case FileType::log:
      return inspect_log(fs, args, report);
    case FileType::manifest:
      return inspect_manifest(fs, args, report);
    case FileType::current:
      return inspect_current(fs, args, report);
  }
  return {};
}

}  // namespace

std::string show_id(std::uint64_t store_id) {
  return fmt::format("{:016x}", store_id);
}

std::string_view show_kind(Kind kind) {
  return kind == Kind::put ? "put" : "remove";
}

std::string hex_lines(std::string_view bytes, std::uint64_t offset) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const std::string_view line = bytes.substr(at, 16);
    std::string hex;
    std::string shown;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const auto byte = static_cast<unsigned char>(line[i]);
      hex += fmt::format("{}{:02x}", i == 8 ? "  " : " ", byte);
      shown += byte >= 0x20 && byte < 0x7f ? line[i] : '.';
    }
    text += fmt::format("  {:04x} {:<50} {}\n", offset + at, hex, shown);
  }
  return text;
}

Result<void> inspect_current(FileSystem& fs, const InspectArgs& args,
                             InspectReport& report) {
  LSM_ASSIGN_OR_RETURN(const std::string content,
                       read_file(fs, args.file, 4096));
  report.text = content;
  report.json["type"] = "current";
  report.json["content"] = escape_text(content);
  LSM_ASSIGN_OR_RETURN(const auto current,
                       read_current(fs, parent_path(args.file)));
  if (!current) return fail(Code::not_found, args.file + ": not there");
  report.text += fmt::format(
      "It verifies: the manifest in use is {:06}, of "
      "store {}.\n",
      current->number, show_id(current->store_id));
  report.json["manifest"] = current->number;
  report.json["store_id"] = show_id(current->store_id);
  return {};
}

int run_inspect(const InspectArgs& args) {
  InspectReport report;
  const Result<void> done = inspect(posix_file_system(), args, report);
  if (args.json) {
    report.json["error"] = nullptr;
    if (!done) report.json["error"] = escape_text(done.error().message);
    fmt::print("{}\n", report.json.dump(2));
  } else {
    fmt::print("{}", report.text);
    // What can be read is above; whoever reads only that learns how it ends.
    if (!done && done.error().code == Code::corruption) {
      fmt::print("\nVerdict: corruption. {}\n", done.error().message);
    }
    std::fflush(stdout);
  }
  return done ? 0 : tool::report(args.file, done.error());
}

}  // namespace lsm::tool
