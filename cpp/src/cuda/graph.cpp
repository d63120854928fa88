// The verbs of a graph that search it: levels of kernels, and their answers to the host.
#include <algorithm>
#include <limits>

#include "cuda/communities.hpp"
#include "cuda/paths_between.hpp"
#include "cuda/push.hpp"
#include "cuda/walk.hpp"

namespace remanence::cuda {
namespace {

constexpr std::uint32_t most_blocks = 4096;  // questions under way at a time

std::vector<std::uint32_t> each_once(View<const std::uint32_t> seeds) {
    std::vector<std::uint32_t> out(seeds.begin(), seeds.end());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

/// The first arc's least value: the bits of a double as two words.
std::vector<Link> both_words(const std::vector<std::uint32_t>& ranks, Key bits) {
    std::vector<Link> out;
    out.reserve(2 * ranks.size());
    for (const std::uint32_t r : ranks) {
        out.push_back({2 * r, static_cast<std::uint32_t>(bits)});
        out.push_back({2 * r + 1, static_cast<std::uint32_t>(bits >> 32U)});
    }
    return out;
}

class Graph final : public DeviceGraph {
public:
    Graph(std::shared_ptr<const Arcs> arcs, std::shared_ptr<const ArcLog> log)
        : mirror_(std::move(arcs), std::move(log)) {}

    void khop(const Filter& filter, View<const std::uint32_t> seeds,
              View<const std::uint32_t> start, int hops, std::size_t limit, Hops& out) override;
    Array<std::int32_t> bfs(const Filter& filter, View<const std::uint32_t> seeds,
                            std::vector<std::int64_t>* edges) override;
    Array<double> best(const Filter& filter, View<const std::uint32_t> seeds,
                       const DevicePaths& paths, std::vector<std::int64_t>* edges) override;
    std::vector<Path> paths(const Filter& filter, std::uint32_t source, std::uint32_t target,
                            std::size_t k, const DevicePaths& measure) override {
        const std::lock_guard lock(mutex_);
        return between_.best(mirror_, filter, source, target, k, measure, stream_);
    }
    std::vector<std::int64_t> components(const Filter& filter) override;
    void walk(const Filter& filter, const WalkSettings& settings, View<const DeviceStart> starts,
              Array<double>* degree) override {
        const std::lock_guard lock(mutex_);
        cuda::walk(mirror_, filter, settings, starts, degree, stream_);
    }

    Array<std::uint32_t> arc_counts(const Filter& filter) override {
        const std::lock_guard lock(mutex_);
        return labels_.arc_counts(mirror_, filter, stream_);
    }
    std::vector<std::uint32_t> propagate_labels(const Filter& filter,
                                                const LabelOrder& order) override {
        const std::lock_guard lock(mutex_);
        return labels_.propagate(mirror_, filter, order, stream_);
    }
    RowSums row_sums(const Filter& filter, View<const std::uint32_t> label) override {
        const std::lock_guard lock(mutex_);
        return labels_.row_sums(mirror_, filter, label, stream_);
    }
    std::vector<std::vector<Pushed>> push(const Filter& filter, const DevicePush& asked) override {
        const std::lock_guard lock(mutex_);
        return pushes_.push(mirror_, filter, asked, stream_);
    }

private:
    template <class Step>
    void levels(const std::vector<std::uint32_t>& seeds, std::uint32_t ranks, Step&& step);
    void search_levels(const GraphColumns& g, const Measure& measure,
                       const std::vector<std::uint32_t>& seeds, std::vector<std::int64_t>* edges);
    std::uint32_t make_room(const GraphColumns& g, std::size_t questions, int hops, HopRoom& room);
    void hand_out(const HopRoom& room, std::uint32_t ranks, std::uint32_t count,
                  std::uint32_t limit, Hops& out);

    std::mutex mutex_;
    Stream stream_;
    GraphMirror mirror_;
    Between between_;
    Pushes pushes_;
    LabelWaves labels_;
    Buffer<std::uint32_t> lists_[2], count_, hops_, edges_, listed_, seeds_, start_;
    Buffer<std::uint32_t> bits_, found_, ends_, place_, gathered_;
    Buffer<Key> best_;
    Buffer<Link> links_;
};

/// Calls step(level, number) for one level after the other until one is empty.
template <class Step>
void Graph::levels(const std::vector<std::uint32_t>& seeds, std::uint32_t ranks, Step&& step) {
    for (auto& list : lists_) list.reserve(ranks);
    count_.reserve(1);
    auto count = static_cast<std::uint32_t>(seeds.size());
    upload(lists_[0].data(), seeds.data(), seeds.size() * sizeof(std::uint32_t), stream_);
    for (std::uint32_t level = 1; count > 0; ++level) {
        fill(count_.data(), 0, sizeof count, stream_);
        step(Level{lists_[0].data(), count, lists_[1].data(), count_.data()}, level);
        download(&count, count_.data(), sizeof count, stream_);
        std::swap(lists_[0], lists_[1]);
    }
}

/// Hops into hops_, and the edges by which they arrive where they are asked for.
void Graph::search_levels(const GraphColumns& g, const Measure& measure,
                          const std::vector<std::uint32_t>& seeds,
                          std::vector<std::int64_t>* edges) {
    std::vector<Link> at_start;
    at_start.reserve(seeds.size());
    for (const std::uint32_t r : seeds) at_start.push_back({r, 0});
    hops_.reserve(g.ranks);
    fill(hops_.data(), 0xFF, std::size_t{g.ranks} * sizeof(std::uint32_t), stream_);
    run_set_links(hops_.data(), links_.put(at_start, stream_),
                  static_cast<std::uint32_t>(at_start.size()), stream_);
    if (edges != nullptr) {
        edges_.reserve(g.ranks);
        fill(edges_.data(), 0xFF, std::size_t{g.ranks} * sizeof(std::uint32_t), stream_);
    }
    levels(seeds, g.ranks, [&](const Level& level, std::uint32_t hop) {
        run_advance(g, measure, level, hop, hops_.data(),
                    edges != nullptr ? edges_.data() : nullptr, stream_);
    });
    if (edges == nullptr) return;
    std::vector<std::uint32_t> found(g.ranks);
    download(found.data(), edges_.data(), found.size() * sizeof found[0], stream_);
    edges->resize(found.size());
    std::transform(found.begin(), found.end(), edges->begin(), [](std::uint32_t e) {
        return e == no_hop ? std::int64_t{-1} : std::int64_t{e};
    });
}

Array<std::int32_t> Graph::bfs(const Filter& filter, View<const std::uint32_t> seeds,
                               std::vector<std::int64_t>* edges) {
    Array<std::int32_t> out(filter.state().nodes);
    if (out.empty()) return out;
    const std::lock_guard lock(mutex_);
    const GraphColumns g = mirror_.follow(filter, filter.direction(), stream_);
    search_levels(g, {PathBy::hops, nullptr, nullptr}, each_once(seeds), edges);
    download(out.data(), hops_.data(), out.bytes(), stream_);
    return out;
}

Array<double> Graph::best(const Filter& filter, View<const std::uint32_t> seeds,
                          const DevicePaths& paths, std::vector<std::int64_t>* edges) {
    Array<double> out(filter.state().nodes);
    if (out.empty()) return out;
    const std::lock_guard lock(mutex_);
    const GraphColumns g = mirror_.follow(filter, filter.direction(), stream_);
    const bool product = paths.by == PathBy::weight;
    Buffer<double> lengths;
    if (!paths.lengths.empty()) {
        lengths.reserve(paths.lengths.size());
        upload(lengths.data(), paths.lengths.data(), paths.lengths.size_bytes(), stream_);
    }
    best_.reserve(g.ranks);
    listed_.reserve(g.ranks);
    // What was not reached: zero, the least product, or all bits, more than any length.
    fill(best_.data(), product ? 0 : 0xFF, std::size_t{g.ranks} * sizeof(Key), stream_);
    fill(listed_.data(), 0, std::size_t{g.ranks} * sizeof(std::uint32_t), stream_);
    const std::vector<std::uint32_t> from = each_once(seeds);
    constexpr Key one = 0x3FF0'0000'0000'0000U;
    const std::vector<Link> at_start = both_words(from, product ? one : 0);
    run_set_links(reinterpret_cast<std::uint32_t*>(best_.data()), links_.put(at_start, stream_),
                  static_cast<std::uint32_t>(at_start.size()), stream_);
    const Measure measure{paths.by, lengths.data(), best_.data()};
    levels(from, g.ranks, [&](const Level& level, std::uint32_t round) {
        run_relax(g, measure, level, round, best_.data(), listed_.data(), stream_);
    });
    download(out.data(), best_.data(), out.bytes(), stream_);
    for (std::size_t r = 0; r < out.size(); ++r) {
        if (out[r] != out[r]) out[r] = std::numeric_limits<double>::infinity();
    }
    if (edges != nullptr) search_levels(g, measure, from, edges);
    return out;
}

std::vector<std::int64_t> Graph::components(const Filter& filter) {
    const GraphState& state = filter.state();
    std::vector<std::int64_t> out(state.nodes);
    if (out.empty()) return out;
    std::vector<std::uint32_t> least(state.nodes);
    const std::lock_guard lock(mutex_);
    const GraphColumns g = mirror_.follow(filter, Direction::both, stream_);
    hops_.reserve(g.ranks);
    listed_.reserve(g.ranks);
    fill(listed_.data(), 0xFF, least.size() * sizeof least[0], stream_);
    run_components(g, nullptr, hops_.data(), listed_.data(), stream_);
    download(least.data(), listed_.data(), least.size() * sizeof least[0], stream_);
    for (std::uint32_t r = 0; r < state.nodes; ++r) out[state.node(r)] = least[r];
    return out;
}

/// Room for as many questions at a time as an eighth of the free memory holds.
std::uint32_t Graph::make_room(const GraphColumns& g, std::size_t questions, int hops,
                               HopRoom& room) {
    room.words = (g.ranks + 31) / 32;
    room.hops = static_cast<std::uint32_t>(hops);
    const std::size_t each = std::size_t{g.ranks} + 2 * room.words + room.hops + 1;
    const std::size_t had = bits_.size() + found_.size() + ends_.size();
    const std::size_t fit = std::max(had, free_bytes() / 8 / sizeof(std::uint32_t)) / each;
    const auto blocks = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(std::min(fit, questions), 1, most_blocks));
    if (bits_.reserve(std::size_t{2} * room.words * blocks)) {
        fill(bits_.data(), 0, bits_.size() * sizeof(std::uint32_t), stream_);
    }
    found_.reserve(std::size_t{g.ranks} * blocks);
    ends_.reserve(std::size_t{room.hops + 1} * blocks);
    room.seen = bits_.data();
    room.fresh = bits_.data() + std::size_t{room.words} * blocks;
    room.found = found_.data();
    room.ends = ends_.data();
    return blocks;
}

/// The answers of one wave of questions, one behind the other.
void Graph::hand_out(const HopRoom& room, std::uint32_t ranks, std::uint32_t count,
                     std::uint32_t limit, Hops& out) {
    const std::size_t stride = room.hops + 1;
    std::vector<std::uint32_t> ends(stride * count);
    download(ends.data(), room.ends, ends.size() * sizeof ends[0], stream_);
    std::vector<std::uint32_t> place{0};
    place.reserve(std::size_t{count} + 1);
    for (std::uint32_t b = 0; b < count; ++b) {
        const std::uint32_t n = std::min(limit, ends[(b + 1) * stride - 1]);
        place.push_back(place.back() + n);
        out.start.push_back(out.start.back() + n);
        std::uint32_t before = 0;
        for (std::uint32_t hop = 0; hop < stride; ++hop) {
            const std::uint32_t end = std::min(limit, ends[b * stride + hop]);
            out.hop.insert(out.hop.end(), end - before, static_cast<std::int32_t>(hop));
            before = end;
        }
    }
    if (place.back() == 0) return;
    gathered_.reserve(place.back());
    run_gather(room, ranks, place_.put(place, stream_), count, gathered_.data(), stream_);
    std::vector<std::uint32_t> nodes(place.back());
    download(nodes.data(), gathered_.data(), nodes.size() * sizeof nodes[0], stream_);
    out.node.insert(out.node.end(), nodes.begin(), nodes.end());
}

void Graph::khop(const Filter& filter, View<const std::uint32_t> seeds,
                 View<const std::uint32_t> start, int hops, std::size_t limit, Hops& out) {
    const std::size_t questions = start.empty() ? 0 : start.size() - 1;
    if (filter.state().nodes == 0 || seeds.empty()) {
        out.start.resize(out.start.size() + questions, out.start.back());
        return;
    }
    const std::lock_guard lock(mutex_);
    const GraphColumns g = mirror_.follow(filter, filter.direction(), stream_);
    const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(limit, g.ranks));
    HopRoom room{};
    const std::uint32_t blocks = make_room(g, questions, hops, room);
    HopQuestions asked{seeds_.put({seeds.begin(), seeds.end()}, stream_),
                       start_.put({start.begin(), start.end()}, stream_), most};
    const std::uint32_t* const all = asked.start;
    // A wave's answers are at most limit nodes each, and their places are 32-bit numbers.
    const auto wave =
        static_cast<std::uint32_t>(std::clamp<std::size_t>(0xFFFF'FFFFU / most, 1, blocks));
    for (std::size_t first = 0; first < questions; first += wave) {
        const auto count =
            static_cast<std::uint32_t>(std::min<std::size_t>(wave, questions - first));
        asked.start = all + first;
        run_khop(g, asked, count, room, stream_);
        hand_out(room, g.ranks, count, most, out);
    }
}

}  // namespace

std::shared_ptr<DeviceGraph> make_graph(std::shared_ptr<const Arcs> arcs,
                                        std::shared_ptr<const ArcLog> log) {
    return std::make_shared<Graph>(std::move(arcs), std::move(log));
}

}  // namespace remanence::cuda
