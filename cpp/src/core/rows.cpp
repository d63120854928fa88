// Making a filter ready: what the columns of a base already say need not be tested per arc.
#include "core/rows.hpp"

#include <string>

#include "core/check.hpp"

namespace remanence {

Filter::Filter(const char* verb, const GraphState& state, const GraphFilter& filter)
    : state_(state), arcs_(&state.arcs()), direction_(filter.direction) {
    check(filter.min_weight >= 0.0F && filter.min_weight <= 1.0F, verb, [&] {
        return "min_weight must be in [0, 1] (got " + std::to_string(filter.min_weight) + ")";
    });
    if (!filter.allow.empty()) {
        check_length(verb, "allow", filter.allow.size(), state.nodes);
        allow_ = filter.allow;
    }
    seq_ = filter.as_of ? std::min(*filter.as_of, state.seq) : state.seq;
    later_in_base_ = arcs_->last_seq > seq_;
    closed_in_base_ = state.epoch->closed != nullptr;
    min_weight_ = filter.min_weight;
    if (arcs_->weight.constant() && arcs_->weight.one < min_weight_) none_of_base_ = true;
    if (filter.types) {
        has_types_ = true;
        types_ = std::make_unique<TypeBits>();
        for (const std::uint16_t type : *filter.types) {
            (*types_)[type / 32U] |= 1U << (type % 32U);
        }
        type_in_rows_ = !arcs_->type.constant();
        if (!type_in_rows_ && !has_type(arcs_->type.one)) none_of_base_ = true;
    }
    if (filter.valid_at) {
        has_valid_at_ = true;
        valid_at_ = *filter.valid_at;
        valid_in_rows_ = !arcs_->valid_from.constant() || !arcs_->valid_to.constant();
        if (!valid_in_rows_ && !holds(arcs_->valid_from.one, arcs_->valid_to.one)) {
            none_of_base_ = true;
        }
    }
    const bool weight_in_rows = min_weight_ > 0.0F && !arcs_->weight.constant();
    plain_ = state.log_edges == 0 && arcs_->nodes == state.nodes && !none_of_base_ &&
             !type_in_rows_ && !weight_in_rows && !valid_in_rows_ && !later_in_base_ &&
             !closed_in_base_ && allow_.empty();
}

std::uint32_t Filter::seed(const char* verb, std::int64_t node) const {
    if (node < 0 || node >= static_cast<std::int64_t>(state_.nodes) ||
        !this->node(static_cast<std::uint32_t>(node))) {
        throw NotFound(std::string(verb) + ": there is no node " + std::to_string(node));
    }
    return state_.rank(static_cast<std::uint32_t>(node));
}

}  // namespace remanence
