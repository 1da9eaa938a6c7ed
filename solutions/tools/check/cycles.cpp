#include "tools/check/cycles.h"

#include <algorithm>
#include <limits>

namespace lsm::check {
namespace {

constexpr Node kNone = std::numeric_limits<Node>::max();

// Tarjan's algorithm with a stack of its own: histories are deep.
class Tarjan {
 public:
  explicit Tarjan(const Successors& graph)
      : graph_(graph),
        index_(graph.size(), kNone),
        low_(graph.size(), 0),
        open_(graph.size(), false) {}

  std::vector<std::vector<Node>> run() {
    for (Node node = 0; node < graph_.size(); ++node) {
      if (index_[node] == kNone) visit(node);
    }
    return std::move(found_);
  }

 private:
  struct Frame {
    Node node;
    std::size_t next;  // successor to look at
  };

  void enter(Node node) {
    index_[node] = low_[node] = count_++;
    open_[node] = true;
    stack_.push_back(node);
    frames_.push_back({node, 0});
  }

  void visit(Node root) {
    enter(root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      const Node node = frame.node;
      if (frame.next < graph_[node].size()) {
        const Node to = graph_[node][frame.next++];
        if (index_[to] == kNone) {
          enter(to);
        } else if (open_[to]) {
          low_[node] = std::min(low_[node], index_[to]);
        }
        continue;
      }
      frames_.pop_back();
      if (!frames_.empty()) {
        Node& low = low_[frames_.back().node];
        low = std::min(low, low_[node]);
      }
      if (low_[node] == index_[node]) leave(node);
    }
  }

  // `root` is the first of its component: all above it on the stack.
  void leave(Node root) {
    std::vector<Node> component;
    Node node = kNone;
    while (node != root) {
      node = stack_.back();
      stack_.pop_back();
      open_[node] = false;
      component.push_back(node);
    }
    if (component.size() < 2) return;
    std::ranges::sort(component);
    found_.push_back(std::move(component));
  }

  const Successors& graph_;
  std::vector<Node> index_;  // in the order of discovery
  std::vector<Node> low_;
  std::vector<bool> open_;
  std::vector<Node> stack_;
  std::vector<Frame> frames_;
  Node count_ = 0;
  std::vector<std::vector<Node>> found_;
};

// Looks no further than cycles shorter than `limit`.
std::vector<Node> search(const Successors& graph, Node start,
                         std::size_t limit) {
  std::vector<Node> parent(graph.size(), kNone);
  std::vector<Node> level = {start};
  for (std::size_t length = 1; !level.empty() && length < limit; ++length) {
    std::vector<Node> next_level;
    for (const Node node : level) {
      for (const Node to : graph[node]) {
        if (to == start) {
          std::vector<Node> cycle = {node};
          while (cycle.back() != start)
            cycle.push_back(parent[cycle.back()]);
          std::ranges::reverse(cycle);
          return cycle;
        }
        if (parent[to] != kNone) continue;
        parent[to] = node;
        next_level.push_back(to);
      }
    }
    level = std::move(next_level);
  }
  return {};
}

}  // namespace

std::vector<std::vector<Node>> cyclic_components(const Successors& graph) {
  return Tarjan(graph).run();
}

std::vector<Node> smallest_cycle_through(const Successors& graph, Node start) {
  return search(graph, start, std::numeric_limits<std::size_t>::max());
}

std::vector<Node> smallest_cycle(const Successors& graph,
                                 const std::vector<Node>& component) {
  std::vector<Node> best;
  for (const Node node : component) {
    const std::size_t limit =
        best.empty() ? std::numeric_limits<std::size_t>::max() : best.size();
    std::vector<Node> cycle = search(graph, node, limit);
    if (!cycle.empty()) best = std::move(cycle);
    if (best.size() == 2) break;
  }
  return best;
}

}  // namespace lsm::check
