// A log and a manifest are the same file of records; what a record holds tells
// them apart: a batch, or an edit of the tree.
#include <fmt/format.h>

#include <functional>
#include <optional>

#include "base/bytes.h"
#include "batch.h"
#include "edit_codec.h"
#include "inspect.h"
#include "log_reader.h"
#include "log_walk.h"
#include "manifest.h"
#include "text.h"
#include "tree_view.h"

namespace lsm::tool {
namespace {

constexpr std::size_t kRecordsShown = 40;

using TellPayload = std::function<Result<void>(
    std::string_view payload, std::string& text, nlohmann::json& json)>;

std::string why_text(const LogWalkEnd& end) {
  switch (end.why) {
    case LogWalkEnd::Why::sealed:
      return "The seal is the last record: the log was closed in good order.";
    case LogWalkEnd::Why::zeros:
      return fmt::format("Behind it only zeros, {}: allocated and not used.",
                         show_bytes(end.file_bytes - end.offset));
    case LogWalkEnd::Why::end:
      return "The file ends with its last record.";
    case LogWalkEnd::Why::damaged:
      return end.file ? "What stands there is no valid record."
                      : "The header of the file does not verify.";
  }
  return {};
}

// Header, records, end; `tell` puts a data record into words.
Result<void> tell_log(FileSystem& fs, const InspectArgs& args,
                      std::size_t records_shown, const TellPayload& tell,
                      InspectReport& report) {
  std::string records;
  std::size_t count = 0;
  Result<void> damage;
  const auto visit = [&](const LogRecord& record) {
    std::string text =
        fmt::format("  {:>10}  {}", record.offset, to_string(record.type));
    nlohmann::json json = {{"offset", record.offset},
                           {"type", to_string(record.type)},
                           {"payload_bytes", record.payload.size()}};
    if (record.type == RecordType::data) {
      const auto told = tell(record.payload, text, json);
      if (!told && damage) {
        damage = fail(told.error().code,
                      fmt::format("{}: offset {}: {}", args.file, record.offset,
                                  told.error().message));
      }
      if (!told) text += " " + told.error().message;
    } else if (record.payload.size() == kMarkSizeBytes) {
      const std::uint64_t durable = load_u64(record.payload.data());
      text += fmt::format(" the first {} bytes are durable", durable);
      json["durable_bytes"] = durable;
    }
    if (count++ < records_shown) records += text + '\n';
    report.json["records"].push_back(std::move(json));
  };
  report.json["records"] = nlohmann::json::array();
  LSM_ASSIGN_OR_RETURN(const LogWalkEnd end, walk_log(fs, args.file, visit));
  if (end.file) {
    report.text += fmt::format("{} {:06} of store {}\n\n",
                               std::string(report.json["type"]),
                               end.file->number, show_id(end.file->store_id));
    report.json["number"] = end.file->number;
    report.json["store_id"] = show_id(end.file->store_id);
  }
  report.text += records;
  if (count > records_shown) {
    report.text += fmt::format("  … {} more (--entries shows all)\n",
                               show_count(count - records_shown));
  }
  report.text +=
      fmt::format("\n{} end at offset {} of {}. {}\n", plural(count, "record"),
                  end.offset, end.file_bytes, why_text(end));
  report.json["end"] = {{"offset", end.offset},
                        {"why", to_string(end.why)},
                        {"file_bytes", end.file_bytes}};
  if (!damage) return damage;
  if (!end.file) {
    return fail(Code::corruption,
                args.file + ": offset 0: expected the header of a log");
  }
  if (end.why != LogWalkEnd::Why::damaged) return {};
  // What the reader of 1.6 makes of it: an error, or a tail to drop.
  const auto no_visit = [](std::uint64_t, std::string_view) {
    return Result<void>();
  };
  LSM_TRY(read_log(fs, args.file, *end.file, no_visit));
  report.text +=
      "No mark covers it: a torn tail, which was never promised to "
      "be durable.\n";
  report.json["end"]["why"] = "torn tail";
  return {};
}

Result<void> tell_batch(bool entries, std::string_view payload,
                        std::string& text, nlohmann::json& json) {
  LSM_ASSIGN_OR_RETURN(const BatchView batch, decode_batch(payload));
  json["first_sequence"] = batch.first;
  json["operation_count"] = batch.ops.size();
  text += fmt::format(" {} bytes, {} from sequence {}", payload.size(),
                      plural(batch.ops.size(), "operation"), batch.first);
  if (!entries) return {};
  Sequence sequence = batch.first;
  for (const WriteOp& op : batch.ops) {
    text += fmt::format("\n              {}@{} {}", show_key(op.key), sequence,
                        show_kind(op.kind));
    nlohmann::json shown = {{"key", escape_text(op.key)},
                            {"sequence", sequence},
                            {"kind", show_kind(op.kind)}};
    if (op.kind == Kind::put) {
      text += " = " + show_value(op.value);
      shown["value"] = escape_text(op.value);
    }
    json["operations"].push_back(std::move(shown));
    ++sequence;
  }
  return {};
}

void tell_edit(const VersionEdit& edit, std::string& text,
               nlohmann::json& json) {
  json["removed"] = nlohmann::json::array();
  json["added"] = nlohmann::json::array();
  for (const VersionEdit::Removed& removed : edit.removed) {
    text += fmt::format("\n              - level {}  {}", removed.level,
                        table_name(removed.number));
    json["removed"].push_back(
        {{"level", removed.level}, {"number", removed.number}});
  }
  for (const VersionEdit::Added& added : edit.added) {
    text += fmt::format("\n              + level {}  {}  {}, {}", added.level,
                        table_name(added.file.number),
                        show_bytes(added.file.size_bytes),
                        plural(added.file.entries, "entry"));
    json["added"].push_back(table_json(added));
  }
  const auto number = [&](std::string_view name, std::string_view words,
                          const std::optional<std::uint64_t>& value) {
    if (!value) return;
    text += fmt::format("\n              {} {}", words, *value);
    json[std::string(name)] = *value;
  };
  number("oldest_log", "logs are needed from", edit.oldest_log);
  number("next_file_number", "the next file is", edit.next_file_number);
  number("last_sequence", "the last sequence in a table is",
         edit.last_sequence);
}

}  // namespace

Result<void> inspect_log(FileSystem& fs, const InspectArgs& args,
                         InspectReport& report) {
  report.json["type"] = "log";
  const TellPayload tell = [&](std::string_view payload, std::string& text,
                               nlohmann::json& json) {
    return tell_batch(args.entries, payload, text, json);
  };
  return tell_log(fs, args, args.entries ? SIZE_MAX : kRecordsShown, tell,
                  report);
}

Result<void> inspect_manifest(FileSystem& fs, const InspectArgs& args,
                              InspectReport& report) {
  report.json["type"] = "manifest";
  EditSum sum;
  const TellPayload tell = [&](std::string_view payload, std::string& text,
                               nlohmann::json& json) -> Result<void> {
    LSM_ASSIGN_OR_RETURN(const VersionEdit edit, decode_edit(payload));
    tell_edit(edit, text, json);
    return sum.apply(edit);
  };
  const Result<void> told = tell_log(fs, args, SIZE_MAX, tell, report);
  ManifestState state;
  state.files = sum.total().added;
  report.text += "\nThe edits add up to this tree:\n\n" + tree_text(state);
  report.json["tree"] = nlohmann::json::array();
  for (const VersionEdit::Added& added : state.files) {
    report.json["tree"].push_back(table_json(added));
  }
  return told;
}

}  // namespace lsm::tool
