// Covers: checks, the order of the rows, their unit vectors, and which backend does the rest.
#include "remanence/cover.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "remanence/canonical.hpp"

#include "core/array.hpp"
#include "core/check.hpp"
#include "core/cover.hpp"
#include "core/plugin.hpp"
#include "core/threads.hpp"
#include "cpu/cover.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

constexpr std::size_t rows_per_task = 256;
constexpr std::size_t head_step = 64;
constexpr std::size_t sampled_pairs = 512;

void each_row(std::size_t rows, const std::function<void(std::size_t)>& use) {
    parallel_for((rows + rows_per_task - 1) / rows_per_task, worker_count(0),
                 [&](std::size_t task, int) {
                     const std::size_t end = std::min(rows, (task + 1) * rows_per_task);
                     for (std::size_t i = task * rows_per_task; i < end; ++i) use(i);
                 });
}

void check_rows(const CoverRows& rows, float cosine) {
    const char* const verb = "cover";
    check(rows.dim >= 1 && rows.dim <= max_dim, verb, [&] {
        return "vectors must have between 1 and " + std::to_string(max_dim) + " dimensions (got " +
               std::to_string(rows.dim) + ")";
    });
    const std::size_t n = rows.vectors.size() / rows.dim;
    check(rows.vectors.size() % rows.dim == 0 && n < no_place, verb, [&] {
        return "vectors must be whole rows, fewer than 2^32 - 1 (got " +
               std::to_string(rows.vectors.size()) + " numbers of dimension " +
               std::to_string(rows.dim) + ")";
    });
    check(cosine >= -1.0F && cosine <= 1.0F, verb,
          [&] { return "cosine must be in [-1, 1] (got " + std::to_string(cosine) + ")"; });
    if (!rows.pinned.empty()) check_length(verb, "pinned", rows.pinned.size(), n);
    if (!rows.uses.empty()) check_length(verb, "uses", rows.uses.size(), n);
    if (!rows.prior.empty()) check_length(verb, "prior", rows.prior.size(), n);
    if (!rows.groups.empty()) check_length(verb, "groups", rows.groups.size(), n);
    for (const float x : rows.uses) {
        check(x >= 0.0F && std::isfinite(x), verb, [&] {
            return "uses must be finite and not negative (got " + std::to_string(x) + ")";
        });
    }
    for (const float x : rows.prior) {
        check(std::isfinite(x), verb,
              [&] { return "prior must be finite (got " + std::to_string(x) + ")"; });
    }
    for (std::size_t i = 0; i < n; ++i) {
        check_vector(verb, rows.vectors.subspan(i * rows.dim, rows.dim), i);
    }
}

std::vector<std::uint32_t> order_of(const CoverRows& rows, std::size_t n) {
    std::vector<double> worth(n);
    each_row(n, [&](std::size_t i) {
        const double prior = rows.prior.empty() ? 0.0 : static_cast<double>(rows.prior[i]);
        const double uses = rows.uses.empty() ? 0.0 : static_cast<double>(rows.uses[i]);
        worth[i] = prior + 2.0 * canonical_log1p(uses);
    });
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        if (!rows.groups.empty() && rows.groups[a] != rows.groups[b]) {
            return rows.groups[a] < rows.groups[b];
        }
        const bool pin_a = !rows.pinned.empty() && rows.pinned[a] != 0;
        const bool pin_b = !rows.pinned.empty() && rows.pinned[b] != 0;
        if (pin_a != pin_b) return pin_a;
        return worth[a] != worth[b] ? worth[a] > worth[b] : a < b;
    });
    return order;
}

