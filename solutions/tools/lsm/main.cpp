// lsm: a store from the command line. `lsm --help` tells the commands; each is
// a function of commands.h. CLI11 reads the arguments, this file maps them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "commands.h"
#include "text.h"

namespace lsm::tool {
namespace {

constexpr int kBadUsage = 2;

int bad_usage(const std::string& message) {
  fmt::print(stderr, "lsm: {}\n", message);
  return kBadUsage;
}

// A size as people write it: 4096, 64K, 1.5MiB.
CLI::Option* add_size(CLI::App& command, const std::string& name, auto& size,
                      const std::string& about) {
  return command.add_option(name, size, about)
      ->transform(CLI::AsSizeValue(false).description(""))
      ->type_name("SIZE")
      ->group("Store");
}

const std::map<std::string, CompactionStyle> kPolicies = {
    {"leveled", CompactionStyle::leveled},
    {"tiered", CompactionStyle::tiered},
    {"simple", CompactionStyle::simple}};

// The options of every command that opens a store.
void add_store_options(CLI::App& command, Options& options) {
  add_size(command, "--write-buffer", options.write_buffer_size_bytes,
           "memtable, before it is written out (64M)");
  add_size(command, "--cache", options.block_cache_bytes,
           "verified blocks kept in memory (64M)");
  add_size(command, "--block-size", options.block_size_bytes,
           "of new tables, 256 to 64K (4K)");
  add_size(command, "--table-size", options.target_file_size_bytes,
           "of new tables (64M)");
  add_size(command, "--base-level", options.base_level_size_bytes,
           "of the first level below level 0 (16 write buffers)");
  command
      .add_option_function<std::string>(
          "--policy",
          [&options](const std::string& name) {
            options.compaction_style = kPolicies.at(name);
          },
          "which tables to merge: leveled, tiered, simple (leveled)")
      ->check(CLI::IsMember(kPolicies).description(""))
      ->type_name("NAME")
      ->group("Store");
  command
      .add_option("--bits", options.filter_bits_per_key,
                  "of the filter, a key; 0 is no filter (10)")
      ->type_name("N")
      ->group("Store");
  command
      .add_option_function<std::string>(
          "--compression",
          [&options](const std::string& name) {
            options.compression =
                name == "none" ? Compression::none : Compression::lz4;
          },
          "none or lz4 (lz4)")
      ->check(CLI::IsMember({"none", "lz4"}).description(""))
      ->type_name("NAME")
      ->group("Store");
}

// CLI11 2.1 knows no optional.
template <class T>
void add_optional(CLI::App& command, const std::string& name,
                  std::optional<T>& to, const std::string& about,
                  const std::string& type) {
  command
      .add_option_function<T>(
          name, [&to](const T& value) { to = value; }, about)
      ->type_name(type);
}

class CommandLine {
 public:
  CommandLine();
  int run(int argc, char** argv);

 private:
  CLI::App* add(std::string_view name, const std::string& about,
                std::function<int()> action);
  void add_path(CLI::App& command);
  void add_looking_inside();
  void add_crash_commands();

  CLI::App app_;
  std::vector<std::string_view> names_;
  std::function<int()> chosen_;

