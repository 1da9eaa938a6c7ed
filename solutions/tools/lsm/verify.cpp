#include "verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file_names.h"
#include "base/posix_file_system.h"
#include "batch.h"
#include "commands.h"
#include "engine/compose.h"
#include "engine/verify_table.h"
#include "inspect.h"
#include "log_reader.h"
#include "manifest.h"
#include "table.h"
#include "text.h"

namespace lsm::tool {
namespace {

class Verifier {
 public:
  Verifier(FileSystem& fs, std::string folder, Options seams)
      : fs_(fs), folder_(std::move(folder)), seams_(std::move(seams)) {}

  Result<VerifyReport> run();

 private:
  Result<void> find_files();
  // By the manifest.
  void check_named(const ManifestState& state);
  // By what stands in the folder, because there is no manifest to go by.
  void check_found();
  void check_table(const std::string& path, FileIdentity file,
                   const FileMeta* meta);
  // `last`: the sequence that the logs must go on from, when it is known.
  void check_logs(std::uint64_t store_id, std::uint64_t oldest,
                  std::optional<Sequence> last);

  std::string path_of(FileKind kind, std::uint64_t number) const {
    return file_path(folder_, kind, number);
  }
  std::vector<std::uint64_t>& found(FileKind kind) { return found_[kind]; }
  void damaged(const std::string& path, const Error& error) {
    report_.damage.push_back(damage_of(path, error));
  }

  FileSystem& fs_;
  const std::string folder_;
  const Options seams_;
  const std::shared_ptr<BlockCache> cache_ = make_no_cache();
  std::map<FileKind, std::vector<std::uint64_t>> found_;  // ascending
  bool has_lock_file_ = false;
  VerifyReport report_;
};

Result<VerifyReport> Verifier::run() {
  LSM_TRY(find_files());
  std::unique_ptr<FileLock> lock;
  if (has_lock_file_) {
    auto taken = fs_.lock(join_path(folder_, kLockName));
    if (!taken && taken.error().code == Code::busy) {
      return std::unexpected(taken.error());
    }
    if (taken) lock = std::move(*taken);  // a folder we may only read has none
  }
  const auto state = read_manifest(fs_, folder_);
  if (state && *state) {
    check_named(**state);
    return std::move(report_);
  }
  const bool empty = found_.empty();
  if (state && empty) {
    return fail(Code::not_found, folder_ + ": there is no store here");
  }
  const std::string current = join_path(folder_, kCurrentName);
  damaged(current, state ? Error{Code::corruption,
                                 "missing, but the folder has a store's files"}
                         : state.error());
  check_found();
  return std::move(report_);
}

Result<void> Verifier::find_files() {
  LSM_ASSIGN_OR_RETURN(const auto names, fs_.list(folder_));
  for (const std::string& name : names) {
    if (name == kLockName) has_lock_file_ = true;
    const auto file = parse_file_name(name);
    if (file) found(file->kind).push_back(file->number);
  }
  for (auto& [kind, numbers] : found_)
    std::ranges::sort(numbers);
  return {};
}

void Verifier::check_named(const ManifestState& state) {
  std::vector<std::uint64_t> named;
  for (const VersionEdit::Added& added : state.files) {
    named.push_back(added.file.number);
    check_table(path_of(FileKind::table, added.file.number),
                {state.store_id, added.file.number}, &added.file);
  }
  std::ranges::sort(named);
  for (const std::uint64_t number : found(FileKind::table)) {
    if (std::ranges::binary_search(named, number)) continue;
    report_.notes.push_back(
        path_of(FileKind::table, number) +
        ": not part of the store; the next open removes it");
  }
  check_logs(state.store_id, state.oldest_log, state.last_sequence);
}

void Verifier::check_found() {
  report_.notes.push_back("without a manifest each file is checked by itself");
  for (const std::uint64_t number : found(FileKind::table)) {
    const std::string path = path_of(FileKind::table, number);
    const auto footer = read_footer_of(fs_, path);
    if (!footer) {
      damaged(path, footer.error());
    } else {
      check_table(path, {footer->file.store_id, number}, nullptr);
    }
  }
  for (const std::uint64_t number : found(FileKind::log)) {
    const auto file = log_identity(fs_, path_of(FileKind::log, number));
    if (file && *file) return check_logs((*file)->store_id, 0, std::nullopt);
  }
}

void Verifier::check_table(const std::string& path, FileIdentity file,
                           const FileMeta* meta) {
  ++report_.tables;
  const auto table =
      Table::open(fs_, path, file, {seams_.filter_policy.get(), cache_.get()});
  if (!table) return damaged(path, table.error());
  const BlockIndex& index = (*table)->index();
  report_.blocks += index.size();
  const FileMeta& is = (*table)->properties().meta;
  report_.entries += is.entries;
  report_.bytes += (*table)->file().footer().footer_at + kFooterBytes;
  const std::size_t before = report_.damage.size();
  for (std::size_t block = 0; block < index.size(); ++block) {
    const auto pin = (*table)->read_block(block, *cache_, true);
    if (!pin) damaged(path, pin.error());
  }
  if (report_.damage.size() > before) return;
  if (const auto sound = verify_table(fs_, path, file, *seams_.filter_policy);
      !sound) {
    damaged(path, sound.error());
  }
  if (meta != nullptr &&
      (meta->entries != is.entries || meta->smallest != is.smallest ||
       meta->largest != is.largest)) {
    damaged(path, {Code::corruption, "the manifest describes another table"});
  }
}

// Recovery's rule (recovery.h): sequences run on from log to log. Where they
// do, a damaged end has lost nothing. Where they do not, or at the very end,
// something was lost: damage if a mark behind it says that it was durable, a
// torn tail otherwise.
class LogVerifier {
 public:
  LogVerifier(VerifyReport& report, std::optional<Sequence> last)
      : report_(report), last_(last) {}