/// A plan and what it points to.
class Prepared {
public:
    Prepared(const CoverRows& rows, const std::vector<std::uint32_t>& order, float cosine)
        : pinned_(order.size(), 0), group_(order.size(), 0), tail_(order.size(), 0.0F) {
        plan_.rows = order.size();
        plan_.padded = (rows.dim + 15) / 16 * 16;
        plan_.cosine = cosine;
        // A head's sum rounds at most padded times, by 2^-24 of what is at most one; the exact one
        // and the lengths round far less often. Half of this would do.
        plan_.slack = (static_cast<float>(plan_.padded) + 32.0F) * 0x1p-22F;
        unit_ = Array<float>(plan_.rows * plan_.padded);
        each_row(plan_.rows, [&](std::size_t i) { take(rows, order[i], i); });
        for (std::size_t i = 1; i < plan_.rows && !rows.groups.empty(); ++i) {
            const bool same = rows.groups[order[i]] == rows.groups[order[i - 1]];
            group_[i] = same ? group_[i - 1] : static_cast<std::uint32_t>(i);
        }
        plan_.unit = unit_.data();
        plan_.pinned = pinned_.data();
        plan_.group = group_.data();
        plan_.tail = tail_.data();
        choose_head();
        each_row(plan_.rows, [&](std::size_t i) { tail_[i] = tail(i, plan_.head); });
    }
    const CoverPlan& plan() const { return plan_; }

private:
    const float* row(std::size_t place) const { return unit_.data() + place * plan_.padded; }

    void take(const CoverRows& rows, std::uint32_t from, std::size_t place) {
        float* const to = unit_.data() + place * plan_.padded;
        const float* const x = rows.vectors.data() + from * rows.dim;
        std::copy(x, x + rows.dim, to);
        std::fill(to + rows.dim, to + plan_.padded, 0.0F);
        float square = 0.0F;
        cpu::kernels().dot(to, to, plan_.padded, 1, &square);
        const float length = std::sqrt(square);
        for (std::size_t d = 0; d < rows.dim; ++d) to[d] = to[d] / length;
        if (!rows.pinned.empty()) pinned_[place] = rows.pinned[from] != 0 ? 1 : 0;
    }

    float tail(std::size_t place, std::size_t head) const {
        float square = 0.0F;
        if (head < plan_.padded) {
            cpu::kernels().dot(row(place) + head, row(place) + head, plan_.padded - head, 1,
                               &square);
        }
        return std::sqrt(square);
    }

    /// The head that costs least: itself, and whole products of the sampled pairs that it lets
    /// through. It changes how long a cover takes and not what it is.
    void choose_head() {
        std::size_t least = plan_.padded * sampled_pairs;
        plan_.head = plan_.padded;
        for (std::size_t head = head_step; 2 * head <= plan_.padded && plan_.rows > 1;
             head += head_step) {
            std::size_t cost = head * sampled_pairs;
            for (std::size_t p = 0; p < sampled_pairs; ++p) {
                const std::size_t a = p * 7919 % plan_.rows;
                const std::size_t b = (a + 1 + p * 104729 % (plan_.rows - 1)) % plan_.rows;
                float product = 0.0F;
                cpu::kernels().dot(row(a), row(b), head, 1, &product);
                const float bound = product + tail(a, head) * tail(b, head) + plan_.slack;
                if (bound >= plan_.cosine) cost += plan_.padded;
            }
            if (cost < least) {
                least = cost;
                plan_.head = head;
            }
        }
    }

    CoverPlan plan_;
    Array<float> unit_;
    std::vector<std::uint8_t> pinned_;
    std::vector<std::uint32_t> group_;
    std::vector<float> tail_;
};

}  // namespace

std::vector<std::int64_t> cover(const CoverRows& rows, float cosine, std::string_view backend) {
    const std::string name = chosen_backend("cover", backend);
    check_rows(rows, cosine);
    const auto* const device = name == "cpu" ? nullptr : &plugin(name);
    const std::size_t n = rows.vectors.size() / rows.dim;
    std::vector<std::int64_t> out(n);
    if (n == 0) return out;
    const std::vector<std::uint32_t> order = order_of(rows, n);
    const Prepared ready(rows, order, cosine);
    std::vector<std::uint32_t> stands(n, no_place);
    if (device == nullptr) {
        cpu::cover(ready.plan(), stands);
    } else {
        device->cover(ready.plan(), stands);
    }
    for (std::size_t i = 0; i < n; ++i) out[order[i]] = order[stands[i]];
    return out;
}

}  // namespace remanence