  Options options_;
  std::string path_;
  std::string into_;
  bool json_ = false;
  LoadArgs load_;
  DumpArgs dump_;
  InspectArgs inspect_;
  DemoArgs demo_;
  WriterArgs writer_;
};

CommandLine::CommandLine() {
  app_.name("lsm");
  app_.description("A store of keys and values, from the command line.");
  app_.require_subcommand(1);
  app_.footer(
      "\n`lsm COMMAND --help` tells its options. Keys may be written "
      "with escapes:\n\\t \\n \\0 \\\\ \\xNN.");

  CLI::App* shell = add("shell", "Open a store and talk to it",
                        [this] { return run_shell(path_, options_); });
  add_path(*shell);
  add_store_options(*shell, options_);

  CLI::App* load = add("load", "Put the rows of a TSV file", [this] {
    load_.path = path_;
    return run_load(load_, options_);
  });
  add_path(*load);
  load->add_option("--tsv", load_.file,
                   "rows: key TAB value, with the escapes \\t \\n \\\\; - is "
                   "stdin")
      ->required()
      ->type_name("FILE");
  load->add_flag("--sync", load_.sync, "each batch survives a power cut");
  add_store_options(*load, options_);

  CLI::App* dump = add("dump", "Print what a store holds", [this] {
    dump_.path = path_;
    return run_dump(dump_, options_);
  });
  add_path(*dump);
  dump->add_flag("--tsv", dump_.tsv, "as `lsm load` reads it");
  add_optional(*dump, "--from", dump_.scan.from, "the first key", "KEY");
  add_optional(*dump, "--to", dump_.scan.to, "stop before this key", "KEY");
  dump->add_flag("--reverse", dump_.scan.reverse, "the largest key first");
  add_optional(*dump, "--limit", dump_.scan.limit, "at most so many", "N");
  add_store_options(*dump, options_);

  add_looking_inside();
  add_crash_commands();
}

void CommandLine::add_looking_inside() {
  CLI::App* stats = add("stats", "Levels, memory, what writing cost",
                        [this] { return run_stats(path_, options_, json_); });
  add_path(*stats);
  stats->add_flag("--json", json_, "as JSON");
  add_store_options(*stats, options_);

  CLI::App* verify =
      add("verify", "Check every block of every file; changes nothing",
          [this] { return run_verify(path_, json_); });
  add_path(*verify);
  verify->add_flag("--json", json_, "as JSON");

  CLI::App* repair =
      add("repair", "Salvage what verifies into a new store; changes nothing",
          [this] { return run_repair(path_, into_, options_, json_); });
  add_path(*repair);
  repair->add_option("--into", into_, "the new store's folder")
      ->required()
      ->type_name("NEWPATH");
  repair->add_flag("--json", json_, "as JSON");
  add_store_options(*repair, options_);

  CLI::App* inspect = add(
      "inspect", "What stands in a table, log, manifest or CURRENT", [this] {
        inspect_.json = json_;
        return run_inspect(inspect_);
      });
  inspect->add_option("FILE", inspect_.file, "a file of a store")->required();
  inspect->add_flag("--json", json_, "as JSON");
  inspect->add_flag("--entries", inspect_.entries,
                    "every entry of a table; every operation of a log");
  add_optional(*inspect, "--hex", inspect_.hex_block,
               "the bytes of block N of a table", "N");
}

void CommandLine::add_crash_commands() {
  CLI::App* demo = add("demo", "Load, kill, recover, query, look inside",
                       [this] { return run_demo(demo_); });
  demo->add_option("--tsv", demo_.tsv, "other data than Unicode's characters")
      ->type_name("FILE");
  demo->add_option("--keep", demo_.keep, "keep the store, here")
      ->type_name("PATH");
  add_optional(*demo, "--seed", demo_.seed, "of the heavier load", "S");

  CLI::App* writer = add("writer",
                         "Write a deterministic sequence and report each\n"
                         "acknowledged operation; for the crash tests",
                         [this] {
                           writer_.path = path_;
                           return run_writer(writer_, options_);
                         });
  add_path(*writer);
  writer->add_option("--ops", writer_.ops, "stop after so many steps")
      ->required()
      ->type_name("N");
  writer->add_option("--seed", writer_.seed, "of the sequence (1)")
      ->type_name("S");
  writer
      ->add_option("--sync-every", writer_.sync_every,
                   "every K-th step survives a power cut (0: none)")
      ->type_name("K");
  writer
      ->add_option("--report", writer_.report_fd,
                   "where to write the number of each acknowledged step")
      ->type_name("FD");
  add_store_options(*writer, options_);
}

CLI::App* CommandLine::add(std::string_view name, const std::string& about,
                           std::function<int()> action) {
  names_.push_back(name);
  CLI::App* command = app_.add_subcommand(std::string(name), about);
  command->callback([this, action] { chosen_ = action; });
  return command;
}

void CommandLine::add_path(CLI::App& command) {
  command.add_option("PATH", path_, "the store's folder")->required();
}

int CommandLine::run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "{}", app_.help());
    return kBadUsage;
  }
  const std::string first = argv[1];
  if (!first.starts_with("-") &&
      std::ranges::find(names_, first) == names_.end()) {
    const std::string_view close = nearest(first, names_);
    return bad_usage(fmt::format(
        "there is no command \"{}\"{}; there are {}", escape_text(first),
        close.empty() ? "" : fmt::format(", did you mean \"{}\"?", close),
        fmt::join(names_, ", ")));
  }
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app_.exit(error);  // --help
    const auto parsed = app_.get_subcommands();
    if (parsed.empty()) return bad_usage(error.what());
    return bad_usage(fmt::format("{0}: {1} (`lsm {0} --help` tells more)",
                                 parsed[0]->get_name(), error.what()));
  }
  return chosen_();
}

}  // namespace
}  // namespace lsm::tool

int main(int argc, char** argv) {
  lsm::tool::CommandLine line;
  return line.run(argc, argv);
}