  void check(FileSystem& fs, const std::string& path, FileIdentity file) {
    ++report_.logs;
    const auto end = read_log(
        fs, path, file, [&](std::uint64_t offset, std::string_view bytes) {
          return add(path, offset, bytes);
        });
    if (!end) {
      report_.damage.push_back(damage_of(path, end.error()));
      return;
    }
    const auto& loss = lost_ ? lost_ : torn_;
    if (end->any_mark && loss && !reported_) {
      report_.damage.push_back(*loss);
      report_.damage.back().what += "; " + path + " says that it was durable";
      reported_ = true;
    }
    if (end->kind == LogEnd::Kind::torn && !torn_) {
      torn_ = Damage{path, end->offset, "expected a valid record"};
    }
  }

  void finish() {
    const auto& loss = lost_ ? lost_ : torn_;
    if (!loss || reported_) return;
    report_.notes.push_back(fmt::format(
        "{}: offset {}: {}: a torn tail, never promised to be durable",
        loss->file, *loss->offset, loss->what));
  }

 private:
  Result<void> add(const std::string& path, std::uint64_t offset,
                   std::string_view bytes) {
    ++report_.records;
    report_.bytes += bytes.size();
    const auto batch = decode_batch(bytes);
    if (!batch) {
      return fail(Code::corruption, fmt::format("{}: offset {}: {}", path,
                                                offset, batch.error().message));
    }
    if (lost_ || batch->ops.empty()) return {};
    if (last_ && batch->first <= *last_) {
      return fail(Code::corruption,
                  fmt::format("{}: offset {}: sequence {} again, expected {}",
                              path, offset, batch->first, *last_ + 1));
    }
    if (last_ && batch->first != *last_ + 1) {
      lost_ = torn_ ? *torn_
                    : Damage{path, offset,
                             fmt::format("expected sequence {}, found {}",
                                         *last_ + 1, batch->first)};
      return {};
    }
    torn_.reset();
    last_ = batch->first + batch->ops.size() - 1;
    return {};
  }

