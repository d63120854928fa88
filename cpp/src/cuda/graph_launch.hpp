// The kernels of graphs as ordinary functions; only kernels_graph.inl launches.
#pragma once

#include "remanence/graph_store.hpp"

#include "core/push.hpp"
#include "cuda/launch.hpp"

namespace remanence::cuda {

/// An edge of the log; its ends are ranks.
struct LoggedEdge {
    std::uint32_t source, target;
    float weight;
    std::uint32_t type;
    TimeNs valid_from, valid_to;
    Seq seq_from;
};

/// A graph and what is asked of its arcs, all on the device. Columns that nobody asks for are null.
struct GraphColumns {
    std::uint32_t base_nodes, base_edges, ranks, log_edges;
    const std::uint32_t* offset;  ///< [2 base_nodes + 1]
    const std::uint32_t* to;      ///< [2 base_edges]
    const std::uint32_t* edge;
    const std::uint32_t* node_of;  ///< [base_nodes]
    const std::uint32_t* rank_of;
    const float* weight;  ///< null = every weight is `one`
    float one;
    bool no_base, valid_asked;
    const std::uint16_t* type;
    const TimeNs* valid_from;
    const TimeNs* valid_to;
    TimeNs one_from, one_to;  ///< where there is no column
    bool valid_in_base;
    const Seq* seq_from;
    const Seq* closed;
    const LoggedEdge* log;       ///< [log_edges]
    const Seq* log_closed;       ///< [log_edges]
    const std::uint32_t* first;  ///< [ranks][2] place plus one of the first logged edge out and in
    const std::uint32_t* next;   ///< [log_edges][2]
    std::uint32_t chained;       ///< ranks from here on have no logged edges
    const std::uint32_t* types;  ///< a bit for each; null = all
    const std::uint8_t* allow;   ///< by rank; null = all
    float min_weight;
    TimeNs valid_at;
    Seq seq;
    bool out, in;  ///< the sides of a row that are walked
};

/// Where a link of a chain goes: first[place] or next[place].
struct Link {
    std::uint32_t place;
    std::uint32_t value;
};
void run_set_links(std::uint32_t* target, const Link* links, std::uint32_t count,
                   const Stream& stream);

/// What arcs are followed by a search, and what they are worth.
inline constexpr std::uint32_t no_hop = 0xFFFF'FFFFU;

struct Measure {
    PathBy by;
    const double* lengths;  ///< [edges]; null = the weights
    const Key* best;        ///< [ranks] bits of the best values; null = any arc leads on
};

/// Lists of ranks and their lengths; a search goes from one to the other.
struct Level {
    const std::uint32_t* ranks;
    std::uint32_t count;
    std::uint32_t* next;
    std::uint32_t* next_count;
};

/// One level: ranks without a hop that an arc leads to get `hop`; with `edge`, the least number of
/// the edges that lead there.
void run_advance(const GraphColumns& g, const Measure& measure, const Level& level,
                 std::uint32_t hop, std::uint32_t* hops, std::uint32_t* edge, const Stream& stream);
/// Betters values along the arcs of the list; whose value got better is in the next one, once.
void run_relax(const GraphColumns& g, const Measure& measure, const Level& level,
               std::uint32_t round, Key* best, std::uint32_t* listed, const Stream& stream);

/// Detours from one path to a target, side by side; a slot is detour * ranks + rank.
struct BetweenColumns {
    PathBy by;
    std::uint32_t target, first_detour;
    const double* lengths;        ///< [edges]; null = the weights
    const std::uint32_t* from;    ///< [detours]
    const std::uint32_t* cut;     ///< [detours + 1] of the edges that no detour may begin with
    const std::uint32_t* banned;  ///< of each detour ascending
    std::uint32_t* place;         ///< [ranks] on the path; detour i may not pass those below i
    Key* best;                    ///< [slots] bits of the best values
    Key* step;                    ///< [slots] least edge << 32 | rank that leads on to the target
    std::uint32_t* listed;        ///< [slots]
    std::uint32_t* hops;          ///< [slots]
};
void run_start_between(std::uint32_t ranks, const BetweenColumns& b, std::uint32_t detours,
                       const Key* value, const Stream& stream);
/// As run_relax and run_advance, for every detour at once; then back from the targets.
void run_relax_between(const GraphColumns& g, const BetweenColumns& b, const Level& level,
                       std::uint32_t round, const Stream& stream);
void run_advance_between(const GraphColumns& g, const BetweenColumns& b, const Level& level,
                         std::uint32_t hop, const Stream& stream);
void run_lead_back(const GraphColumns& g, const BetweenColumns& b, const Level& level,
                   std::uint32_t mark, const Stream& stream);
/// The values and hops of the targets, and the steps of the ways to them from place[d] on.
void run_read_targets(std::uint32_t ranks, const BetweenColumns& b, std::uint32_t detours,
                      Key* value, std::uint32_t* hops, const Stream& stream);
void run_read_steps(std::uint32_t ranks, const BetweenColumns& b, std::uint32_t detours,
                    const std::uint32_t* place, Key* steps, const Stream& stream);

/// Labels and the waves in which they are settled, by rank but for the waves themselves.
struct LabelColumns {
    PlainRows rows;
    const std::uint32_t* turn;  ///< in the drawn order
    std::uint32_t* label;
    std::uint32_t* earlier;  ///< neighbours before it that are not done
    std::uint32_t* waves;    ///< ranks, one wave behind the other
    std::uint32_t* tail;     ///< their number, and how many waves one launch found
    std::uint32_t* cuts;     ///< where waves begin
    std::uint32_t* moved;
    std::uint32_t* keys;  ///< two for each arc, as the sums
    double* sums;
};
void run_first_wave(const LabelColumns& c, const Stream& stream);
void run_next_wave(const LabelColumns& c, std::uint32_t first, std::uint32_t end,
                   const Stream& stream);
/// Waves by one block until one is empty or has more than `few` nodes; their ends into cuts.
void run_small_waves(const LabelColumns& c, std::uint32_t first, std::uint32_t end,
                     std::uint32_t few, const Stream& stream);
/// New labels of the nodes of the waves from `first` on; `nodes` of the first one.
void run_settle_waves(const LabelColumns& c, std::uint32_t first, std::uint32_t waves,
                      std::uint32_t nodes, const Stream& stream);
/// Summed weights of each row, and of its arcs whose ends have one label.
void run_sum_communities(const PlainRows& rows, const std::uint32_t* label, double* degree,
                         double* inside, const Stream& stream);

/// Least node of each component by rank, through a forest over the ranks. With labels only arcs
/// between equal ones count.
void run_components(const GraphColumns& g, const std::uint32_t* label, std::uint32_t* parent,
                    std::uint32_t* least, const Stream& stream);

/// A block's room for one question: bits by node, which it leaves clear, nodes in the order of the
/// answer, and how many there are after each hop.
struct HopRoom {
    std::uint32_t words, hops;
    std::uint32_t* seen;   ///< [blocks][words]
    std::uint32_t* fresh;  ///< [blocks][words]
    std::uint32_t* found;  ///< [blocks][ranks]
    std::uint32_t* ends;   ///< [blocks][hops + 1]
};
struct HopQuestions {
    const std::uint32_t* seeds;  ///< ranks
    const std::uint32_t* start;  ///< those of question i from start[i] to start[i + 1]
    std::uint32_t limit;
};
void run_khop(const GraphColumns& g, const HopQuestions& questions, std::uint32_t count,
              const HopRoom& room, const Stream& stream);
/// The first nodes of each block's room, one question behind the other.
void run_gather(const HopRoom& room, std::uint32_t ranks, const std::uint32_t* place,
                std::uint32_t count, std::uint32_t* out, const Stream& stream);

/// A warp's room for one local walk; all but the lists are zero before.
struct PushRoom {
    double* mass;  ///< [questions][ranks], as the others
    double* residual;
    std::uint32_t* mark;
    std::uint32_t* touched;  ///< ranks in the order in which they were touched
    std::uint32_t* queue;
    std::uint32_t* count;  ///< [questions] ranks touched
    Key* degree;           ///< [ranks] of all questions: what a degree is once it is known
};
struct PushQuestions {
    const std::uint32_t* ranks;
    const double* share;
    const std::uint32_t* cut;  ///< question q starts at ranks cut[q] to cut[q + 1]
    double damping, residual;
};
void run_push(const GraphColumns& g, const PushQuestions& q, std::uint32_t questions,
              const PushRoom& room, const Stream& stream);
/// What each question touched, from place[q] on.
void run_read_pushed(const GraphColumns& g, const PushRoom& room, const std::uint32_t* place,
                     std::uint32_t questions, Pushed* out, const Stream& stream);

/// The arcs that pass, as plain rows in the processor's order: counts into offset[1..], then, once
/// they are summed, the arcs.
void run_project(const GraphColumns& g, std::uint32_t* offset, std::uint32_t* to, float* weight,
                 const Stream& stream);
void run_sum_offsets(std::uint32_t* offset, std::uint32_t ranks, const Stream& stream);

}  // namespace remanence::cuda
