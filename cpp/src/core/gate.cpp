// Codes of columns, the words of arcs, and the words that pass.
#include "core/gate.hpp"

#include <vector>

#include "core/arcs.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

constexpr std::size_t sample_size = 4096;
constexpr std::size_t beyond_share = 128;  ///< of the sample, below the even steps or above
constexpr std::size_t arcs_per_task = 1U << 16U;
constexpr std::size_t all_types = 1U << 16U;
constexpr std::uint32_t weight_place = GateTest::weight_place;
constexpr std::uint32_t to_place = GateTest::to_place;
constexpr std::uint32_t from_place = GateTest::from_place;
constexpr std::uint32_t other_type = GateTest::other_type;

std::uint32_t weight_code(float weight) {
    constexpr float last = 127.0F;
    return static_cast<std::uint32_t>(weight * last);
}

}  // namespace

TimeCodes::TimeCodes(const Column<TimeNs>& column) {
    std::vector<TimeNs> sample;
    const std::size_t size = column.values.size();
    const std::size_t count = std::min(size, sample_size);
    for (std::size_t i = 0; i < count; ++i) {
        const TimeNs t = column.values[i * size / count];
        if (t != time_min && t != time_max) sample.push_back(t);
    }
    if (sample.empty()) return;
    std::sort(sample.begin(), sample.end());
    low = sample[sample.size() / beyond_share];
    high = sample[sample.size() - 1 - sample.size() / beyond_share];
    if (high <= low) return;
    const std::uint64_t width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    scale = static_cast<double>(last - 3) / static_cast<double>(width);
}

GateCodes::GateCodes(const Arcs& arcs) : from(arcs.valid_from), to(arcs.valid_to) {
    std::size_t used = 0;
    for (std::size_t t = 1; t < all_types && used < type.size(); ++t) {
        const auto one = static_cast<std::uint16_t>(t);
        if (has_type(arcs.types, one)) type[used++] = one;
    }
}

std::uint32_t GateCodes::type_code(std::uint16_t t) const {
    return static_cast<std::uint32_t>(std::find(type.begin(), type.end(), t) - type.begin());
}

std::uint32_t GateCodes::word(std::uint32_t type_code, float weight, TimeNs begin,
                              TimeNs end) const {
    return GateTest::guards | type_code | weight_code(weight) << weight_place |
           to.of(end) << to_place | (TimeCodes::last - from.of(begin)) << from_place;
}

bool wants_gate(const Arcs& arcs) {
    const bool valid = !arcs.valid_from.constant() || !arcs.valid_to.constant();
    return valid || (!arcs.type.constant() && !arcs.weight.constant());
}

void make_gate(Arcs& arcs, int workers) {
    const auto made = std::make_shared<const GateCodes>(arcs);
    const GateCodes codes = *made;
    arcs.gate_codes = made;
    arcs.gate = Array<std::uint32_t>(arcs.arcs());
    std::vector<std::uint8_t> type_code(all_types, other_type);
    for (const std::uint16_t t : codes.type)
        type_code[t] = static_cast<std::uint8_t>(codes.type_code(t));
    const std::size_t size = arcs.arcs();
    parallel_for((size + arcs_per_task - 1) / arcs_per_task, workers, [&](std::size_t task, int) {
        const std::size_t end = std::min(size, (task + 1) * arcs_per_task);
        for (std::size_t a = task * arcs_per_task; a < end; ++a) {
            arcs.gate[a] = codes.word(type_code[arcs.type.at(a)], arcs.weight.at(a),
                                      arcs.valid_from.at(a), arcs.valid_to.at(a));
        }
    });
}

GateTest gate_test(const GateCodes& codes, const GateAsk& ask) {
    GateTest out;
    const auto at_least = [&](std::uint32_t code, std::uint32_t place) {
        out.maybe |= code << place;
        out.sure |= (code + 1) << place;
    };
    if (ask.min_weight) at_least(weight_code(*ask.min_weight), weight_place);
    if (ask.to) at_least(codes.to.of(*ask.to), to_place);
    if (ask.from) at_least(TimeCodes::last - codes.from.of(*ask.from), from_place);
    if (ask.types == nullptr) return out;
    out.types_sure = 0;
    for (std::size_t i = 0; i < codes.type.size(); ++i) {
        const std::uint16_t t = codes.type[i];
        if ((ask.types[t / 32U] >> (t % 32U) & 1U) != 0) out.types_sure |= 1U << i;
    }
    out.types_maybe = out.types_sure | 1U << other_type;
    return out;
}

}  // namespace remanence