  VerifyReport& report_;
  std::optional<Sequence> last_;  // that is accounted for
  std::optional<Damage> torn_;    // a damaged end, which may have lost nothing
  std::optional<Damage> lost_;
  bool reported_ = false;
};

void Verifier::check_logs(std::uint64_t store_id, std::uint64_t oldest,
                          std::optional<Sequence> last) {
  LogVerifier logs(report_, last);
  for (const std::uint64_t number : found(FileKind::log)) {
    const std::string path = path_of(FileKind::log, number);
    if (number < oldest) {
      report_.notes.push_back(path +
                              ": no longer needed; the next open removes it");
    } else {
      logs.check(fs_, path, {store_id, number});
    }
  }
  logs.finish();
}

nlohmann::json report_json(const VerifyReport& report) {
  nlohmann::json damage = nlohmann::json::array();
  for (const Damage& one : report.damage) {
    nlohmann::json offset;
    if (one.offset) offset = *one.offset;
    damage.push_back({{"file", escape_text(one.file)},
                      {"offset", offset},
                      {"what", escape_text(one.what)}});
  }
  nlohmann::json notes = nlohmann::json::array();
  for (const std::string& note : report.notes) {
    notes.push_back(escape_text(note));
  }
  return {{"sound", report.damage.empty()},
          {"tables", report.tables},
          {"blocks", report.blocks},
          {"entries", report.entries},
          {"logs", report.logs},
          {"records", report.records},
          {"bytes", report.bytes},
          {"damage", damage},
          {"notes", notes}};
}

void print_report(const std::string& path, const VerifyReport& report) {
  for (const std::string& note : report.notes)
    fmt::print("note: {}\n", note);
  for (const Damage& one : report.damage) {
    fmt::print("damage: {}: {}{}\n", one.file,
               one.offset ? fmt::format("offset {}: ", *one.offset) : "",
               one.what);
  }
  fmt::print("{}: {}, {}, {}; {}, {}; {}: {}\n", path,
             plural(report.tables, "table"), plural(report.blocks, "block"),
             plural(report.entries, "entry"), plural(report.logs, "log"),
             plural(report.records, "record"), show_bytes(report.bytes),
             report.damage.empty() ? "all sound" : "DAMAGED");
}

}  // namespace

Damage damage_of(const std::string& file, const Error& error) {
  constexpr std::string_view kOffset = "offset ";
  Damage damage{file, std::nullopt, error.message};
  std::string_view rest = error.message;
  // The message may be about another file, as CURRENT's is about a manifest.
  const std::size_t colon = rest.find(": ");
  if (colon == rest.npos || rest.find('/') > colon) return damage;
  damage.file = rest.substr(0, colon);
  rest.remove_prefix(colon + 2);
  if (rest.starts_with(kOffset)) {
    rest.remove_prefix(kOffset.size());
    std::uint64_t offset = 0;
    const auto [end, bad] =
        std::from_chars(rest.data(), rest.data() + rest.size(), offset);
    const auto used = static_cast<std::size_t>(end - rest.data());
    if (bad == std::errc{} && rest.substr(used).starts_with(": ")) {
      damage.offset = offset;
      rest.remove_prefix(used + 2);
    }
  }
  damage.what = rest;
  return damage;
}

Result<VerifyReport> verify_store(FileSystem& fs, const std::string& folder) {
  LSM_ASSIGN_OR_RETURN(Options seams, compose({}));
  return Verifier(fs, folder, std::move(seams)).run();
}

int run_verify(const std::string& path, bool json) {
  const auto verified = verify_store(posix_file_system(), path);
  if (!verified) return report(path, verified.error());
  if (json) {
    fmt::print("{}\n", report_json(*verified).dump(2));
  } else {
    print_report(path, *verified);
  }
  if (verified->damage.empty()) return 0;
  return report(path, {Code::corruption,
                       plural(verified->damage.size(), "damaged place")});
}

}  // namespace lsm::tool
