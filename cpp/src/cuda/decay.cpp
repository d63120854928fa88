// Columns to the device, one kernel, the activations back.
#include "cuda/decay.hpp"

#include <algorithm>
#include <variant>

#include "cuda/launch.hpp"

namespace remanence::cuda {
namespace {

/// Only what the law reads: other columns were not checked.
template <class T>
const T* put(Buffer<T>& buffer, View<const T> values, bool read, const Stream& stream) {
    if (!read || values.empty()) return nullptr;
    buffer.reserve(values.size());
    upload(buffer.data(), values.data(), values.size_bytes(), stream);
    return buffer.data();
}

template <class T>
void run(const DecayLaw& law, const DecayColumns<T>& columns, TimeNs now, View<T> activation) {
    if (activation.empty()) return;
    const unsigned reads = std::visit([](const auto& exact) { return exact.reads; }, law);
    const Stream stream;
    Buffer<TimeNs> access_times, created, last_access;
    Buffer<std::int64_t> offsets;
    Buffer<std::uint32_t> accesses;
    Buffer<T> trace, stability;
    Buffer<double> scratch(columns.access_times.size() + 1);
    Buffer<T> out(activation.size());
    DecayPointers<T> c;
    c.access_times =
        put(access_times, columns.access_times, (reads & column::access_times) != 0, stream);
    c.offsets = put(offsets, columns.offsets, (reads & column::access_times) != 0, stream);
    c.accesses = put(accesses, columns.accesses, (reads & column::accesses) != 0, stream);
    c.created = put(created, columns.created, (reads & column::created) != 0, stream);
    c.last_access =
        put(last_access, columns.last_access, (reads & column::last_access) != 0, stream);
    c.trace = put(trace, columns.trace, (reads & column::trace) != 0, stream);
    c.stability = put(stability, columns.stability, (reads & column::stability) != 0, stream);
    c.scratch = scratch.data();
    run_decay(law, c, now, activation.size(), out.data(), stream);
    download(activation.data(), out.data(), activation.size_bytes(), stream);
}

/// Null where the law does not read a column: what else was given was not looked at.
template <class T>
std::size_t run_there(const DecayLaw& law, const DecayColumns<T>& columns, TimeNs now,
                      View<T> activation) {
    if (activation.empty()) return 0;
    const unsigned reads = std::visit([](const auto& exact) { return exact.reads; }, law);
    const auto read = [&](unsigned column, const auto& values) {
        return (reads & column) != 0 ? values.data() : nullptr;
    };
    const bool histories = (reads & column::access_times) != 0;
    const Stream stream;
    Buffer<double> scratch(histories ? columns.access_times.size() + 1 : 1);
    Buffer<Key> wrong(1);
    DecayPointers<T> c;
    c.access_times = read(column::access_times, columns.access_times);
    c.offsets = read(column::access_times, columns.offsets);
    c.accesses = read(column::accesses, columns.accesses);
    c.created = read(column::created, columns.created);
    c.last_access = read(column::last_access, columns.last_access);
    c.trace = read(column::trace, columns.trace);
    c.stability = read(column::stability, columns.stability);
    c.scratch = scratch.data();
    c.wrong = wrong.data();
    Key first = 0;
    fill(wrong.data(), 0xFF, sizeof first, stream);
    if (histories) {  // before anything is read by them
        run_check_histories(c.access_times, columns.access_times.size(), c.offsets,
                            activation.size(), c.wrong, stream);
        download(&first, wrong.data(), sizeof first, stream);
        if (first < activation.size()) return static_cast<std::size_t>(first);
    }
    run_decay(law, c, now, activation.size(), activation.data(), stream);
    download(&first, wrong.data(), sizeof first, stream);
    return static_cast<std::size_t>(std::min<Key>(first, activation.size()));
}

}  // namespace

std::size_t decay_there(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
                        View<float> activation) {
    return run_there(law, columns, now, activation);
}

std::size_t decay_there(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
                        View<double> activation) {
    return run_there(law, columns, now, activation);
}

void decay(const DecayLaw& law, const DecayColumns<float>& columns, TimeNs now,
           View<float> activation) {
    run(law, columns, now, activation);
}

void decay(const DecayLaw& law, const DecayColumns<double>& columns, TimeNs now,
           View<double> activation) {
    run(law, columns, now, activation);
}

}  // namespace remanence::cuda
