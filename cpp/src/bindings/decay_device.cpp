// The verb `decay` over columns that lie on a device.
#include "bindings/decay_columns.hpp"
#include "bindings/device_arrays.hpp"

namespace remanence::bindings {
namespace {

constexpr const char* verb = "decay";

/// Sees the columns in place and keeps them for the length of the call.
class Seen {
public:
    explicit Seen(std::string backend) : backend_(std::move(backend)) {}
    template <class T>
    View<const T> column(const char* name, const py::object& object, int rank = 1) {
        if (object.is_none()) return {};
        if (!lies_on_device(object)) {
            refuse(verb, std::string(name) + " lies on the host, but other columns on a device");
        }
        const auto type = py::cast<std::string>(py::dtype::of<T>().attr("str"));
        kept_.push_back(see_on_device(verb, name, object, backend_, type, rank));
        if (rank == 2 && kept_.back().shape[1] != py::ssize_t{power_trace_size}) {
            refuse(verb, std::string(name) + " must have 12 columns (got " +
                             std::to_string(kept_.back().shape[1]) + ")");
        }
        return device_view<T>(kept_.back());
    }

private:
    std::string backend_;
    std::vector<SeenArray> kept_;
};

template <class T>
py::object run(const DecayLaw& law, TimeNs now, const ColumnArguments& a,
               const std::string& backend) {
    Seen seen(backend);
    DecayColumns<T> c;
    c.access_times = seen.column<TimeNs>("access_times", a.access_times);
    c.offsets = seen.column<std::int64_t>("offsets", a.offsets);
    c.accesses = seen.column<std::uint32_t>("accesses", a.accesses);
    c.created = seen.column<TimeNs>("created", a.created);
    c.last_access = seen.column<TimeNs>("last_access", a.last_access);
    c.trace = seen.column<T>("trace", a.trace, 2);
    c.stability = seen.column<T>("stability", a.stability);
    const std::size_t n = !c.offsets.empty() ? c.offsets.size() - 1
                                             : std::max(c.created.size(), c.last_access.size());
    py::object out = a.out;
    if (out.is_none()) {
        out = py::cast(DeviceArray(backend, py::dtype::of<T>(), {static_cast<py::ssize_t>(n)}));
    }
    const View<const T> given = seen.column<T>("out", out);
    same_length(verb, "out", given.size(), n);
    const View<T> values(const_cast<T*>(given.data()), n);
    refuse_overlap(verb, values, c.access_times, c.offsets, c.accesses, c.created, c.last_access,
                   c.trace, c.stability);
    {
        const py::gil_scoped_release release;
        decay_on_device(law, c, now, values, backend);
    }
    return out;
}

}  // namespace

bool any_on_device(const ColumnArguments& a) {
    for (const py::object* const column : {&a.access_times, &a.offsets, &a.accesses, &a.created,
                                           &a.last_access, &a.trace, &a.stability, &a.out}) {
        if (!column->is_none() && lies_on_device(*column)) return true;
    }
    return false;
}

py::object decay_there(const DecayLaw& law, TimeNs now, const ColumnArguments& a, bool precise,
                       const std::string& backend) {
    return precise ? run<double>(law, now, a, backend) : run<float>(law, now, a, backend);
}

}  // namespace remanence::bindings
