// Drawn orders, and modularity from the sums of rows.
#include "core/partition.hpp"

#include <numeric>
#include <utility>

namespace remanence {
namespace {

/// SplitMix64: the order depends on the seed alone.
std::uint64_t next_random(std::uint64_t& state) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
}

}  // namespace

std::vector<std::uint32_t> drawn_order(std::uint32_t n, std::uint64_t seed) {
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    for (std::uint32_t i = n; i > 1; --i) {
        std::swap(order[i - 1], order[next_random(seed) % i]);
    }
    return order;
}

LabelOrder label_order(const Array<std::uint32_t>& node, std::uint64_t seed) {
    const auto n = static_cast<std::uint32_t>(node.size());
    LabelOrder out{std::vector<std::uint32_t>(n), std::vector<std::uint32_t>(n)};
    const std::vector<std::uint32_t> order = drawn_order(n, seed);
    for (std::uint32_t i = 0; i < n; ++i) {
        out.label[node[i]] = i;
        out.turn[node[order[i]]] = i;
    }
    return out;
}

double modularity_of(const Array<std::uint32_t>& node, const RowSums& rows,
                     View<const std::uint32_t> label, double resolution) {
    std::vector<double> degrees(node.size(), 0.0);
    double total = 0.0;
    double inside = 0.0;
    for (const std::uint32_t v : node.span()) {
        degrees[label[v]] += rows.degree[v];
        total += rows.degree[v];
        inside += rows.inside[v];
    }
    if (total == 0.0) return 0.0;
    double expected = 0.0;
    for (const double d : degrees) expected += (d / total) * (d / total);
    return inside / total - resolution * expected;
}

}  // namespace remanence
