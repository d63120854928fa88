// Greedy covers: blocks of rows meet what is kept, in tiles that stay in the cache, then each
// other.
#include "cpu/cover.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "core/threads.hpp"
#include "cpu/kernels.hpp"

namespace remanence::cpu {
namespace {

constexpr std::size_t block_rows = 256;
constexpr std::size_t task_rows = 16;  ///< that meet one tile after the other

class Cover {
public:
    Cover(const CoverPlan& plan, View<std::uint32_t> stands) : plan_(plan), stands_(stands) {}

    void run() {
        for (std::size_t first = 0; first < plan_.rows; first += block_rows) {
            const std::size_t end = std::min(plan_.rows, first + block_rows);
            const std::size_t held = kept_.size();
            // Only the block's first group can have begun before it.
            const std::uint32_t group = plan_.group[first];
            const std::size_t from = first_kept(group);
            if (from < held) {
                parallel_for((end - first + task_rows - 1) / task_rows, worker_count(0),
                             [&](std::size_t task, int) {
                                 const std::size_t low = first + task * task_rows;
                                 meet(low, std::min(end, low + task_rows), group, from, held);
                             });
            }
            for (std::size_t place = first; place < end; ++place) settle(place, held);
        }
    }

private:
    /// Places that meet a tile together.
    struct Team {
        std::size_t count = 0;
        std::size_t place[task_rows] = {};
        const float* row[task_rows] = {};
        float tail[task_rows] = {};
        float bound[task_rows * head_tile];
    };

    /// The first of the kept that does not stand before a place.
    std::size_t first_kept(std::uint32_t place) const {
        return static_cast<std::size_t>(std::lower_bound(kept_.begin(), kept_.end(), place) -
                                        kept_.begin());
    }

    void join(Team& team, std::size_t place) const {
        team.place[team.count] = place;
        team.row[team.count] = plan_.unit + place * plan_.padded;
        team.tail[team.count++] = plan_.tail[place];
    }

    void meet(std::size_t low, std::size_t high, std::uint32_t group, std::size_t from,
              std::size_t held) {
        Team team;
        for (std::size_t place = low; place < high && plan_.group[place] == group; ++place) {
            if (plan_.pinned[place] == 0) join(team, place);
        }
        meet(team, from, held);
    }

    /// Each place of the team meets the kept from..held until one is near enough.
    void meet(Team& team, std::size_t from, std::size_t held) {
        for (std::size_t tile = from / head_tile * head_tile; tile < held && team.count > 0;
             tile += head_tile) {
            const std::size_t low = std::max(from, tile) - tile;
            const std::size_t high = std::min(held - tile, head_tile);
            const HeadTile heads{heads_.data() + tile * plan_.head, tails_.data() + tile,
                                 plan_.head, (high + 15) / 16};
            kernels().head_bounds(heads, team.row, team.tail, team.count, team.bound);
            std::size_t left = 0;
            for (std::size_t i = 0; i < team.count; ++i) {
                const std::size_t place = team.place[i];
                stands_[place] = nearest(place, team.bound + i * head_tile, tile, low, high);
                if (stands_[place] != no_place) continue;
                team.place[left] = place;
                team.row[left] = team.row[i];
                team.tail[left++] = team.tail[i];
            }
            team.count = left;
        }
    }

    /// The first of the kept tile + low..tile + high that is near enough.
    std::uint32_t nearest(std::size_t place, const float* bound, std::size_t tile, std::size_t low,
                          std::size_t high) const {
        const float least = plan_.cosine - plan_.slack;
        for (std::size_t word = low / 64; word < (high + 63) / 64; ++word) {
            std::uint64_t may = ~std::uint64_t{0};
            kernels().keep_above(bound + 64 * word, least, 64, &may);
            if (64 * word < low) may &= ~std::uint64_t{0} << (low - 64 * word);
            if (64 * (word + 1) > high) may &= ~std::uint64_t{0} >> (64 * (word + 1) - high);
            for (; may != 0; may &= may - 1) {
                const auto bit = static_cast<std::size_t>(std::countr_zero(may));
                const std::uint32_t other = kept_[tile + 64 * word + bit];
                float exact = 0.0F;
                kernels().dot(plan_.unit + place * plan_.padded, plan_.unit + other * plan_.padded,
                              plan_.padded, 1, &exact);
                if (exact >= plan_.cosine) return other;
            }
        }
        return no_place;
    }

    /// Meets what was kept since the block began, and is kept if nobody is near.
    void settle(std::size_t place, std::size_t held) {
        if (stands_[place] != no_place) return;
        if (plan_.pinned[place] == 0) {
            alone_.count = 0;
            join(alone_, place);
            meet(alone_, std::max(held, first_kept(plan_.group[place])), kept_.size());
        }
        if (stands_[place] != no_place) return;
        stands_[place] = static_cast<std::uint32_t>(place);
        keep(static_cast<std::uint32_t>(place));
    }

    void keep(std::uint32_t place) {
        const std::size_t at = kept_.size();
        if (at % head_tile == 0) {
            heads_.resize((at + head_tile) * plan_.head, 0.0F);
            tails_.resize(at + head_tile, 0.0F);
        }
        float* const head = heads_.data() + at / 16 * 16 * plan_.head + at % 16;
        const float* const row = plan_.unit + place * plan_.padded;
        for (std::size_t d = 0; d < plan_.head; ++d) head[16 * d] = row[d];
        tails_[at] = plan_.tail[place];
        kept_.push_back(place);
    }

    const CoverPlan& plan_;
    View<std::uint32_t> stands_;
    Team alone_;
    std::vector<std::uint32_t> kept_;  ///< places, ascending
    std::vector<float> heads_;         ///< [kept / 16][head][16]
    std::vector<float> tails_;         ///< [kept]
};

}  // namespace

void cover(const CoverPlan& plan, View<std::uint32_t> stands) { Cover(plan, stands).run(); }

}  // namespace remanence::cpu
