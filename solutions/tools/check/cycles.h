// Cycles in a directed graph: is there one, and which is the smallest?
//
//   0 ──► 1 ──► 2        components: {0, 1, 2, 3}, and 4 by itself
//   ▲     │     │        smallest cycle: 0 1 3
//   └ 3 ◄─┘ ◄───┘  ──► 4
//
// I1 Two nodes are in one component if and only if each can be reached from
//    the other; so every cycle lies within one component.
// Cost: components O(nodes + edges); a smallest cycle O(nodes · edges) of its
// component, and a graph without a cycle never pays that.
// Source: Tarjan, "Depth-first search and linear graph algorithms", 1972; for
// the smallest cycle, a breadth-first search from each node.
#pragma once

#include <cstdint>
#include <vector>

namespace lsm::check {

using Node = std::uint32_t;
using Successors = std::vector<std::vector<Node>>;  // of each node

// Those that hold a cycle, each ascending.
std::vector<std::vector<Node>> cyclic_components(const Successors& graph);

// The nodes of a smallest cycle through `start` in their order, `start` first;
// empty: there is none.
std::vector<Node> smallest_cycle_through(const Successors& graph, Node start);

// A smallest of all that lie in the component.
std::vector<Node> smallest_cycle(const Successors& graph,
                                 const std::vector<Node>& component);

}  // namespace lsm::check
