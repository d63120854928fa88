// Making a filter ready: what the columns of a base already say need not be tested per arc.
#include "core/rows.hpp"

#include <algorithm>
#include <string>

#include "core/check.hpp"

namespace remanence {

Filter::Filter(const char* verb, const GraphState& state, const GraphFilter& filter, Reach reach)
    : state_(&state), arcs_(&state.arcs()), direction_(filter.direction) {
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
    none_of_base_ = arcs_->weight.greatest() < min_weight_;
    weight_in_rows_ = arcs_->weight.least() < min_weight_ && !none_of_base_;
    if (filter.types) ready_types(*filter.types);
    if (filter.valid_at) {
        valid_at_ = *filter.valid_at;
        ready_valid_at();
    }
    plain_ = state.log_edges == 0 && arcs_->nodes == state.nodes && !none_of_base_ &&
             !type_in_rows_ && !weight_in_rows_ && !valid_in_rows_ && !later_in_base_ &&
             !closed_in_base_ && allow_.empty();
    whole_log_ = !has_types_ && !has_valid_at_ && min_weight_ == 0.0F && seq_ == state.seq &&
                 !state.log_closed;
    ready_gate();
    if (reach != Reach::little) ready_copy(filter, reach);
}

void Filter::ready_gate() {
    if (arcs_->gate.empty() || none_of_base_) return;
    if (!type_in_rows_ && !weight_in_rows_ && !valid_in_rows_) return;
    GateAsk ask;
    if (type_in_rows_) ask.types = types_->data();
    if (weight_in_rows_) ask.min_weight = min_weight_;
    if (valid_in_rows_ && !arcs_->valid_from.constant()) ask.from = valid_at_;
    if (valid_in_rows_ && !arcs_->valid_to.constant()) ask.to = valid_at_;
    gate_ = arcs_->gate.data();
    gate_test_ = remanence::gate_test(*arcs_->gate_codes, ask);
    gate_decides_ = !later_in_base_ && !closed_in_base_;
}

void Filter::ready_copy(const GraphFilter& filter, Reach reach) {
    const bool asks =
        type_in_rows_ || weight_in_rows_ || valid_in_rows_ || later_in_base_ || closed_in_base_;
    if (none_of_base_ || !asks) return;
    ArcQuestion question{filter.types, min_weight_, filter.valid_at, seq_};
    if (question.types) std::sort(question.types->begin(), question.types->end());
    KeptArcs& kept = *state_->epoch->kept;
    KeptArcs::Found found = kept.find(question, *state_);
    if (found.due) {
        KeptEpoch made = copy_passing(*this, question);
        found.epoch = made.epoch;
        kept.keep(question, std::move(made), arcs_->bytes());
    }
    if (found.epoch == nullptr) {
        if (reach == Reach::all) kept.asked(question, arcs_->arcs());
        question_ = std::move(question);
        return;
    }
    copied_ = *state_;
    copied_->epoch = std::move(found.epoch);
    state_ = &*copied_;
    arcs_ = &state_->arcs();
    type_in_rows_ = weight_in_rows_ = valid_in_rows_ = later_in_base_ = closed_in_base_ = false;
    gate_ = nullptr;
    gate_decides_ = false;
    plain_ = state_->log_edges == 0 && arcs_->nodes == state_->nodes && allow_.empty();
}

void Filter::ready_types(const std::vector<std::uint16_t>& types) {
    has_types_ = true;
    types_ = std::make_unique<TypeBits>();
    for (const std::uint16_t type : types) put_type(*types_, type);
    if (arcs_->type.constant()) {
        none_of_base_ = none_of_base_ || !has_type(*types_, arcs_->type.one);
        return;
    }
    std::uint32_t some = 0;
    std::uint32_t others = 0;
    for (std::size_t i = 0; i < types_->size(); ++i) {
        some |= arcs_->types[i] & (*types_)[i];
        others |= arcs_->types[i] & ~(*types_)[i];
    }
    type_in_rows_ = others != 0;
    none_of_base_ = none_of_base_ || some == 0;
}

void Filter::ready_valid_at() {
    has_valid_at_ = true;
    const Column<TimeNs>& from = arcs_->valid_from;
    const Column<TimeNs>& to = arcs_->valid_to;
    valid_in_rows_ = from.greatest() > valid_at_ || !open_at(to.least(), valid_at_);
    if (from.least() > valid_at_ || !open_at(to.greatest(), valid_at_)) none_of_base_ = true;
}

std::uint32_t Filter::seed(const char* verb, std::int64_t node) const {
    if (node < 0 || node >= static_cast<std::int64_t>(state_->nodes) ||
        !this->node(static_cast<std::uint32_t>(node))) {
        throw NotFound(std::string(verb) + ": there is no node " + std::to_string(node));
    }
    return state_->rank(static_cast<std::uint32_t>(node));
}

}  // namespace remanence
