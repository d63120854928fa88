// What can go wrong: one base class and the few children that callers tell apart.
#pragma once

#include <stdexcept>
#include <string>

#include "remanence/export.hpp"

namespace remanence {

/// Base of every exception that leaves the library. The message is one sentence that starts with
/// the verb: "recall: k must be between 1 and 1000000 (got 0)".
class REMANENCE_API Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The caller passed something that the verb cannot use; nothing was changed.
class REMANENCE_API InvalidArgument : public Error {
public:
    using Error::Error;
};

/// An id that the engine does not hold.
class REMANENCE_API NotFound : public Error {
public:
    using Error::Error;
};

/// A file whose content fails its checks.
class REMANENCE_API CorruptData : public Error {
public:
    using Error::Error;
};

/// A backend that is not built, not loadable, or has no device; the message is the reason.
class REMANENCE_API BackendUnavailable : public Error {
public:
    using Error::Error;
};

class REMANENCE_API OutOfMemory : public Error {
public:
    using Error::Error;
};

/// A device call that failed after the backend was chosen.
class REMANENCE_API DeviceError : public Error {
public:
    using Error::Error;
};

}  // namespace remanence
