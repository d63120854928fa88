// Rows by scope, kind, how high they may score, and cell, erased ones last.
#include "core/row_order.hpp"

#include <array>
#include <numeric>

#include "core/codes.hpp"
#include "core/side_bound.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

/// How high each row of a run may score, apart from its cell, by the weights of the latest
/// question: 0 for the highest, in 255 steps.
std::vector<std::uint8_t> heights_of(const Run& run) {
    Request request;
    request.weights = run.weights;
    for (std::uint32_t r = 0; r < run.rows(); ++r) {
        request.now = std::max(request.now, run.at(r).last_access[r % segment_rows]);
    }
    ScanPlan plan;
    plan.columns = &run.columns;
    plan.request = &request;
    prepare_tables(plan);
    const float per_reach = request.weights.cosine * reach_unit;
    std::vector<float> sum(run.rows());
    parallel_for(run.count, spare_workers(), [&](std::size_t s, int) {
        const auto first = static_cast<std::uint32_t>(s * segment_rows);
        const std::vector<float> side = side_sums(plan, run.at(first));
        const std::uint8_t* const reach = run.codes(first).reach;
        for (std::uint32_t r = 0; r < segment_rows; ++r) {
            sum[first + r] = side[r] + per_reach * static_cast<float>(reach[r]);
        }
    });
    const auto [least, most] = std::minmax_element(sum.begin(), sum.end());
    const float unit = std::max(*most - *least, 1e-30F) / 255.0F;
    std::vector<std::uint8_t> height(sum.size());
    for (std::size_t r = 0; r < sum.size(); ++r) {
        const float steps = (*most - sum[r]) / unit;
        height[r] = steps < 255.0F ? static_cast<std::uint8_t>(steps) : 255;
    }
    return height;
}

/// Rows by how high they may score: those of a tier stand together, as else a strip of nearly every
/// cell would hold a row or two that any question wants.
struct Tiers {
    static constexpr std::array shares{0.03, 0.1, 0.25};  ///< of the rows, that lie in it or above
    std::vector<std::uint8_t> height;                     ///< [row]
    std::array<std::uint8_t, 256> tier{};                 ///< [height]
};

Tiers tiers_of(const Run& run) {
    Tiers out{heights_of(run), {}};
    std::array<std::size_t, 256> rows{};
    for (const std::uint8_t height : out.height) ++rows[height];
    std::size_t above = 0;
    for (std::size_t h = 0; h < rows.size(); ++h) {
        const double share = static_cast<double>(above) / static_cast<double>(out.height.size());
        const auto ended = std::count_if(Tiers::shares.begin(), Tiers::shares.end(),
                                         [&](double end) { return share >= end; });
        out.tier[h] = static_cast<std::uint8_t>(ended);
        above += rows[h];
    }
    return out;
}

/// What rows are sorted by: erased, scope, kind, tier, cell, height in one number.
std::uint64_t key_of(const Run& run, const Tiers& tiers, std::uint32_t r) {
    const Segment& s = run.at(r);
    const std::uint32_t w = r % segment_rows;
    std::uint64_t key = (s.flags[w] & flag::erased) != 0 ? 1 : 0;
    key = key << 24U | s.scope[w];
    key = key << 4U | s.kind[w];
    if (!run.by_cells()) return key << 26U;
    key = key << 2U | tiers.tier[tiers.height[r]];
    return key << 24U | std::uint64_t{run.codes(r).cell[w]} << 8U | tiers.height[r];
}

}  // namespace

std::vector<std::uint32_t> order_of(const Run& run) {
    std::vector<std::uint64_t> key(run.rows());
    const Tiers tiers = run.by_cells() ? tiers_of(run) : Tiers{};
    for (std::uint32_t r = 0; r < run.rows(); ++r) key[r] = key_of(run, tiers, r);
    // A segment alone moves for the sake of its scopes, not for kinds that move with it later.
    const unsigned unseen = run.by_cells() ? 0 : 30;
    if (std::is_sorted(key.begin(), key.end(), [&](std::uint64_t a, std::uint64_t b) {
            return a >> unseen < b >> unseen;
        })) {
        return {};
    }
    std::vector<std::uint32_t> order(run.rows());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return key[a] != key[b] ? key[a] < key[b] : a < b;
    });
    return order;
}

}  // namespace remanence
