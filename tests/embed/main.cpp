// Embeds the engine: writes three memories and a link, recalls, saves, loads, and checks refusals.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <remanence/remanence.hpp>

namespace {

constexpr std::int64_t day_ns = 86'400'000'000'000;

void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "embed: %s does not hold\n", what);
    std::exit(1);
}

/// Three dated notes with two-dimensional vectors and their stems.
struct Notes {
    std::array<remanence::Id, 3> id{1, 2, 3};
    std::array<std::uint32_t, 3> zero32{};
    std::array<std::uint8_t, 3> zero8{};
    std::array<std::uint16_t, 3> length{3, 3, 3};
    std::array<remanence::TimeNs, 3> time{0, day_ns, 2 * day_ns};
    std::array<remanence::TimeNs, 3> from{remanence::time_min, remanence::time_min,
                                          remanence::time_min};
    std::array<remanence::TimeNs, 3> to{remanence::time_max, remanence::time_max,
                                        remanence::time_max};
    std::array<float, 3> belief{1.0F, 1.0F, 1.0F};
    std::array<float, 3> importance{};
    std::array<std::string_view, 3> terms{"bridg larch glue", "cat fridg sleep", "bridg pile mud"};
    std::array<float, 6> vectors{1.0F, 0.0F, 0.0F, 1.0F, 0.8F, 0.6F};

    remanence::MemoryBatch batch() const {
        remanence::MemoryBatch rows;
        rows.id = id;
        rows.scope = rows.author = rows.session = zero32;
        rows.kind = rows.law = rows.flags = zero8;
        rows.length = length;
        rows.time = time;
        rows.valid_from = from;
        rows.valid_to = to;
        rows.belief = belief;
        rows.importance = importance;
        rows.terms = terms;
        rows.vectors = vectors;
        rows.dim = 2;
        return rows;
    }
};

void link(remanence::Engine& engine) {
    const std::array<remanence::Seq, 1> seq{2};
    const std::array<remanence::EdgeId, 1> edge{1};
    const std::array<remanence::Id, 1> source{3};
    const std::array<remanence::Id, 1> target{1};
    const std::array<std::uint16_t, 1> type{remanence::edge_type::related};
    const std::array<float, 1> weight{1.0F};
    const std::array<remanence::TimeNs, 1> from{remanence::time_min};
    const std::array<remanence::TimeNs, 1> to{remanence::time_max};
    engine.link(seq, {edge, source, target, type, weight, from, to});
}

remanence::Request question() {
    remanence::Request request;
    request.k = 2;
    request.now = 3 * day_ns;
    request.vector = {1.0F, 0.0F};
    request.terms = "bridg";
    request.explain = true;
    return request;
}

}  // namespace

int main(int argc, char** argv) {
    check(argc == 2, "one argument: the path of a snapshot to write");
    const std::string path = argv[1];

    remanence::Engine engine(2);
    const Notes notes;
    const std::array<remanence::Seq, 1> first{1};
    engine.append(first, notes.batch());
    link(engine);

    const remanence::Hits hits = engine.recall(question());
    check(hits.id == std::vector<remanence::Id>{1, 3}, "the two bridges are recalled, best first");
    check(hits.score[0] > hits.score[1], "scores descend");
    check(hits.terms.size() == 2 * remanence::term_count, "every hit is explained");
    check(hits.scanned == 3, "all three memories pass the filters");
    check(engine.neighbours(1, {}).id == std::vector<remanence::Id>{3}, "the link is seen");

    engine.save(path);
    const remanence::Engine copy = remanence::Engine::load(path);
    check(copy.digest() == engine.digest(), "a loaded snapshot has the same digest");
    check(copy.recall(question()).score == hits.score, "a loaded snapshot answers the same bits");

    try {
        remanence::Request bad = question();
        bad.k = 0;
        engine.recall(bad);
        check(false, "k of 0 is refused");
    } catch (const remanence::InvalidArgument& error) {
        check(std::string_view(error.what()).starts_with("recall: "), "the message names the verb");
    }
    std::printf("remanence %s on %s: recalled %lld\n", remanence::version().c_str(),
                remanence::simd().c_str(), static_cast<long long>(hits.id[0]));
    return 0;
}
