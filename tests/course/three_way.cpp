#include "three_way.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "process.h"
#include "rooms.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

// A file in a tree.
struct Blob {
  std::string mode;  // "100644"
  std::string id;
  bool is_file() const { return mode.starts_with("100"); }
  bool operator==(const Blob&) const = default;
};

// What a path is in base, mine and theirs.
using Stages = std::array<std::optional<Blob>, 3>;

class Merger {
 public:
  Merger(const Git& git, const fs::path& scratch, std::string base,
         std::string mine, std::string theirs, Clash clash)
      : git_(git),
        index_(git.with_index(scratch / "merge.index")),
        scratch_(scratch),
        base_(std::move(base)),
        mine_(std::move(mine)),
        theirs_(std::move(theirs)),
        clash_(clash) {}

  Merge merge() {
    std::error_code ignored;
    fs::remove(scratch_ / "merge.index", ignored);
    // Git settles what one side alone has changed, and leaves the rest.
    index_.text(
        {"read-tree", "-i", "-m", "--aggressive", base_, mine_, theirs_});
    std::map<std::string, Stages> both;
    for (const std::string& part : index_.parts({"ls-files", "-u", "-z"})) {
      // "100644 <id> 2\tweek1/day1_memtable/memtable.cpp"
      const std::size_t tab = part.find('\t');
      const std::size_t id = part.find(' ') + 1;
      const std::size_t stage = part.find(' ', id) + 1;
      both[part.substr(tab + 1)].at(
          static_cast<std::size_t>(part.at(stage) - '1')) =
          Blob{part.substr(0, id - 1), part.substr(id, stage - 1 - id)};
    }
    settle_renamed(both);
    for (const auto& [path, stages] : both)
      settle(path, stages);
    std::ranges::sort(result_.settled, {}, &Settled::path);
    result_.tree = index_.line({"write-tree"});
    return std::move(result_);
  }

 private:
  // A file of the learner's that the course has moved: their lines go along.
  void settle_renamed(std::map<std::string, Stages>& both) {
    const auto parts =
        git_.parts({"diff-tree", "-r", "-z", "-M60%", "--diff-filter=R",
                    "--name-status", base_, theirs_});
    for (std::size_t i = 0; i + 2 < parts.size(); i += 3) {
      const std::string& from = parts[i + 1];
      const std::string& to = parts[i + 2];
      const auto edited = both.find(from);
      if (!is_learners(from) || !is_learners(to)) continue;
      if (edited == both.end() || !edited->second[1] || both.contains(to) ||
          !git_.parts({"ls-tree", "-z", mine_, "--", to}).empty()) {
        continue;  // as it was; or their own file stands at the new name
      }
      Stages stages = edited->second;
      const std::string entry =
          git_.parts({"ls-tree", "-z", theirs_, "--", to}).at(0);
      // "100644 blob <id>\tpath"
      const std::size_t id = entry.rfind(' ', entry.find('\t')) + 1;
      stages[2] = Blob{entry.substr(0, entry.find(' ')),
                       entry.substr(id, entry.find('\t') - id)};
      drop(from);
      both.erase(edited);
      merge_lines(to, stages, from);
    }
  }

  void settle(const std::string& path, const Stages& stages) {
    const auto& [base, mine, theirs] = stages;
    if (!theirs) {
      drop(path);
      tell(path, Fate::gone);
    } else if (!mine) {
      put(path, *theirs);
      tell(path, Fate::returned);
    } else if (is_learners(path)) {
      merge_lines(path, stages, "");
    } else {
      put(path, *theirs);
      tell(path, Fate::replaced);
    }
  }

  void merge_lines(const std::string& path, const Stages& stages,
                   const std::string& before) {
    const auto& [base, mine, theirs] = stages;
    if (!mine->is_file() || !theirs->is_file()) {
      put(path, *theirs);
      return tell(path, Fate::replaced, before);
    }
    write("mine", mine);
    write("base", base);
    write("theirs", theirs);
    const Finished merged =
        run({"git", "merge-file", "-p", "-L", "yours", "-L", "the starter",
             "-L", "the new starter", "mine", "base", "theirs"},
            scratch_);
    if (merged.status > 127) {  // not text
      put(path, *theirs);
      return tell(path, Fate::replaced, before);
    }
    const bool clean = merged.status == 0;
    if (!clean && clash_ == Clash::mine) {
      put(path, *mine);
    } else {
      write_if_changed(scratch_ / "merged", merged.output);
      put(path, {theirs->mode, git_.line({"hash-object", "-w", "--no-filters",
                                          (scratch_ / "merged").string()})});
    }
    tell(path, clean ? Fate::merged : Fate::conflict, before);
  }

  void write(const char* name, const std::optional<Blob>& blob) {
    write_if_changed(scratch_ / name,
                     blob ? git_.text({"cat-file", "blob", blob->id}) : "");
  }
  void put(const std::string& path, const Blob& blob) {
    index_.text({"update-index", "--add", "--cacheinfo",
                 blob.mode + "," + blob.id + "," + path});
  }
  void drop(const std::string& path) {
    index_.text({"update-index", "--force-remove", "--", path});
  }
  void tell(const std::string& path, Fate fate,
            const std::string& before = {}) {
    result_.settled.push_back({path, fate, before});
  }

  const Git& git_;
  const Git index_;
  const fs::path& scratch_;
  std::string base_;
  std::string mine_;
  std::string theirs_;
  Clash clash_;
  Merge result_;
};

}  // namespace

bool is_learners(std::string_view path) {
  return path.size() > 6 && path.starts_with("week") && path[5] == '/' &&
         std::isdigit(static_cast<unsigned char>(path[4])) != 0;
}

Merge merge_trees(const Git& git, const fs::path& scratch,
                  const std::string& base, const std::string& mine,
                  const std::string& theirs, Clash clash) {
  return Merger(git, scratch, base, mine, theirs, clash).merge();
}

}  // namespace lsm::course
