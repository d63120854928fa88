// Reading texts and finding names in them: Python's own strings, seen in place.
#include <functional>
#include <map>
#include <memory>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <string>
#include <utility>

#include "bindings/register.hpp"
#include "core/name_finder.hpp"
#include "core/text_reader.hpp"

namespace remanence::bindings {
namespace {

namespace py = pybind11;

/// Python's word for every character: what re calls \w and \d, and what str.isdigit holds of.
std::uint8_t kind_of(char32_t c) {
    const auto point = static_cast<Py_UCS4>(c);
    std::uint8_t is = 0;
    if (c == U'_' || Py_UNICODE_ISALNUM(point)) is |= kind::word;
    if (Py_UNICODE_ISDECIMAL(point)) is |= kind::decimal;
    if (Py_UNICODE_ISDIGIT(point)) is |= kind::digit;
    return is;
}

/// Calls use(span) with the characters of a string.
template <class Use>
auto with_characters(const py::handle& text, Use&& use) {
    PyObject* const s = text.ptr();
    const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(s));
    const void* const data = PyUnicode_DATA(s);
    const auto as = [&](auto c) {
        return use(std::span(static_cast<const decltype(c)*>(data), size));
    };
    if (PyUnicode_IS_ASCII(s)) return as(char{});
    if (PyUnicode_KIND(s) == PyUnicode_1BYTE_KIND) return as(Py_UCS1{});
    if (PyUnicode_KIND(s) == PyUnicode_2BYTE_KIND) return as(Py_UCS2{});
    return as(Py_UCS4{});
}

/// A string's own method without arguments that returns a string.
py::str changed(const py::handle& text, const py::str& method) {
    PyObject* const found = PyObject_CallMethodNoArgs(text.ptr(), method.ptr());
    if (found == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::str>(found);
}

void check_text(const py::handle& text) {
    if (!PyUnicode_Check(text.ptr())) throw py::type_error("texts must be str");
}

class Reader {
public:
    Reader(TextReader::Rules rules, const std::string& signs, py::function learn, std::size_t limit)
        : reader_(Characters(&kind_of, signs), std::move(rules), learner(std::move(learn)), limit) {
    }

    py::tuple read(const py::list& texts) {
        py::list terms, counts, marks, values;
        const py::str none("");
        const py::tuple kept(texts);  // the caller may change the list while words are learned
        for (const py::handle text : kept) {
            check_text(text);
            const py::str lowered = changed(text, lower_);
            Read found =
                with_characters(lowered, [&](auto characters) { return reader_.read(characters); });
            const bool longer = beyond(text);
            if (longer || PyUnicode_IS_ASCII(text.ptr()) == 0) {
                found.marks |= TextReader::partial_mark;
            }
            terms.append(py::str(found.terms));
            counts.append(found.count);
            marks.append(found.marks);
            values.append(!reader_.holds_number(found) ? none
                          : longer                     ? values_of(head_of(text))
                                                       : values_of(lowered));
        }
        return py::make_tuple(terms, counts, marks, values);
    }

private:
    bool beyond(const py::handle& text) const {
        return static_cast<std::size_t>(PyUnicode_GET_LENGTH(text.ptr())) > reader_.rules().read;
    }
    py::str head_of(const py::handle& text) const {
        const auto size = static_cast<Py_ssize_t>(reader_.rules().read);
        const auto head = py::reinterpret_steal<py::str>(PyUnicode_Substring(text.ptr(), 0, size));
        return changed(head, lower_);
    }
    py::str values_of(const py::str& lowered) {
        return with_characters(lowered,
                               [&](auto characters) { return reader_.values(characters); });
    }
    static std::function<Known(std::string_view)> learner(py::function learn) {
        return [learn = std::move(learn)](std::string_view word) {
            const auto [stem, marks] = learn(py::str(word.data(), word.size()))
                                           .cast<std::pair<std::string, std::uint8_t>>();
            return Known{stem, marks};
        };
    }

    TextReader reader_;
    py::str lower_{"lower"};
};

std::unique_ptr<Reader> make_reader(const std::map<std::string, std::string>& numbers,
                                    std::u32string currencies, std::uint8_t change_mark,
                                    std::uint8_t number_mark, std::size_t read,
                                    const std::string& signs, py::function learn,
                                    std::size_t limit) {
    TextReader::Rules rules;
    rules.numbers.insert(numbers.begin(), numbers.end());
    rules.currencies = std::move(currencies);
    rules.change_mark = change_mark;
    rules.number_mark = number_mark;
    rules.read = read;
    return std::make_unique<Reader>(std::move(rules), signs, std::move(learn), limit);
}

class Finder {
public:
    Finder() : finder_(Characters(&kind_of, "")) {}

    void add(const std::string& name) { finder_.add(name); }
    std::size_t size() const { return finder_.size(); }

    py::tuple find(const py::list& texts) {
        py::list places, names, closer;
        const py::tuple kept(texts);
        for (std::size_t place = 0; place < kept.size(); ++place) {
            check_text(kept[place]);
            const py::str folded = changed(kept[place], casefold_);
            const NamesFound found =
                with_characters(folded, [&](auto characters) { return finder_.find(characters); });
            if (found.single) closer.append(place);
            for (const std::string& name : found.several) {
                if (found.single) break;
                places.append(place);
                names.append(py::str(name));
            }
        }
        return py::make_tuple(places, names, closer);
    }

private:
    NameFinder finder_;
    py::str casefold_{"casefold"};
};

}  // namespace

void register_text(py::module_& m) {
    py::class_<Reader>(m, "TextReader", "Reads texts word by word; use it from one thread at once.")
        .def(
            py::init(&make_reader), py::kw_only(), py::arg("numbers"), py::arg("currencies"),
            py::arg("change_mark"), py::arg("number_mark"), py::arg("read"), py::arg("signs"),
            py::arg("learn"), py::arg("limit"),
            "numbers: word -> digits. change_mark, number_mark: of words that announce a change or "
            "are numbers. read: characters in which values are looked for. signs: ASCII "
            "characters to be noted. learn: word -> (stem or \"\", marks below 256), asked once "
            "for each word. limit: words that are remembered.")
        .def("read", &Reader::read, py::arg("texts"),
             "(terms, how many, marks, values) of each text. Marks: all of its words', 256 where "
             "it holds a decimal digit, 512 a sign, 1024 where it is not ASCII or is longer than "
             "`read`. Values: \"#number:unit:stem:...\", separated by spaces.");
    py::class_<Finder>(m, "NameFinder", "Finds known names; use it from one thread at once.")
        .def(py::init<>())
        .def("__len__", &Finder::size)
        .def("add", &Finder::add, py::arg("name"), "Makes a name known, in the form of `name_key`.")
        .def("find", &Finder::find, py::arg("texts"),
             "(places, names, closer): the place of a text and a name of several words that it "
             "holds, in order; and the places of texts that hold a name of a single word, which "
             "take a closer look and are not in the others.");
}

}  // namespace remanence::bindings
